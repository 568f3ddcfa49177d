"""Booting the machines of a cluster that has been laid out."""

from collections.abc import Callable, Sequence
from datetime import datetime

from podproof.errors import ClusterError
from podproof.kube import watch
from podproof.kube.client import Api
from podproof.kube.kinds import NODE, Object

from . import cgroups, controlplane, network, node, policies, waits
from .flags import with_flags
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
    flags: Sequence[str],
) -> None:
    """Boot the control plane's machine; etcd and the API server start by themselves.

    Args:
        paths: The cluster's files.
        machine: The control plane's.
        addresses: The cluster's.
        specs: Its Nodes.
        components: What there is to run.
        flags: Those that components are to have, as `with_flags` takes them.
    """
    controlplane.prepare(machine)
    paths.kubeconfigs.mkdir(exist_ok=True)  # shown to the machine now, filled while it boots
    needed = [components.directory(name) for name in ("kubernetes", "etcd")]
    machine.power_on(
        with_flags(controlplane.programs(components, paths, addresses), flags),
        [*needed, paths.pki, paths.kubeconfigs],
        pod_routes(specs),
    )


def node_machine(
    paths: ClusterPaths,
    machine: Machine,
    spec: node.NodeSpec,
    specs: Sequence[node.NodeSpec],
    components: Components,
    flags: Sequence[str],
) -> None:
    """Boot a Node's machine; returns when its containerd is ready, the kubelet not started yet.

    Args:
        paths: The cluster's files.
        machine: The Node's.
        spec: What it is to be.
        specs: All Nodes.
        components: What there is to run.
        flags: Those that components are to have, as `with_flags` takes them.

    Raises:
        ClusterError: Its containerd did not start; the text is the last line of its log.
    """
    names = ("kubernetes", "containerd", "runc", "cni-plugins", policies.AGENT)
    needed = [components.directory(name) for name in names]
    cgroups.create(paths.name, spec.name)
    ready = machine.ready_socket("containerd")
    routes = pod_routes(specs, but=spec.name)
    machine.power_on(with_flags(node.programs(components, spec), flags), needed, routes)
    if not ready.wait(waits.CONTAINERD_READY.seconds):
        log = machine.logs / "containerd.log"
        raise ClusterError(f"containerd of {spec.name} did not start: {last_line(log.read_text())}")


def start_node(machine: Machine, spec: node.NodeSpec, components: Components) -> None:
    """Start what of a Node needs an API server to talk to."""
    machine.start(*(each.name for each in node.programs(components, spec) if not each.start_at_boot))


def await_node(
    api: Api, machine: Machine, since: datetime, meanwhile: Callable[[], object] | None = None
) -> None:
    """Wait until a Node's kubelet has said, after `since`, that the Node is Ready.

    Args:
        api: The cluster's.
        machine: The Node's.
        since: Its boot.
        meanwhile: Called every other second; what it raises ends the wait.

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

    watch.until(api, NODE, None, machine.name, is_ready, waits.NODE_READY, stuck, meanwhile)
