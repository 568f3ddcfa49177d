"""Fixtures of the project's own tests: a real cluster of their own."""

import os
import signal
from collections.abc import Iterator

import pytest

from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.cluster.embedded.progress import Progress

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts background jobs deaf to Ctrl-C, and so would be what the tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)

TEST_CLUSTER = "tests"
"""A name of its own, so that the tests leave a cluster alone that somebody is using."""


@pytest.hookimpl(tryfirst=True)  # before xdist looks for the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two at a time: tests that share a cluster, or a cluster's name, stay in one process (xdist's groups)."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        name = "life" if "machine_before" in fixtures else TEST_CLUSTER if "cluster" in fixtures else ""
        if name:
            item.add_marker(pytest.mark.xdist_group(name))


@pytest.fixture(scope="session")
def cluster() -> Iterator[EmbeddedCluster]:
    """A cluster for the tests that need one; it ends with this process at the latest."""
    embedded = EmbeddedCluster(TEST_CLUSTER, report=Progress())
    embedded.up(owner=os.getpid())
    yield embedded
    embedded.release(os.getpid())
