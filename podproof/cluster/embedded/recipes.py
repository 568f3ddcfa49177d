"""What is built, from which Go module, at which version."""

from dataclasses import dataclass, field

DEFAULT_KUBERNETES = "1.37.2"
"""The newest Kubernetes that could be had when this version of podproof was made."""

OLDEST_KUBERNETES = (1, 32)
"""Older ones are out of support, and their kubeadm does not know the configuration written here."""


KUBERNETES_COMMANDS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubeadm",
    "kubectl",
)
"""Kubernetes' own commands, as many as a cluster needs."""


@dataclass(frozen=True)
class Patch:
    """What is changed in a file of a Go module that a recipe needs, before that is built.

    Attributes:
        module: The Go module's path; its version is the one that is needed.
        file: The file, relative to the module.
        changes: Each text that is there once, and what is put in its place.
    """

    module: str
    file: str
    changes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Recipe:
    """One Go module, and the commands of it that are wanted.

    Attributes:
        name: What people call it.
        module: The Go module's path.
        version: Its version, without the leading ``v``.
        commands: File name of each command, to the package it is built from.
        ldflags: What is stamped in, for ``go build -ldflags``.
        tags: Build tags.
        cgo: Whether it needs a C compiler; runc does, for its start-up before Go's runtime.
        staging: Whether it replaces modules that its repository stages (Kubernetes does).
        files: Files of the module to keep beside the commands, by the name to keep them under.
        patch: What is changed in a module that it needs.
    """

    name: str
    module: str
    version: str
    commands: dict[str, str]
    ldflags: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    cgo: bool = False
    staging: bool = False
    files: dict[str, str] = field(default_factory=dict)
    patch: Patch | None = None

    @property
    def label(self) -> str:
        """Name and version, for people and for directories."""
        return f"{self.name}-{self.version}"


def kubernetes(version: str) -> Recipe:
    """Kubernetes' own components, stamped as upstream's release build stamps them."""
    major, minor, _ = version.split(".")
    stamp = "k8s.io/component-base/version"
    return Recipe(
        name="kubernetes",
        module="k8s.io/kubernetes",
        version=version,
        commands={name: f"k8s.io/kubernetes/cmd/{name}" for name in KUBERNETES_COMMANDS},
        ldflags=(
            f"-X {stamp}.gitVersion=v{version}",
            f"-X {stamp}.gitMajor={major}",
            f"-X {stamp}.gitMinor={minor}",
            f"-X {stamp}.gitTreeState=clean",
        ),
        staging=True,
    )


AGNHOST = Recipe(
    name="agnhost",
    module="k8s.io/kubernetes",
    version=DEFAULT_KUBERNETES,
    commands={"agnhost": "k8s.io/kubernetes/test/images/agnhost"},
    staging=True,
)
"""Upstream's test image of many servers; of one version, so that every Kubernetes is tried with the same."""

ETCD = Recipe(
    name="etcd",
    module="go.etcd.io/etcd/server/v3",
    version="3.7.3",
    commands={"etcd": "go.etcd.io/etcd/server/v3"},
)

_CONTAINERD = "github.com/containerd/containerd/v2"
CONTAINERD = Recipe(
    name="containerd",
    module=_CONTAINERD,
    version="2.4.2",
    commands={name: f"{_CONTAINERD}/cmd/{name}" for name in ("containerd", "containerd-shim-runc-v2", "ctr")},
    ldflags=(f"-X {_CONTAINERD}/version.Version=v2.4.2",),
)

RUNC = Recipe(
    name="runc",
    module="github.com/opencontainers/runc",
    version="1.5.2",
    commands={"runc": "github.com/opencontainers/runc"},
    tags=("seccomp",),
    cgo=True,
)

_CNI = "github.com/containernetworking/plugins"
CNI_PLUGINS = Recipe(
    name="cni-plugins",
    module=_CNI,
    version="1.9.1",
    commands={
        "ptp": f"{_CNI}/plugins/main/ptp",
        "loopback": f"{_CNI}/plugins/main/loopback",
        "host-local": f"{_CNI}/plugins/ipam/host-local",
        "portmap": f"{_CNI}/plugins/meta/portmap",
    },
)

