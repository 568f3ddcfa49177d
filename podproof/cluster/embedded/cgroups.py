"""Control groups of the cluster's Nodes, on version 1 hierarchies and on version 2."""

import contextlib
import os
from pathlib import Path

_MOUNT = Path("/sys/fs/cgroup")
_V2_CONTROLLERS = ("cpu", "cpuset", "memory", "pids", "io", "hugetlb")


def unified() -> bool:
    """Whether this machine has version 2 alone."""
    return (_MOUNT / "cgroup.controllers").exists()


def hierarchies() -> list[Path]:
    """The root of each hierarchy, or the one of version 2."""
    if unified():
        return [_MOUNT]
    mounted = []
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, target, kind, *_ = line.split()
        if kind in {"cgroup", "cgroup2"}:
            mounted.append(Path(target))
    return mounted


def group_of(cluster: str) -> str:
    """The name of a cluster's group in each hierarchy."""
    return f"podproof-{cluster}"


def create(cluster: str, node: str) -> None:
    """Make the Node's group in every hierarchy."""
    group = group_of(cluster)
    for root in hierarchies():
        parent = root
        for name in (group, node):
            if unified():
                _pass_controllers_down(parent)
            below = parent / name
            below.mkdir(exist_ok=True)
            # A new cpuset is empty, and nothing can run in it until it has what its parent has.
            for file in ("cpuset.cpus", "cpuset.mems"):
                if not unified() and (below / file).exists():
                    (below / file).write_text((parent / file).read_text())
            parent = below


def remove(cluster: str, node: str = "") -> list[Path]:
    """Remove the groups of a cluster, or of one Node, and return those that could not be removed.

    Only groups without processes can be.
    """
    left = []
    for root in hierarchies():
        top = root / group_of(cluster) / node
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                Path(folder).rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                left.append(Path(folder))
    return left


def present(cluster: str) -> list[Path]:
    """The cluster's groups that exist."""
    return [path for root in hierarchies() if (path := root / group_of(cluster)).exists()]


def _pass_controllers_down(parent: Path) -> None:
    available = (parent / "cgroup.controllers").read_text().split()
    for name in _V2_CONTROLLERS:
        if name in available:
            with contextlib.suppress(
                OSError
            ):  # some need a kernel option, and the kubelet says which it misses
                (parent / "cgroup.subtree_control").write_text(f"+{name}")
