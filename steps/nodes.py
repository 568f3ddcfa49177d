"""Steps about the Nodes that Pods run on."""

from __future__ import annotations

from pytest_bdd import given, parsers, when

from podproof.cluster import capabilities
from podproof.cluster.base import Cluster
from podproof.faults import nodes
from podproof.faults.pods import Incident
from podproof.kube.kinds import NODE, REPLICA_SET, Object
from podproof.kube.scene import Scene

HOSTNAME = "kubernetes.io/hostname"
"""The label by which a Node is chosen."""


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


def node_of(scene: Scene, pod: Object) -> Object:
    """The Node that a Pod runs on."""
    return next(
        node for node in scene.recording.latest(NODE) if node["metadata"]["name"] == pod["spec"]["nodeName"]
    )


def other_node(scene: Scene, pod: Object) -> Object:
    """A Node that takes any Pod and is not the one that this Pod runs on."""
    ordinary = capabilities.ordinary_nodes(list(scene.recording.latest(NODE)))
    return next(node for node in ordinary if node["metadata"]["name"] != pod["spec"]["nodeName"])


def place(pod: Object, node: Object) -> None:
    """Make a Pod's manifest ask for a Node."""
    pod["spec"]["nodeSelector"] = {HOSTNAME: node["metadata"]["labels"][HOSTNAME]}
