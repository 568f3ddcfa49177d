"""Switching Nodes off and on again, and taking them out of service or off the network for a while."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import cast

from podproof.cluster.base import Cluster, NetworkSwitch, PowerSwitch
from podproof.errors import CleanupError, TrialError
from podproof.faults.pods import Incident, before, request_eviction
from podproof.kube import deadlines, watch
from podproof.kube.changes import Mark
from podproof.kube.client import Api
from podproof.kube.conditions import Check, Falsified, View, preparing
from podproof.kube.kinds import LEASE, NODE, POD, Object, name
from podproof.kube.scene import Scene
from podproof.kube.summary import line

_LEASES = "kube-node-lease"
"""The namespace in which each Node renews a lease of its own as a sign of life."""
_UNUSABLE = "node.kubernetes.io/"
"""What the taints begin with by which Kubernetes itself keeps Pods off a Node that is not well."""
_CORDONED = f"{_UNUSABLE}unschedulable"


def reboot(cluster: Cluster, scene: Scene, pod: Object) -> Incident:
    """Cut the power of a Pod's Node and give it back.

    Returns when the Node is Ready again. That it was off shows in the Pod: its containers start anew, which
    they do for no other reason here.

    The cluster must have a power switch (`capabilities.POWER_SWITCH`).

    Raises:
        ClusterError: The Node did not come back.
    """
    switch = cast(PowerSwitch, cluster)
    node = pod["spec"]["nodeName"]
    incident = before(scene, pod)
    try:
        switch.power_off(node)
    finally:
        switch.power_on(node)
    return incident


def mend(cluster: Cluster, api: Api, node: str) -> None:
    """Undo what a killed runner may have left of the faults below; for whoever holds the Node's lock.

    Raises:
        TrialError: The Node is not in service.
    """
    cast(PowerSwitch, cluster).power_on(node)
    if hasattr(cluster, "rejoin"):
        cast(NetworkSwitch, cluster).rejoin(node)
    if api.get(NODE, None, node)["spec"].get("unschedulable"):
        api.merge(NODE, None, node, {"spec": {"unschedulable": None}})
    watch.until(
        api,
        NODE,
        None,
        node,
        lambda there: there is not None and _is_usable(there),
        deadlines.NODE_BOOT,
    )


@contextmanager
def off(cluster: Cluster, scene: Scene, node: str) -> Iterator[Mark]:
    """A Node without power, for as long as the context lasts; gives the moment just before.

    The power is cut when the context begins: the kernel has ended every process of the Node by then. When
    it ends the Node is Ready again, and takes Pods as before.

    The cluster must have a power switch (`capabilities.POWER_SWITCH`).

    Raises:
        ClusterError: The Node did not come back.
        CleanupError: It came back, but is kept out of service.
    """
    switch = cast(PowerSwitch, cluster)
    since = scene.recording.mark()
    try:
        switch.power_off(node)
        yield since
    finally:
        switch.power_on(node)
        _await_service(scene, node)


@contextmanager
def cut_off(cluster: Cluster, scene: Scene, node: str) -> Iterator[Mark]:
    """A Node that runs without network, for as long as the context lasts; gives the moment just before.

    That it is cut off shows in its kubelet, which takes no connection any more, and in its lease, which it
    does not renew; that it runs is seen from outside of the cluster.

    The cluster must have a network switch (`capabilities.NETWORK_SWITCH`).

    Raises:
        TrialError: It can still be reached, or was not cut off all the time, or does not run.
        CleanupError: It is back, but is kept out of service.
    """
    switch = cast(NetworkSwitch, cluster)
    if not _takes_connections(scene, node):
        raise TrialError(f"Node {node} cannot be reached from here, so cutting it off would not show")
    since = scene.recording.mark()
    try:
        switch.isolate(node)
        if _takes_connections(scene, node):
            raise TrialError(f"Node {node} can still be reached although it was cut off")
        yield since
        _demand_silence(switch, scene, node, since)
    finally:
        switch.rejoin(node)
        _await_service(scene, node)


@contextmanager
def cordoned(scene: Scene, node: str) -> Iterator[Mark]:
    """A Node that is closed for new Pods, for as long as the context lasts; gives the moment just before.

    That it is closed shows in its taint, which Kubernetes sets itself.

    Raises:
        CleanupError: It cannot be opened again.
    """
    closed = _node_is(node, "is closed for new Pods", lambda there: _CORDONED in _taints(there))
    since = scene.recording.mark()
    try:
        scene.api.merge(NODE, None, node, {"spec": {"unschedulable": True}})
        with preparing(f"Node {node} is to be cordoned"):
            scene.recording.wait_until(closed, deadlines.FAULT_CONFIRMED, since)
        yield since
    finally:
        scene.api.merge(NODE, None, node, {"spec": {"unschedulable": None}})
        _await_service(scene, node)


@contextmanager
def drained(scene: Scene, node: str) -> Iterator[Mark]:
    """A Node that is cordoned and whose Pods are evicted, as `kubectl drain` does; see `cordoned`.

    Pods that belong to the Node stay: those of DaemonSets, and those of the kubelet's own files.

    Raises:
        ApiError: A disruption budget forbids the eviction of a Pod (status 429).
        CleanupError: It cannot be opened again.
    """
    with cordoned(scene, node) as since:
        there = scene.api.request("GET", POD.path(), query={"fieldSelector": f"spec.nodeName={node}"})
        for pod in there["items"]:
            if not _belongs_to_node(pod):
                request_eviction(scene.api, pod)
        yield since


def _belongs_to_node(pod: Object) -> bool:
    owners = {each["kind"] for each in pod["metadata"].get("ownerReferences", ())}
    return bool(owners & {"DaemonSet", "Node"})


def _takes_connections(scene: Scene, node: str) -> bool:
    status = next(each for each in scene.recording.latest(NODE) if name(each) == node)["status"]
    address = next(each["address"] for each in status["addresses"] if each["type"] == "InternalIP")
    port = status["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    try:
        with socket.create_connection((address, port), deadlines.NODE_ANSWERS.seconds):
            return True
    except OSError:
        return False


def _demand_silence(switch: NetworkSwitch, scene: Scene, node: str, since: Mark) -> None:
    if not switch.is_on(node):
        raise TrialError(f"Node {node} should have been cut off, but it does not even run")
    renewed = datetime.fromisoformat(scene.api.get(LEASE, _LEASES, node)["spec"]["renewTime"])
    if renewed > since.wall:
        late = (renewed - since.wall).total_seconds()
        raise TrialError(f"Node {node} renewed its lease {late:.3f} s after it was cut off")


def _await_service(scene: Scene, node: str) -> None:
    """Wait until nothing keeps Pods off a Node that is back."""
    usable = _node_is(node, "is Ready and takes Pods", _is_usable)
    try:
        scene.recording.wait_until(usable, deadlines.NODE_BOOT)
    except Falsified as error:
        raise CleanupError(f"Node {node} is not in service again\n{error}") from error


def _is_usable(node: Object) -> bool:
    conditions = node.get("status", {}).get("conditions", ())
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and not any(key.startswith(_UNUSABLE) for key in _taints(node))


def _taints(node: Object) -> list[str]:
    return [taint["key"] for taint in node["spec"].get("taints", ())]


def _node_is(node: str, state: str, test: Callable[[Object], bool]) -> Check:
    def known(view: View) -> Object | None:
        return next((each for each in view.all(NODE) if name(each) == node), None)

    def tell(view: View) -> str:
        there = known(view)
        return line(there) if there else "there is no such Node"

    return Check(
        f"Node {node} {state}",
        frozenset({NODE}),
        lambda view: (there := known(view)) is not None and test(there),
        tell,
    )
