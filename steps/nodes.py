"""Steps about the Nodes that Pods run on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from pytest_bdd import given, parsers, when

from podproof.cluster import bounds, capabilities
from podproof.cluster.base import Cluster
from podproof.errors import TrialError
from podproof.faults import nodes
from podproof.faults.fault import Fault
from podproof.faults.injected import injected
from podproof.faults.node_carrier import cut_off
from podproof.faults.nodes import Cordoned, PoweredOff
from podproof.faults.pods import Incident, before
from podproof.kube import deadlines
from podproof.kube.kinds import NODE, POD, REPLICA_SET, Object, name
from podproof.kube.scene import Scene

HOSTNAME = "kubernetes.io/hostname"
"""The label by which a Node is chosen."""
VICTIM = "podproof.dev/victim"
"""The label and the taint of a Node that may be broken."""


@pytest.fixture
def repairs(scene: Scene, victim_node: str) -> Iterator[ExitStack]:
    """What mends the Node that the scenario may break, once its steps are done."""
    del scene, victim_node  # asked for: both are needed until all is mended
    with ExitStack() as stack:
        yield stack


@given(parsers.parse("new Pods of the ReplicaSet must run on {where}"), target_fixture="destination")
def constrain(cluster: Cluster, scene: Scene, replicaset: Object, pod: Object, where: str) -> Object:
    """Tell new Pods where to run, and leave those that run alone; gives the Node."""
    if where == "another Node":
        capabilities.require(cluster, scene.api, capabilities.TWO_NODES)
    node = node_of(scene, pod) if where == "the same Node" else other_node(scene, pod)
    selector = {HOSTNAME: node["metadata"]["labels"][HOSTNAME]}
    scene.update(REPLICA_SET, replicaset, {"spec": {"template": {"spec": {"nodeSelector": selector}}}})
    return node


@when("its Node is rebooted", target_fixture="incident")
def reboot(cluster: Cluster, scene: Scene, pod: Object) -> Incident:
    """Switch the Pod's Node off and on."""
    return nodes.reboot(cluster, scene, pod)


@when("its Node is powered off", target_fixture="incident")
def power_off(cluster: Cluster, scene: Scene, pod: Object, repairs: ExitStack) -> Incident:
    """Cut the power of the Pod's Node; it comes back only when the scenario is over."""
    return _lose(cluster, scene, pod, repairs, "powered off")


@when(parsers.re("its Node is (?P<closed>cordoned|drained)"), target_fixture="incident")
def close_node(cluster: Cluster, scene: Scene, pod: Object, repairs: ExitStack, closed: str) -> Incident:
    """Take the Pod's Node out of service; it is opened again only when the scenario is over."""
    incident = before(scene, pod)
    node = pod["spec"]["nodeName"]
    repairs.enter_context(injected(Cordoned(cluster, node)))
    if closed == "drained":
        nodes.drain(scene.api, node)
    return replace(incident, struck=scene.recording.mark())


@when(
    parsers.re("the Node of one of its Pods is (?P<lost>powered off|partitioned)"), target_fixture="incident"
)
def lose_node(
    cluster: Cluster, scene: Scene, replicaset: Object, victim_node: str, repairs: ExitStack, lost: str
) -> Incident:
    """Lose the Node of one of a ReplicaSet's Pods until the scenario is over."""
    return _lose(cluster, scene, on_victim(scene, replicaset, victim_node), repairs, lost)


def _lose(cluster: Cluster, scene: Scene, pod: Object, repairs: ExitStack, lost: str) -> Incident:
    """Lose a Pod's Node until the scenario is over."""
    node = pod["spec"]["nodeName"]
    noticed = bounds.node_replaced(cluster.settings(), pod)
    lasts = deadlines.FAULT_LASTS + noticed + deadlines.POD_STARTUP
    fault: Fault = PoweredOff(cluster, node)
    if lost == "partitioned":
        fault = cut_off(cluster, node, scene.namespace.name, lasts.patience)
    fault.prepare()
    incident = replace(before(scene, pod), noticed=noticed, with_node=True)
    repairs.enter_context(injected(fault, lasts))
    return replace(incident, struck=scene.recording.mark())


def on_victim(scene: Scene, controller: Object, node: str) -> Object:
    """The Pod of a controller that runs on a Node that may be broken.

    Raises:
        TrialError: There is none.
    """
    for pod in scene.owned(POD, controller):
        if pod["spec"]["nodeName"] == node:
            return pod
    raise TrialError(f"no Pod of {name(controller)} runs on Node {node}, which may be broken")


def node_of(scene: Scene, pod: Object) -> Object:
    """The Node that a Pod runs on."""
    return next(
        node for node in scene.recording.latest(NODE) if node["metadata"]["name"] == pod["spec"]["nodeName"]
    )


def other_node(scene: Scene, pod: Object) -> Object:
    """A Node that takes any Pod and is not the one that this Pod runs on."""
    ordinary = capabilities.ordinary_nodes(list(scene.recording.latest(NODE)))
    return next(node for node in ordinary if node["metadata"]["name"] != pod["spec"]["nodeName"])


def prefer_victim(template: Object, node: str) -> None:
    """Make a Pod template ask first for one Node that may be broken, and for no other of those."""
    named = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    ordinary = {"matchExpressions": [{"key": VICTIM, "operator": "DoesNotExist"}]}
    template["spec"].setdefault("affinity", {})["nodeAffinity"] = {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [named, ordinary]},
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": named}],
    }


def place_on(pod: Object, node: str) -> None:
    """Make a Pod's manifest or template ask for the Node of a name."""
    pod["spec"]["nodeSelector"] = {HOSTNAME: node}


def place(pod: Object, node: Object) -> None:
    """Make a Pod's manifest ask for a Node."""
    pod["spec"]["nodeSelector"] = {HOSTNAME: node["metadata"]["labels"][HOSTNAME]}
