"""What this machine lacks for an embedded cluster, and the command that mends it."""

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from podproof.errors import MachineError, PodproofError

from . import cgroups, gobuild, gotool, images, netfilter, recipes
from .gotool import last_line
from .paths import cache_directory, state_directory

NO_ROOT_OR_LINUX = (
    "the embedded cluster needs root on Linux: run as root (sudo), "
    "or use a cluster that you have: pytest features/ --context NAME"
)

BUILD_DISK_GIB = 10.0
"""Free disk that a first build takes: Go's caches 6 GiB, components and images 2 GiB, and room."""

RUN_DISK_GIB = 1.0
"""Free disk that a cluster takes: logs, etcd, what its Pods write."""

RUN_MEMORY_GIB = 2.0
"""Memory that an idle cluster of four Nodes takes, twice over: it takes 1 GiB."""


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Attributes:
        what: What was looked at.
        found: What was found.
        remedy: The command or the step that mends it; empty if nothing lacks.
    """

    what: str
    found: str
    remedy: str = ""

    @property
    def well(self) -> bool:
        """Whether nothing lacks."""
        return not self.remedy


INOTIFY_OF_CONTROL_PLANE, INOTIFY_OF_NODE, INOTIFY_OF_PODS = 13, 8, 20
"""Inotify instances that a control plane and a Node were seen to take, and room for what Pods take."""


def require_root() -> None:
    """Refuse to touch anything without the rights to do it.

    Raises:
        MachineError: This is not root on Linux; the text says both ways to go on.
    """
    if platform.system() != "Linux" or os.geteuid() != 0:
        raise MachineError(NO_ROOT_OR_LINUX)


def require(kubernetes_version: str, nodes: int, *, components: str = gobuild.BUILD) -> None:
    """Refuse to start anything on a machine that lacks something; see `examine`.

    Raises:
        MachineError: Something lacks; the text names the first thing and how many more there are.
    """
    findings = examine(kubernetes_version, nodes, components=components)
    lacking = [finding for finding in findings if not finding.well]
    if lacking:
        first = lacking[0]
        more = f" (and {len(lacking) - 1} more: podproof doctor)" if len(lacking) > 1 else ""
        raise MachineError(f"{first.what}: {first.found}: {first.remedy}{more}")


def examine(kubernetes_version: str, nodes: int, *, components: str = gobuild.BUILD) -> Iterator[Finding]:
    """Look at everything that an embedded cluster needs; stops early where the rest cannot be looked at.

    Args:
        kubernetes_version: The cluster's.
        nodes: How many Nodes it has; none where one only builds for it.
        components: Where Kubernetes' own come from: ``build``, ``release`` or a directory.
    """
    system, machine = platform.system(), platform.machine()
    if system != "Linux" or os.geteuid() != 0:
        yield Finding("root on Linux", f"user {os.geteuid()} on {system}", NO_ROOT_OR_LINUX)
        return
    yield Finding("root on Linux", "yes")
    known = machine in {"x86_64", "aarch64"}
    yield Finding(
        "processor", machine, "" if known else "a machine with an x86_64 or aarch64 processor is needed"
    )
    yield _tools()
    yield _namespaces()
    yield _overlay()
    yield _network()
    yield _queue()
    yield _cgroups()
    if nodes:
        yield _inotify(nodes)
    yield Finding("Kubernetes", f"{kubernetes_version}, components from {components}")
    needed = recipes.every_recipe(kubernetes_version if components == gobuild.BUILD else None)
    building = bool(gobuild.missing(needed)) if _has_go() else True
    if building:
        yield _go()
        yield _compiler()
        yield _image_tools()
    yield _disk(building)
    yield _memory()


def _lacking(packages: Mapping[str, str]) -> dict[str, str]:
    """Those of the tools that are not installed, each with its package."""
    return {tool: package for tool, package in packages.items() if not shutil.which(tool)}


def _tools() -> Finding:
    needed = {"unshare": "util-linux", "mount": "mount", "nft": "nftables", "ip": "iproute2"}
    if lacking := _lacking(needed):
        return Finding("tools", f"no {', '.join(lacking)}", f"apt-get install {' '.join(lacking.values())}")
    return Finding("tools", ", ".join(needed))


def _trial(what: str, script: str, remedy: str) -> Finding:
    """Try something in namespaces of its own, where it leaves nothing."""
    with tempfile.TemporaryDirectory(prefix="podproof-doctor-") as scratch:
        try:
            done = subprocess.run(
                ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--",
                 "sh", "-ec", script],
                cwd=scratch, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except FileNotFoundError:
            return Finding(what, "no unshare to try it with", "apt-get install util-linux")
    if done.returncode:
        return Finding(what, last_line(done.stderr), remedy)
    return Finding(what, "works")


def _namespaces() -> Finding:
    return _trial(
        "namespaces",
        "true",
        "a kernel with PID, mount, network, IPC and UTS namespaces is needed, and CAP_SYS_ADMIN",
    )


def _overlay() -> Finding:
    where = state_directory()
    nearest = next(path for path in (where, *where.parents) if path.exists())
    script = (
        f'd=$(mktemp -d -p "{nearest}"); trap \'rm -rf "$d"\' EXIT; mkdir "$d/l" "$d/u" "$d/w" "$d/m"; '
        'mount -t overlay overlay -o "lowerdir=$d/l,upperdir=$d/u,workdir=$d/w" "$d/m"; umount "$d/m"'
    )
    return _trial(
        f"overlayfs on {nearest}",
        script,
        "modprobe overlay, or set PODPROOF_STATE to a directory on ext4, XFS or btrfs",
    )


def _network() -> Finding:
    script = (
        "ip link add podproof type bridge; ip link add one type veth peer name two; "
        "nft add table inet t; nft add chain inet t c '{ type nat hook prerouting priority 0; }'"
    )
    return _trial("bridge, veth and nftables", script, "modprobe -a bridge veth nf_tables nft_chain_nat")


def _queue() -> Finding:
    """NetworkPolicies are enforced by a program that packets wait for."""
    what = "packets held back for NetworkPolicies"
    if why := netfilter.why_no_queue():
        return Finding(what, why, "modprobe -a nft_compat xt_NFQUEUE nfnetlink_queue")
    return Finding(what, "works")


def _cgroups() -> Finding:
    if cgroups.unified():
        available = (Path("/sys/fs/cgroup") / "cgroup.controllers").read_text().split()
    else:
        available = [name for path in cgroups.hierarchies() for name in path.name.split(",")]
    lacking = [name for name in ("cpu", "cpuset", "memory", "pids") if name not in available]
    version = "version 2" if cgroups.unified() else "version 1"
    if lacking:
        return Finding(
            "control groups", f"{version} without {', '.join(lacking)}", "mount or enable these controllers"
        )
    return Finding("control groups", version)


def _inotify(nodes: int) -> Finding:
    """A kubelet that gets no inotify instance ends at once, and does so for good."""
    limit = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
    taken = sum(1 for fd in Path("/proc").glob("[0-9]*/fd/*") if _is_inotify(fd))
    needed = INOTIFY_OF_CONTROL_PLANE + INOTIFY_OF_NODE * nodes + INOTIFY_OF_PODS
    found = f"{limit - taken} of {limit} free, {needed} needed"
    if limit - taken >= needed:
        return Finding("inotify instances", found)
    remedy = f"sysctl -w fs.inotify.max_user_instances={max(1024, 2 * limit)}, or stop another cluster"
    return Finding("inotify instances", found, remedy)


def _is_inotify(descriptor: Path) -> bool:
    try:
        return str(descriptor.readlink()) == "anon_inode:inotify"
    except OSError:  # its process has ended
        return False


def _has_go() -> bool:
    try:
        gotool.find()
    except PodproofError:
        return False
    return True


def _go() -> Finding:
    try:
        go = gotool.find()
    except PodproofError as error:
        return Finding("Go", "none that can build", str(error))
    return Finding("Go", f"{'.'.join(map(str, gotool.version_of(go)))} at {go}")


def _compiler() -> Finding:
    """Runc alone needs a C compiler and libseccomp."""
    lacking = list(_lacking({"gcc": "gcc", "pkg-config": "pkg-config"}).values())
    if not lacking:
        found = subprocess.run(
            ["pkg-config", "--exists", "libseccomp"],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        lacking = ["libseccomp-dev"] if found.returncode else []
    if lacking:
        return Finding(
            "C compiler for runc",
            f"no {', '.join(lacking)}",
            f"apt-get install {' '.join(lacking)} libc6-dev",
        )
    return Finding("C compiler for runc", "gcc and libseccomp")


def _image_tools() -> Finding:
    """Images are put together from Debian's packages, unless they are pulled."""
    what = "images"
    try:
        sources = images.sources()
    except PodproofError as error:
        return Finding(what, "undecided", str(error))
    lacking = [tool for tool in ("apt-get", "apt-cache", "dpkg-deb") if not shutil.which(tool)]
    if lacking and sources == (images.BUILD,):
        return Finding(what, f"no {', '.join(lacking)}", "PODPROOF_IMAGES=pull pulls them")
    return Finding(what, " or ".join(sources))


def _disk(building: bool) -> Finding:
    needs = [(state_directory(), RUN_DISK_GIB, "a cluster")]
    if building:
        needs.insert(0, (cache_directory(), BUILD_DISK_GIB, "the first build"))
    for path, wanted, purpose in needs:
        nearest = next(parent for parent in (path, *path.parents) if parent.exists())
        free = psutil.disk_usage(str(nearest)).free / 2**30
        if free < wanted:
            return Finding(
                "free disk",
                f"{free:.1f} GiB at {nearest}",
                f"free {wanted:.0f} GiB there: {purpose} takes as much",
            )
    return Finding("free disk", "enough")


def _memory() -> Finding:
    free = psutil.virtual_memory().available / 2**30
    if free < RUN_MEMORY_GIB:
        return Finding(
            "free memory", f"{free:.1f} GiB", f"free {RUN_MEMORY_GIB:.0f} GiB: stop other programs"
        )
    return Finding("free memory", f"{free:.1f} GiB")
