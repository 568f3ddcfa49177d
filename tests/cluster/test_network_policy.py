"""NetworkPolicies are enforced by an agent on each Node, and only a trial tells."""

import errno
from collections.abc import Iterator

import pytest

from podproof.cluster import network_policy
from podproof.cluster.embedded import netfilter, policies
from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.cluster.embedded.progress import Progress
from podproof.kube.client import Api
from podproof.kube.kinds import NODE

from .lives import trials

ENFORCING = "policies"


@pytest.fixture(scope="module")
def enforcing() -> Iterator[EmbeddedCluster]:
    """A cluster of its own, as its agents are stopped."""
    with EmbeddedCluster(ENFORCING, nodes=2, report=Progress()) as cluster:
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
    assert enforcing.machine("node-2").program_pid(policies.AGENT)
    # Everything of the trial on the Node that was off.
    enforcing_api.merge(NODE, None, "node-1", {"spec": {"unschedulable": True}})
    try:
        assert network_policy.is_enforced(enforcing, enforcing_api) is True
    finally:
        enforcing_api.merge(NODE, None, "node-1", {"spec": {"unschedulable": None}})


def test_a_cluster_that_does_not_enforce_is_found_out(enforcing: EmbeddedCluster, enforcing_api: Api) -> None:
    nodes = [machine for machine in enforcing.machines() if machine.name in enforcing.nodes]
    for machine in nodes:
        machine.stop(policies.AGENT)
    try:
        assert network_policy.is_enforced(enforcing, enforcing_api) is False
        assert trials(enforcing_api) == []
    finally:
        for machine in nodes:
            machine.start(policies.AGENT)
    assert network_policy.is_enforced(enforcing, enforcing_api) is True


def test_the_kernel_says_what_it_can_hold_back() -> None:
    assert netfilter.why_no_queue() == ""
    unknown = netfilter._attribute(1, b"NOBODY\0") + netfilter._attribute(2, bytes(4))
    assert netfilter._ask(netfilter._COMPAT << 8, unknown + netfilter._attribute(3, bytes(4))) == errno.ENOENT
