"""Enforcing NetworkPolicies: Cilium's agent on each Node, chained behind the Pod network that is there.

Addresses, routes and Services are not Cilium's. It puts programs on each Pod's link that drop what a policy
forbids.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from podproof.errors import MachineError
from podproof.kube import watch
from podproof.kube.client import Api
from podproof.kube.kinds import POD, Kind, Object
from podproof.kube.states import is_started

from . import waits
from .catalogue import PAUSE
from .gobuild import Components
from .machine import Machine, Program
from .paths import cache_directory
from .recipes import CILIUM

AGENT = "cilium-agent"
USER = "podproof:cilium"
"""Whom the agents are to the API server."""

CNI_CONFIGURATION = "/run/cni-configuration"
"""Where the agent puts the Pod network's configuration once it can take Pods, and a reboot removes it."""

_FILES = "/podproof/cilium"
INTERFACES = ("cilium_host", "cilium_net")
"""A pair that the agent makes unless it is there; its addresses are part of what is compiled."""

COMPILED = "/var/cache/datapath"
"""Where a Node finds `compiled_before`, and puts what it compiles."""

_CRDS = (
    "v2/ciliumendpoints",
    "v2/ciliumidentities",
    "v2/ciliumloadbalancerippools",
    "v2/ciliumnodes",
    "v2alpha1/ciliuml2announcementpolicies",
    "v2alpha1/ciliumpodippools",
)
"""Those that the agent waits for when its own kinds of policy are off (pkg/k8s/synced/crd.go)."""

_CLANG = ("/usr/lib/llvm-19/bin/clang", "clang-19", "clang")
"""Where a compiler for the datapath may be; Debian's own `clang` is older."""


def is_in(components: Components) -> bool:
    """Whether a cluster of these components enforces NetworkPolicies."""
    return CILIUM.name in components.directories


def compiler() -> Path:
    """The clang that compiles the datapath.

    Raises:
        MachineError: There is none.
    """
    for name in _CLANG:
        if found := shutil.which(name):
            return Path(found).resolve()
    raise MachineError("no clang to compile what enforces NetworkPolicies: apt-get install clang-19")


def compiled_before() -> Path:
    """What Nodes of any cluster have compiled so far; in the cache."""
    directory = cache_directory() / "datapath"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def program(components: Components, node: str) -> Program:
    """The agent of a Node; it needs an API server to talk to."""
    return Program(
        AGENT,
        [components.command(AGENT), "--config", f"{_FILES}/agent.yaml"],
        {
            "K8S_NODE_NAME": node,
            # Its own clang first, see `_COMPILER`.
            "PATH": f"{_FILES}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        },
        start_at_boot=False,
    )


def prepare(
    machine: Machine, components: Components, kubeconfig: str, pod_network: dict[str, Any], gateway: str
) -> None:
    """Write the agent's files on a Node's disk.

    Args:
        machine: The Node's.
        components: Where Cilium is.
        kubeconfig: Reaches the API server as `USER`.
        pod_network: The CNI configuration that Cilium is chained behind.
        gateway: The Node's own address as its Pods see it.
    """
    machine.write(f"{_FILES}/kubeconfig", kubeconfig, 0o600)
    machine.write(f"{_FILES}/agent.yaml", yaml.safe_dump(_configuration(gateway)))
    machine.write(f"{_FILES}/pods.conflist", json.dumps(chained(pod_network)))
    machine.write(f"{_FILES}/clang", _COMPILER.format(clang=compiler(), compiled=COMPILED), 0o755)
    # It writes what it finds out about the kernel among its sources.
    sources = machine.disk / "var/lib/cilium/bpf"
    ignored = shutil.ignore_patterns("tests", "complexity-tests")
    shutil.copytree(components.file(CILIUM.name, "bpf"), sources, ignore=ignored, dirs_exist_ok=True)
    # Where the agent and its plugin meet; as on any Linux, it does not outlive a reboot.
    run = machine.disk / "var/run"
    if not run.is_symlink():
        run.symlink_to("../run")


def install(api: Api, components: Components) -> None:
    """Tell the API server of the agents' kinds and rights."""
    for name in _CRDS:
        _apply(api, _load(components.file(CILIUM.name, "crds") / f"{name}.yaml"))
    _apply(api, {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": USER},
        "rules": _RULES,
    })  # fmt: skip
    _apply(api, {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": USER},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": USER},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": USER}],
    })  # fmt: skip


