"""Fixtures of the project's own tests: a real cluster of their own."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.cluster.embedded.progress import Progress

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts background jobs deaf to Ctrl-C, and so would be what the tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)

for variable in [each for each in os.environ if each.startswith("PYTEST_XDIST_")]:
    # Runs that tests start would take themselves for workers of this one.
    del os.environ[variable]

TEST_CLUSTER = os.environ.get("PODPROOF_TEST_CLUSTER", "tests")
"""A name of its own, so that the tests leave a cluster alone that somebody is using."""


_OWN_CLUSTERS = {"test_flags.py", "test_life.py", "test_matrix.py", "test_network_policy.py", "test_runs.py"}
"""Files whose tests start clusters of their own, one at a time."""


class _SharingClusters(LoadScopeScheduling):  # type: ignore[misc]  # xdist's schedulers are untyped
    """Several files at a time, but all that share a cluster, or a cluster's name, in one process.

    xdist's own groups do not work with pytest 9.2, which keeps an item's id elsewhere.
    """

    def _split_scope(self, nodeid: str) -> str:
        folder, _, file = nodeid.partition("::")[0].rpartition("/")
        if file in _OWN_CLUSTERS:
            return "life"
        return TEST_CLUSTER if folder in {"tests/kube", "tests/cluster"} else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Say which tests may run beside each other."""
    return _SharingClusters(config, log)


@pytest.fixture(scope="session")
def cluster() -> Iterator[EmbeddedCluster]:
    """A cluster for the tests that need one; it ends with this process at the latest."""
    embedded = EmbeddedCluster(TEST_CLUSTER, report=Progress())
    embedded.up(owner=os.getpid())
    ours = embedded.owner == os.getpid()  # or somebody keeps it running, to be quicker
    yield embedded
    embedded.release(os.getpid())
    assert not (ours and embedded.is_running), "a test has made the cluster outlive its owner"
