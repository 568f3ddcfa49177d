"""The fixtures that podproof gives to a suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from podproof.pytest_plugin.life import OWN_CLUSTER, keeps_namespace, measurements_of
from podproof.verdicts.measurements import Measurements

if TYPE_CHECKING:
    from podproof.cluster.base import Cluster


@pytest.fixture
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster that the claim is tried on: the embedded one, or the context's that was named.

    What breaks a control plane, and is tagged so, gets another one, so that nobody else suffers.
    """
    from podproof.cluster import once
    from podproof.pytest_plugin.cluster_use import CLUSTER_USE

    own = tmp_path_factory.getbasetemp()
    # A worker's is in the controller's, which is new in every run: what is asked once is asked for all.
    once.share(own.parent if hasattr(request.config, "workerinput") else own)

    use = request.config.stash[CLUSTER_USE]
    if request.node.get_closest_marker("control-plane"):
        with use.spare() as spare:
            request.node.stash[OWN_CLUSTER] = spare is not use.cluster()
            yield spare
    else:
        yield use.cluster()


@pytest.fixture
def has_own_cluster(cluster: Cluster, request: pytest.FixtureRequest) -> bool:
    """Whether the scenario's cluster is for it alone, and ends with it."""
    del cluster  # asked for: it is known then
    return bool(request.node.stash.get(OWN_CLUSTER, False))


@pytest.fixture
def measurements(request: pytest.FixtureRequest) -> Measurements:
    """Where steps put what they measure: `measurements.add("recovery", seconds, bound, origin)`."""
    return measurements_of(request.node)


@pytest.fixture
def keep_namespace(request: pytest.FixtureRequest) -> Callable[[], bool]:
    """Asked when cleaning up: whether the scenario's namespace is to be left for someone to look at."""
    return lambda: keeps_namespace(request.node)
