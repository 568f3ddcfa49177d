"""Suites that the plugin's tests run."""

from __future__ import annotations

import pytest

from tests.plugin.suite import Suite


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    """An empty suite with a stand-in for the cluster."""
    return Suite(pytester)
