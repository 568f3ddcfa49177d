"""Fixtures of the tests about clusters."""

from collections.abc import Iterator

import pytest

from podproof.cluster.embedded.cluster import EmbeddedCluster

from .lives import NAME, end_started
from .snapshot import Machine


@pytest.fixture(autouse=True)
def started() -> Iterator[None]:
    """Nothing that a test starts by `lives.start` goes on after it."""
    yield
    end_started()


@pytest.fixture
def machine_before() -> Iterator[Machine]:
    """What the machine is like without the cluster."""
    EmbeddedCluster(NAME).down()
    yield Machine.now()
    end_started()  # a run that goes on would start it again
    EmbeddedCluster(NAME).down()
