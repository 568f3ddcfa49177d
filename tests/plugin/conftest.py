"""Suites that the plugin's tests run."""

from __future__ import annotations

import jsonschema  # noqa: F401
import pytest

# Each suite that runs in this process forgets what it imported; what is imported here stays.
import podproof.pytest_plugin.run
import podproof.reporting.allure_bridge
import podproof.reporting.evidence  # noqa: F401
from tests.plugin.suite import Suite


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    """An empty suite with a stand-in for the cluster."""
    return Suite(pytester)
