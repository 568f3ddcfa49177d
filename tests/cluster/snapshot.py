"""What of this machine a cluster could leave changed."""

import os
from dataclasses import dataclass
from pathlib import Path

import psutil

from podproof.cluster.embedded import cgroups, network, remains, state
from podproof.cluster.embedded.init import KERNEL_SETTINGS
from podproof.cluster.embedded.paths import ClusterPaths, state_directory

FOLDERS = ("/", "/etc", "/mnt", "/opt", "/run", "/run/netns", "/var/lib", "/var/log")
"""Where container runtimes, kubelets, network plugins and Pods commonly leave something."""


@dataclass(frozen=True)
class Machine:
    """The machine at one moment; two of them compare equal if nothing was left.

    Control groups and links of other clusters that run on the machine are left out: they come and go.
    """

    mounts: tuple[str, ...]
    links: frozenset[str]
    groups: frozenset[str]
    files: frozenset[str]
    kernel: tuple[str, ...]

    @classmethod
    def now(cls) -> "Machine":
        """Look at it."""
        return cls(
            mounts=tuple(Path("/proc/self/mounts").read_text().splitlines()),
            links=frozenset(path.name for path in Path("/sys/class/net").iterdir()) - _links_of_others(),
            groups=frozenset(_groups()),
            files=frozenset(_files()),
            kernel=tuple(_kernel_setting(name) for name in KERNEL_SETTINGS),
        )


@dataclass(frozen=True)
class Belongings:
    """What a running cluster consists of, by numbers that the kernel does not use twice at the same time."""

    processes: frozenset[psutil.Process]
    namespaces: frozenset[str]

    @classmethod
    def of(cls, name: str) -> "Belongings":
        """Find the processes of a cluster, those in its containers included, and all their namespaces."""
        psutil.process_iter.cache_clear()  # a number may belong to another process than at an earlier look
        everything = remains.everything(ClusterPaths(name))
        ours = _namespaces_of(os.getpid())
        return cls(
            frozenset(everything),
            frozenset(inode for process in everything for inode in _namespaces_of(process.pid)) - ours,
        )

    def left(self) -> list[str]:
        """Those that still exist."""
        processes = [f"process {each.pid}" for each in self.processes if _is_alive(each)]
        # What is left stays; a second look passes over what another cluster was just starting at the first.
        used = self._used() and self._used()
        return processes + used

    def _used(self) -> list[str]:
        """Which of the namespaces which processes use still."""
        psutil.process_iter.cache_clear()
        using = [
            (process, inode)
            for process in psutil.process_iter(["name"])
            for inode in self.namespaces & _namespaces_of(process.pid)
        ]
        # The kernel gives numbers of namespaces out again, so those of other clusters are no sign of ours.
        # Looked for last, or one that has just started there would be taken for one of ours.
        others = {
            process for name in state.every_name() for process in remains.everything(ClusterPaths(name))
        }
        return [
            f"{inode} of process {user.pid} {user.info['name']}"
            for user, inode in using
            if user not in others and user.is_running() and inode in _namespaces_of(user.pid)
        ]


def _is_alive(process: psutil.Process) -> bool:
    """Whether a process has yet to end; one that init has yet to take note of has ended."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _namespaces_of(pid: int) -> frozenset[str]:
    try:
        return frozenset(os.readlink(link) for link in Path(f"/proc/{pid}/ns").iterdir())  # noqa: PTH115
    except OSError:  # it has ended
        return frozenset()


def _groups() -> list[str]:
    found = []
    for root in cgroups.hierarchies():
        for folder, below, _ in os.walk(root):
            below[:] = [name for name in below if name not in _groups_of_others()]
            found.append(folder)
            if Path(folder).parent == root and not Path(folder).name.startswith(cgroups.group_of("")):
                below.clear()  # what the machine's own services do within their groups
    return found


def _groups_of_others() -> set[str]:
    return {cgroups.group_of(name) for name in state.every_name()}


def _links_of_others() -> set[str]:
    running = [state.read(ClusterPaths(name)) for name in state.every_name()]
    return {network.Addresses(each.index).link for each in running if each}


def _kernel_setting(name: str) -> str:
    file = Path("/proc/sys") / name
    return file.read_text() if file.exists() else ""


def _files() -> set[str]:
    found = {str(path) for folder in FOLDERS if Path(folder).is_dir() for path in Path(folder).iterdir()}
    if state.every_name():  # other clusters come and go, and their directory with them
        found.discard(str(state_directory()))
    return found
