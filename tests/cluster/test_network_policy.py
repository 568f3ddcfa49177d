"""NetworkPolicies are enforced where that was asked for, and only a trial tells."""

import os
from collections.abc import Iterator

import pytest

from podproof.cluster import network_policy
from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.cluster.embedded.progress import Progress
from podproof.kube.client import Api
from podproof.kube.kinds import NODE

from .lives import NAME, nothing_is_left, podproof, trials
from .snapshot import Belongings, Machine

ENFORCING = "policies"


@pytest.fixture(scope="module")
def enforcing() -> Iterator[EmbeddedCluster]:
    """A cluster that enforces NetworkPolicies."""
    with EmbeddedCluster(ENFORCING, nodes=2, network_policy=True, report=Progress()) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def enforcing_api(enforcing: EmbeddedCluster) -> Iterator[Api]:
    """Its API server."""
    api = Api.from_kubeconfig(enforcing.kubeconfig, enforcing.context)
    yield api
    api.close()


def test_a_policy_blocks(enforcing: EmbeddedCluster, enforcing_api: Api) -> None:
    assert network_policy.is_enforced(enforcing, enforcing_api) is True
    assert trials(enforcing_api) == []


def test_a_policy_blocks_after_a_reboot(enforcing: EmbeddedCluster, enforcing_api: Api) -> None:
    enforcing.power_off("node-2")
    enforcing.power_on("node-2")
    assert enforcing.is_complete
    assert "cilium-agent" in {process.name() for process in enforcing.machine("node-2").processes()}
    # Everything of the trial on the Node that was off.
    enforcing_api.merge(NODE, None, "node-1", {"spec": {"unschedulable": True}})
    try:
        assert network_policy.is_enforced(enforcing, enforcing_api) is True
    finally:
        enforcing_api.merge(NODE, None, "node-1", {"spec": {"unschedulable": None}})


@pytest.mark.usefixtures("enforcing")
def test_a_cluster_that_enforces_says_so_and_serves_those_who_do_not_ask() -> None:
    assert ", NetworkPolicies enforced, runs" in podproof("status", "--name", ENFORCING).communicate()[0]
    assert EmbeddedCluster(ENFORCING).network_policy
    assert EmbeddedCluster(ENFORCING).up(owner=os.getpid()) is False


def test_down_leaves_nothing_of_it(machine_before: Machine) -> None:
    cluster = EmbeddedCluster(NAME, nodes=1, network_policy=True)
    cluster.up()
    belongings = Belongings.of(NAME)
    assert cluster.is_complete
    cluster.down()
    nothing_is_left(machine_before, belongings)
