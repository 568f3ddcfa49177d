"""Fixtures of the tests about clusters."""

from collections.abc import Iterator

import pytest

from podproof.cluster.embedded.cluster import EmbeddedCluster

from .lives import NAME
from .snapshot import Machine


@pytest.fixture
def machine_before() -> Iterator[Machine]:
    """What the machine is like without the cluster."""
    EmbeddedCluster(NAME).down()
    yield Machine.now()
    EmbeddedCluster(NAME).down()