def compile_ahead(api: Api, components: Components, nodes: Sequence[str]) -> None:
    """Have each Node compile what goes on a Pod's link; else its first Pod ever would wait for that."""
    settings = hashlib.sha256(json.dumps(_configuration("")).encode()).hexdigest()[:8]
    kept = f"{components.directory(CILIUM.name).name}.{settings}"
    marks = {node: compiled_before() / f"{kept}.{node}" for node in nodes}
    cold = [node for node, mark in marks.items() if not mark.exists()]
    for node in cold:
        api.create(POD, "kube-system", _nothing(node))
    for node in cold:
        name = _nothing(node)["metadata"]["name"]
        watch.until(api, POD, "kube-system", name, lambda pod: bool(pod and is_started(pod)), waits.COMPILED)
        api.delete(POD, "kube-system", name)
        marks[node].touch()


def _nothing(node: str) -> Object:
    """A Pod that does nothing, on that Node whatever its taints."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"compile-ahead-{node}"},
        "spec": {
            "nodeName": node,
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "containers": [{"name": "nothing", "image": PAUSE}],
        },
    }


def _apply(api: Api, document: Object) -> None:
    kind: Kind = api.kind(document["apiVersion"], document["kind"])
    api.apply(kind, None, document)


def _load(file: Path) -> Object:
    # Ten times as fast as the one written in Python, where PyYAML has it; these files are long.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: Object = yaml.load(file.read_text(), Loader=loader)  # noqa: S506 - both are safe
    return document


def chained(pod_network: dict[str, Any]) -> dict[str, Any]:
    """Put Cilium behind the plugin that makes the Pod's link."""
    first, *others = pod_network["plugins"]
    return pod_network | {
        "plugins": [first, {"type": "cilium-cni", "chaining-mode": "generic-veth"}, *others]
    }


def _configuration(gateway: str) -> dict[str, Any]:
    return {
        "k8s-kubeconfig-path": f"{_FILES}/kubeconfig",
        "identity-allocation-mode": "crd",
        "ipam": "kubernetes",
        "enable-ipv6": False,
        # It is chained behind the Pod network, which it leaves as it is.
        "cni-chaining-mode": "generic-veth",
        "cni-exclusive": False,
        "read-cni-conf": f"{_FILES}/pods.conflist",
        "write-cni-conf-when-ready": f"{CNI_CONFIGURATION}/10-podproof.conflist",
        "routing-mode": "native",
        "enable-ipv4-masquerade": False,
        "install-iptables-rules": False,
        "kube-proxy-replacement": False,
        # Without all three, the kubelet's probes are blocked as soon as a policy selects the Pod.
        "allow-localhost": "always",
        "enable-endpoint-routes": True,
        "local-router-ipv4": gateway,
        # Nobody looks at these.
        "enable-l7-proxy": False,
        "enable-hubble": False,
        "enable-dynamic-config": False,
        "enable-health-checking": False,
        "enable-endpoint-health-checking": False,
        "enable-cilium-network-policy": False,
        "enable-cilium-clusterwide-network-policy": False,
        "enable-lb-ipam": False,
        "enable-gops": False,
        "enable-monitor": False,
        # Nor at what is told of single packets. The kernel verifies each program anew for each Pod, and
        # without these there is a fifth less of them.
        "bpf-events-drop-enabled": False,
        "bpf-events-policy-verdict-enabled": False,
        "bpf-events-trace-enabled": False,
        "policy-accounting": False,
        "preallocate-bpf-maps": False,
    }


_COMPILER = """\
#!/bin/sh
# Stands in for clang: what any Node has compiled from the same text is not compiled again.
case " $* " in *" -c "*) ;; *) exec "{clang}" "$@" ;; esac
set -eu
# Directories are named after what is in them, which the text itself tells.
name=$({{ "{clang}" --version; printf '%s\\n' "$@" | grep -v '^-I'; "{clang}" "$@" -E -P; }} | sha256sum)
object={compiled}/${{name%% *}}.o
if [ ! -e "$object" ]; then
	new=$(mktemp -p "{compiled}" new.XXXXXXXX)
	trap 'rm -f "$new"' EXIT
	"{clang}" "$@" >"$new"
	mv "$new" "$object"
fi
cat "$object"
"""
"""The agent asks for an object on standard output; compiling takes it most of its start."""

_RULES = [
    {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["get", "list", "watch"]},
    {
        "apiGroups": [""],
        "resources": ["namespaces", "services", "pods", "endpoints", "nodes"],
        "verbs": ["get", "list", "watch"],
    },
    {"apiGroups": [""], "resources": ["nodes/status"], "verbs": ["patch"]},
    {
        "apiGroups": ["apiextensions.k8s.io"],
        "resources": ["customresourcedefinitions"],
        "verbs": ["get", "list", "watch"],
    },
    {"apiGroups": ["cilium.io"], "resources": ["*"], "verbs": ["*"]},
]
"""As in Cilium's own installation, less what is switched off here."""
