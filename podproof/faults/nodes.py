"""Nodes without power, cut off from the network, or out of service."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from podproof.cluster import capabilities
from podproof.cluster.base import Cluster, NetworkSwitch, NodePartition, PartitionSwitch, PowerSwitch
from podproof.cluster.embedded.partition import CONTROL_PLANE_ONLY, OUTGOING
from podproof.errors import FaultLostError, TrialError
from podproof.faults import signs
from podproof.faults.fault import Fault
from podproof.faults.injected import injected
from podproof.faults.pods import Incident, before, request_eviction
from podproof.faults.programs import CONTROL_PLANE
from podproof.faults.service import (
    CORDONED,
    api_of,
    await_service,
    change_taint,
    last_heard_of,
    taints,
)
from podproof.kube import deadlines, watch
from podproof.kube.client import Api
from podproof.kube.kinds import NODE, POD, Object
from podproof.kube.scene import Scene

OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
"""The taint that says that a Node is gone, so that nothing of it is to be waited for."""


@dataclass(frozen=True)
class _NodeFault(Fault):
    """A Node that is broken; it is in service again when that has been undone.

    Attributes:
        node: Its name.
    """

    node: str

    @property
    def target(self) -> str:
        """The Node."""
        return self.node

    def confirm_reverted(self) -> None:
        """The Node is Ready, and nothing keeps Pods off it."""
        with api_of(self.cluster) as api:
            await_service(api, self.node)

    def takes_connections(self) -> bool:
        """Whether its kubelet can be reached from here."""
        with api_of(self.cluster) as api:
            status = api.get(NODE, None, self.node)["status"]
        address = next(each["address"] for each in status["addresses"] if each["type"] == "InternalIP")
        return signs.listens(address, status["daemonEndpoints"]["kubeletEndpoint"]["Port"])

    def demand_possible(self) -> None:
        """It can be reached, without which cutting it off would not show."""
        if not self.takes_connections():
            raise TrialError(
                f"Node {self.node} cannot be reached from here, so cutting it off would not show"
            )


@dataclass(frozen=True)
class PoweredOff(_NodeFault):
    """A Node whose power is cut: the kernel ends every process of it at once.

    The cluster must have a power switch (`capabilities.POWER_SWITCH`).
    """

    kind = "node-powered-off"

    def describe(self) -> str:
        """See `Fault`."""
        return f"Node {self.node} is powered off"

    def demand_possible(self) -> None:
        """The cluster has a switch, and the Node can be reached, without which silence would not show.

        Raises:
            NotApplicable: It has none.
        """
        with api_of(self.cluster) as api:
            capabilities.require(self.cluster, api, capabilities.POWER_SWITCH)
        super().demand_possible()

    def inject(self) -> None:
        """Cut the power."""
        cast(PowerSwitch, self.cluster).power_off(self.node)

    def confirm(self) -> None:
        """It takes no connection any more."""
        signs.demand(lambda: not self.takes_connections(), f"Node {self.node} is silent")

    def revert(self) -> None:
        """Switch it on; it is Ready then."""
        cast(PowerSwitch, self.cluster).power_on(self.node)


@dataclass(frozen=True)
class CutOff(_NodeFault):
    """A Node that runs without network: nothing reaches it, and it reaches nothing.

    That it is cut off shows in its kubelet, which takes no connection any more, and in its lease, which it
    does not renew; that it runs is seen from outside of the cluster.

    The cluster must have a network switch; see `node_carrier.cut_off` for those that have none.
    """

    kind = "node-cut-off"

    def describe(self) -> str:
        """See `Fault`."""
        return f"Node {self.node} is cut off from the network"

    def inject(self) -> None:
        """Pull its cable."""
        cast(NetworkSwitch, self.cluster).isolate(self.node)

    def confirm(self) -> None:
        """It takes no connection any more, and runs."""
        signs.demand(lambda: not self.takes_connections(), f"Node {self.node} is silent")
        self._demand_running()

    def sign(self) -> str:
        """When it was last heard of, while it runs."""
        self._demand_running()
        return last_heard_of(self.cluster, self.node)

    def _demand_running(self) -> None:
        if not cast(NetworkSwitch, self.cluster).is_on(self.node):
            raise FaultLostError(f"Node {self.node} should have been cut off, but it does not even run")

    def revert(self) -> None:
        """Plug its cable in."""
        cast(NetworkSwitch, self.cluster).rejoin(self.node)


@dataclass(frozen=True)
class Partitioned(_NodeFault):
    """A Node that is cut off from a part of the network, or hears but is not heard, or the other way round.

    The kernel that drops its packets ends that by itself after `seconds`.

    The cluster must have a switch for that (`capabilities.PARTITION_SWITCH`).

    Attributes:
        away: What it is cut off from, in the cluster's words.
        seconds: How long it lasts at most.
    """

    away: str
    seconds: float
    kind = "node-partitioned"

    def describe(self) -> str:
        """See `Fault`."""
        return f"Node {self.node} is cut off from {self.away}"

    def demand_possible(self) -> None:
        """The cluster has a switch, and the Node can be reached from where it is to be out of reach.

        Raises:
            NotApplicable: It has none.
        """
        with api_of(self.cluster) as api:
            capabilities.require(self.cluster, api, capabilities.PARTITION_SWITCH)
        for other in self._others():
            if not self._partition.reached_from(other):
                raise TrialError(f"{other} cannot reach Node {self.node}, so a partition would not show")

    def inject(self) -> None:
        """Drop its packets."""
        self._partition.cut(self.away, self.seconds)

    def confirm(self) -> None:
        """Only who is to reach it does so, and packets are dropped."""
        node, witness = CONTROL_PLANE, self._others()[-1]
        away = {
            "the control plane": {node: False, witness: True},
            "the other Nodes": {node: True, witness: False},
        }
        for other, reaches in away.get(self.away, {node: False, witness: False}).items():
            said = f"{other} {'reaches' if reaches else 'does not reach'} Node {self.node}"
            signs.demand(lambda o=other, r=reaches: self._partition.reached_from(o) is r, said)  # type: ignore[misc]
        signs.demand(lambda: self._partition.dropped() > 0, "packets are dropped")

    def sign(self) -> str:
        """When it was last heard of, if nothing that it sends can arrive at the control plane."""
        silent = self.away in {CONTROL_PLANE_ONLY, OUTGOING}
        return last_heard_of(self.cluster, self.node) if silent else ""

    def revert(self) -> None:
        """Drop nothing any more."""
        self._partition.mend()

    def _others(self) -> list[str]:
        """The control plane, and another Node that runs."""
        nodes = cast(PartitionSwitch, self.cluster).nodes
        return [CONTROL_PLANE, next(each for each in nodes if each != self.node)]

    @property
    def _partition(self) -> NodePartition:
        return cast(PartitionSwitch, self.cluster).partition(self.node)


@dataclass(frozen=True)
class Cordoned(_NodeFault):
    """A Node that is closed for new Pods."""

    kind = "node-cordoned"

    def describe(self) -> str:
        """See `Fault`."""
        return f"Node {self.node} is cordoned"

    def demand_possible(self) -> None:
        """It is open: whoever has closed it already would find it opened by us."""
        with api_of(self.cluster) as api:
            if api.get(NODE, None, self.node)["spec"].get("unschedulable"):
                raise TrialError(f"Node {self.node} is cordoned already, by somebody else")

    def inject(self) -> None:
        """Close it."""
        self._close(closed=True)

    def confirm(self) -> None:
        """Kubernetes has set a taint of its own."""
        with api_of(self.cluster) as api:
            watch.until(
                api,
                NODE,
                None,
                self.node,
                lambda node: node is not None and CORDONED in taints(node),
                deadlines.FAULT_CONFIRMED,
                lambda _: TrialError(f"the fault did not take: Node {self.node} has no taint {CORDONED}"),
            )

    def revert(self) -> None:
        """Open it."""
        self._close(closed=None)

    def _close(self, *, closed: bool | None) -> None:
        with api_of(self.cluster) as api:
            api.merge(NODE, None, self.node, {"spec": {"unschedulable": closed}})


@dataclass(frozen=True)
class OutOfService(_NodeFault):
    """A Node that is marked as gone for good, as an administrator does who knows that it is without power.

    The mark is a taint, upon which Kubernetes deletes the Node's Pods without waiting for its kubelet; see
    kubernetes.io/docs/concepts/cluster-administration/node-shutdown, "Non-graceful node shutdown handling".
    """

    kind = "node-out-of-service"

    def describe(self) -> str:
        """See `Fault`."""
        return f"Node {self.node} is marked as out of service"

    def demand_possible(self) -> None:
        """It is not marked already: whoever has done so would find the mark gone."""
        if self._marked():
            raise TrialError(f"Node {self.node} is marked as out of service already, by somebody else")

    def inject(self) -> None:
        """Mark it."""
        self._mark({"key": OUT_OF_SERVICE, "value": "nodeshutdown", "effect": "NoExecute"})

    def confirm(self) -> None:
        """The mark is there."""
        signs.demand(self._marked, f"Node {self.node} has the taint {OUT_OF_SERVICE}")

    def revert(self) -> None:
        """Take the mark away."""
        self._mark()

    def confirm_reverted(self) -> None:
        """The mark is gone; the Node itself may be without power still."""
        signs.demand_mended(
            lambda: not self._marked(),
            f"Node {self.node} has no taint {OUT_OF_SERVICE}",
            deadlines.FAULT_CONFIRMED,
        )

    def _marked(self) -> bool:
        with api_of(self.cluster) as api:
            return OUT_OF_SERVICE in taints(api.get(NODE, None, self.node))

    def _mark(self, *taint: Object) -> None:
        with api_of(self.cluster) as api:
            change_taint(api, self.node, OUT_OF_SERVICE, *taint)


def drain(api: Api, node: str) -> None:
    """Evict the Pods of a Node that is cordoned, as `kubectl drain` does.

    Pods that belong to the Node stay: those of DaemonSets, and those of the kubelet's own files.

    Raises:
        ApiError: A disruption budget forbids the eviction of a Pod (status 429).
    """
    there = api.request("GET", POD.path(), query={"fieldSelector": f"spec.nodeName={node}"})
    for pod in there["items"]:
        if not _belongs_to_node(pod):
            request_eviction(api, pod)


def reboot(cluster: Cluster, scene: Scene, pod: Object) -> Incident:
    """Cut the power of a Pod's Node and give it back.

    Returns when the Node is Ready again. That it was off shows in the Pod: its containers start anew, which
    they do for no other reason here.

    Raises:
        CleanupError: The Node did not come back.
    """
    incident = before(scene, pod)
    with injected(PoweredOff(cluster, pod["spec"]["nodeName"])):
        pass
    return replace(incident, struck=scene.recording.mark())


def _belongs_to_node(pod: Object) -> bool:
    owners = {each["kind"] for each in pod["metadata"].get("ownerReferences", ())}
    return bool(owners & {"DaemonSet", "Node"})
