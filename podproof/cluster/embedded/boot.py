"""Booting the machines of a cluster that has been laid out."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from podproof.errors import ClusterError
from podproof.kube import watch
from podproof.kube.client import Api
from podproof.kube.kinds import NODE, Object

from . import cgroups, cilium, controlplane, network, node, waits
from .gobuild import Components
from .gotool import last_line
from .machine import Machine
from .paths import ClusterPaths


def pod_routes(specs: Sequence[node.NodeSpec], but: str = "") -> list[network.Route]:
    """The way to the Pods of every Node but one."""
    return [network.Route(spec.pod_range, spec.address) for spec in specs if spec.name != but]


def control_plane(
    paths: ClusterPaths,
    machine: Machine,
    addresses: network.Addresses,
    specs: Sequence[node.NodeSpec],
    components: Components,
) -> None:
    """Boot the control plane's machine; etcd and the API server start by themselves."""
    controlplane.prepare(machine)
    paths.kubeconfigs.mkdir(exist_ok=True)  # shown to the machine now, filled while it boots
    needed = [components.directory(name) for name in ("kubernetes", "etcd")]
    machine.power_on(
        controlplane.programs(components, paths, addresses),
        [*needed, paths.pki, paths.kubeconfigs],
        pod_routes(specs),
    )


def node_machine(
    paths: ClusterPaths,
    machine: Machine,
    spec: node.NodeSpec,
    specs: Sequence[node.NodeSpec],
    components: Components,
) -> None:
    """Boot a Node's machine; returns when its containerd is ready, the kubelet not started yet.

    Raises:
        ClusterError: Its containerd did not start; the text is the last line of its log.
    """
    needed = [components.directory(name) for name in ("kubernetes", "containerd", "runc", "cni-plugins")]
    shared: dict[str, Path] = {}
    if policies := cilium.is_in(components):
        needed.append(components.directory("cilium"))
        shared[cilium.COMPILED] = cilium.compiled_before()
    cgroups.create(paths.name, spec.name)
    ready = machine.ready_socket("containerd")
    routes = pod_routes(specs, but=spec.name)
    machine.power_on(node.programs(components, spec), needed, routes, shared=shared, bpf=policies)
    if policies:
        network.pair(machine.pid, *cilium.INTERFACES)
    if not ready.wait(waits.CONTAINERD_READY.seconds):
        log = machine.logs / "containerd.log"
        raise ClusterError(f"containerd of {spec.name} did not start: {last_line(log.read_text())}")


def start_node(machine: Machine, spec: node.NodeSpec, components: Components) -> None:
    """Start what of a Node needs an API server to talk to."""
    machine.start(*(each.name for each in node.programs(components, spec) if not each.start_at_boot))


def await_node(api: Api, machine: Machine, since: datetime) -> None:
    """Wait until a Node's kubelet has said, after `since`, that the Node is Ready.

    Raises:
        ClusterError: It did not in time; the text is the last line of its log.
    """

    def is_ready(thing: Object | None) -> bool:
        conditions = (thing or {}).get("status", {}).get("conditions", ())
        return any(
            each["type"] == "Ready"
            and each["status"] == "True"
            and datetime.fromisoformat(each["lastHeartbeatTime"]) >= since
            for each in conditions
        )

    def stuck(_: Object | None) -> ClusterError:
        log = machine.logs / "kubelet.log"
        words = last_line(log.read_text(errors="replace")) if log.exists() else "it never started"
        return ClusterError(f"{machine.name} is not Ready within {waits.NODE_READY}; its kubelet: {words}")

    watch.until(api, NODE, None, machine.name, is_ready, waits.NODE_READY, stuck)
