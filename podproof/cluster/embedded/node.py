"""A Node: a machine with containerd, the kubelet and kube-proxy."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from . import cgroups, containerd, policies
from .gobuild import Components
from .machine import Machine, Program
from .network import DNS_ADDRESS, POD_RANGE, Addresses, pod_range
from .paths import ClusterPaths

if TYPE_CHECKING:
    from .pki import Authority

VICTIM_TAINT = {"key": "podproof.dev/victim", "value": "true", "effect": "NoSchedule"}
"""Keeps everything off the victim Nodes but what asks for one."""

_FILES = "/podproof"
"""Where a Node's configuration is, as the Node sees it."""

_GARBAGE = "400"
"""By how many per cent the heaps of containerd, and of all that it starts, grow until they collect garbage;
Go's own is 100. What starts a Pod are a dozen programs that live for milliseconds, and now end before they
would collect any."""


@dataclass(frozen=True)
class NodeSpec:
    """What a Node is to be.

    Attributes:
        number: From 1.
        victim: Whether Node faults may strike it.
        address: Its IPv4 address.
        api_server: The API server's.
    """

    number: int
    victim: bool
    address: str
    api_server: str

    @property
    def name(self) -> str:
        """The Node's name."""
        return f"node-{self.number}"

    @property
    def pod_range(self) -> str:
        """The addresses of its Pods."""
        return pod_range(self.number)


def specifications(count: int, addresses: Addresses) -> list[NodeSpec]:
    """The Nodes of a cluster of `count`: half of them are victims, if two others are left.

    Not more: when three Nodes or more, and 55 % of a zone, are lost, Kubernetes takes that for a failure of
    its own network and gives up no Pod any more (kube-controller-manager's --unhealthy-zone-threshold and
    --large-cluster-size-threshold), and all victims may be lost at once.
    """
    victims = max(0, min(count // 2, count - 2))
    return [
        NodeSpec(number, number > count - victims, addresses.node(number), addresses.control_plane)
        for number in range(1, count + 1)
    ]


def registration(spec: NodeSpec) -> dict[str, object]:
    """The Node object, made before the kubelet starts so that its Pod addresses are settled by then.

    The kubelet adopts it and fills in the rest; the Node becomes Ready with the kubelet's first report.
    """
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": spec.name,
            "labels": {"podproof.dev/victim": "true"} if spec.victim else {},
        },
        "spec": {
            "podCIDR": spec.pod_range,
            "podCIDRs": [spec.pod_range],
            "taints": [VICTIM_TAINT] if spec.victim else [],
        },
    }


def programs(components: Components, spec: NodeSpec) -> list[Program]:
    """What the Node runs; all but containerd are started once there is an API server to talk to."""
    return [
        policies.program(components, spec.name, spec.api_server),
        Program(
            "containerd",
            [components.command("containerd"), "--config", f"{_FILES}/containerd.toml"],
            {"NOTIFY_SOCKET": f"{_FILES}/containerd.ready", "GOGC": _GARBAGE},
        ),
        Program(
            "kubelet",
            [
                components.command("kubelet"),
                f"--config={_FILES}/kubelet.yaml",
                f"--kubeconfig={_FILES}/kubelet.conf",
                f"--hostname-override={spec.name}",
                f"--node-ip={spec.address}",
            ],
            start_at_boot=False,
        ),
        Program(
            "kube-proxy",
            [
                components.command("kube-proxy"),
                f"--kubeconfig={_FILES}/kube-proxy.conf",
                f"--hostname-override={spec.name}",
                f"--cluster-cidr={POD_RANGE}",
                "--proxy-mode=nftables",
                # The size of the connection table belongs to the whole kernel, not to a network namespace.
                "--conntrack-max-per-core=0",
                "--conntrack-tcp-timeout-established=0s",
                "--conntrack-tcp-timeout-close-wait=0s",
            ],
            start_at_boot=False,
        ),
    ]


def prepare(
    machine: Machine,
    spec: NodeSpec,
    components: Components,
    paths: ClusterPaths,
    authority: "Authority",
    addresses: Addresses,
) -> None:
    """Write the Node's configuration and certificates on its disk."""
    certificate, key = authority.issue(spec.name, client=False, address=spec.address)
    machine.write(f"{_FILES}/kubelet.crt", certificate)
    machine.write(f"{_FILES}/kubelet.key", key, 0o600)
    machine.write(f"{_FILES}/ca.crt", authority.certificate)
    machine.write(
        f"{_FILES}/kubelet.conf", authority.kubeconfig(f"system:node:{spec.name}", "system:nodes"), 0o600
    )
    machine.write(f"{_FILES}/kube-proxy.conf", authority.kubeconfig("system:kube-proxy"), 0o600)
    machine.write(f"{_FILES}/resolv.conf", f"nameserver {addresses.nowhere}\n")
    machine.write(
        f"{_FILES}/kubelet.yaml", yaml.safe_dump(_kubelet(f"/{cgroups.group_of(paths.name)}/{spec.name}"))
    )
    policies.prepare(machine, authority.certificate)
    machine.write(f"{_FILES}/cni/10-podproof.conflist", json.dumps(pod_network(spec)))
    machine.write(
        f"{_FILES}/containerd.toml",
        containerd.configuration(
            components,
            root="/var/lib/containerd",
            state="/run/containerd",
            cni_configuration=f"{_FILES}/cni",
        ),
    )
    for folder in ("var/lib/kubelet", "var/lib/cni", "var/log/pods", "var/log/containers"):
        (machine.disk / folder).mkdir(parents=True, exist_ok=True)


def _kubelet(group: str) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "failSwapOn": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": group,
        "cgroupsPerQOS": True,
        "enforceNodeAllocatable": ["pods"],
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": "cluster.local",
        "resolvConf": f"{_FILES}/resolv.conf",
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        "tlsCertFile": f"{_FILES}/kubelet.crt",
        "tlsPrivateKeyFile": f"{_FILES}/kubelet.key",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{_FILES}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        # All Nodes share this machine's disk, and each would begin to evict when anything fills it.
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        # The images were put there beforehand and cannot always be had again.
        "imageGCHighThresholdPercent": 100,
    }


def pod_network(spec: NodeSpec) -> dict[str, Any]:
    """The CNI configuration of the Node's Pods."""
    return {
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,
                "mtu": 1500,
                "ipam": {
                    "type": "host-local",
                    # Not on the disk: a reboot ends every Pod, and with them what they had reserved.
                    "dataDir": "/run/cni",
                    "ranges": [[{"subnet": spec.pod_range}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}, "backend": "nftables"},
        ],
    }