COREDNS = Recipe(
    name="coredns",
    module="github.com/coredns/coredns",
    version="1.14.6",
    commands={"coredns": "github.com/coredns/coredns"},
)

LOCAL_PATH_PROVISIONER = Recipe(
    name="local-path-provisioner",
    module="github.com/rancher/local-path-provisioner",
    version="0.0.30",
    commands={"local-path-provisioner": "github.com/rancher/local-path-provisioner"},
    files={"local-path-storage.yaml": "deploy/local-path-storage.yaml"},
)

NETWORK_POLICIES = Recipe(
    name="kube-network-policies",
    module="sigs.k8s.io/kube-network-policies",
    version="0.8.0",
    commands={"kube-network-policies": "sigs.k8s.io/kube-network-policies/cmd"},
    patch=Patch(
        "github.com/google/nftables",
        "expr/queue.go",
        (
            (r'[]byte("queue\x00")', r'[]byte("target\x00")'),
            (
                """\
	return netlink.MarshalAttributes([]netlink.Attribute{
		{Type: unix.NFTA_QUEUE_NUM, Data: binaryutil.BigEndian.PutUint16(e.Num)},
		{Type: unix.NFTA_QUEUE_TOTAL, Data: binaryutil.BigEndian.PutUint16(e.Total)},
		{Type: unix.NFTA_QUEUE_FLAGS, Data: binaryutil.BigEndian.PutUint16(uint16(e.Flag))},
	})
""",
                """\
	info := make([]byte, 8)
	binary.NativeEndian.PutUint16(info[0:], e.Num)
	binary.NativeEndian.PutUint16(info[2:], e.Total)
	binary.NativeEndian.PutUint16(info[4:], uint16(e.Flag))
	return netlink.MarshalAttributes([]netlink.Attribute{
		{Type: unix.NFTA_TARGET_NAME, Data: []byte("NFQUEUE\\x00")},
		{Type: unix.NFTA_TARGET_REV, Data: binaryutil.BigEndian.PutUint32(3)},
		{Type: unix.NFTA_TARGET_INFO, Data: info},
	})
""",
            ),
        ),
    ),
)
"""Enforces NetworkPolicies.

nftables has an expression of its own for a queue (``NFT_QUEUE``), which not every kernel knows. So the
rules ask for the target that iptables has (``NETFILTER_XT_TARGET_NFQUEUE`` by ``NFT_COMPAT``; `podproof
doctor` asks for both), with what its ``struct xt_NFQ_info_v3`` holds
(include/uapi/linux/netfilter/xt_NFQUEUE.h).
"""

METRICS_SERVER = Recipe(
    name="metrics-server",
    module="sigs.k8s.io/metrics-server",
    version="0.9.0",
    commands={"metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server"},
    files={
        f"{part}.yaml": f"manifests/base/{part}.yaml"
        for part in ("rbac", "service", "deployment", "apiservice")
    },
)

VEGETA = Recipe(
    name="vegeta",
    module="github.com/tsenart/vegeta/v12",
    version="12.13.0",
    commands={"vegeta": "github.com/tsenart/vegeta/v12"},
)
"""Sends requests at a steady rate, whatever becomes of them, and keeps a record of each."""


def every_recipe(kubernetes_version: str | None) -> tuple[Recipe, ...]:
    """All that is built for a cluster, the longest build first.

    Args:
        kubernetes_version: A full version; None if Kubernetes' own components come from elsewhere.
    """
    return (
        *((kubernetes(kubernetes_version),) if kubernetes_version else ()),
        AGNHOST,
        CONTAINERD,
        COREDNS,
        ETCD,
        METRICS_SERVER,
        NETWORK_POLICIES,
        LOCAL_PATH_PROVISIONER,
        RUNC,
        VEGETA,
        CNI_PLUGINS,
    )
