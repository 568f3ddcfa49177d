"""Where the embedded cluster keeps what it builds and what it runs."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import filelock
import platformdirs

from podproof.errors import UsageError

MARK = "PODPROOF_CLUSTER"
"""The environment variable that every process of a cluster carries, by which `down` finds them all."""

_NAME = re.compile(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?")


def cache_directory() -> Path:
    """The user's cache of built components, images and locks; it may be deleted at any time."""
    chosen = os.environ.get("PODPROOF_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("podproof")


def cache_lock(name: str) -> filelock.BaseFileLock:
    """The lock of that name, not taken yet; whoever makes something in the cache holds it meanwhile."""
    locks = cache_directory() / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(locks / f"{name}.lock")


def state_directory() -> Path:
    """The parent of the running clusters' directories, each of which `podproof down` removes.

    A real file system is needed (overlayfs cannot keep its upper layer on another overlay), and
    ``/var/lib`` is where container engines keep theirs.
    """
    return Path(os.environ.get("PODPROOF_STATE", "/var/lib/podproof"))


def check_name(name: str) -> str:
    """Return `name` if it can name a cluster.

    The length keeps the paths of Unix sockets below it within the kernel's 108 bytes.

    Raises:
        UsageError: It cannot; the text says what can.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"a cluster's name is at most 20 of a-z, 0-9 and '-', first a letter, last no '-': "
            f"{name!r} is not"
        )
    return name


@dataclass(frozen=True)
class ClusterPaths:
    """The files of one running cluster.

    Attributes:
        name: The cluster's name.
    """

    name: str

    @property
    def root(self) -> Path:
        """Everything of this cluster that is not in the cache."""
        return state_directory() / self.name

    @property
    def state(self) -> Path:
        """What was started, for the commands that come later."""
        return self.root / "state.json"

    @property
    def pki(self) -> Path:
        """Keys and certificates."""
        return self.root / "pki"

    @property
    def kubeconfigs(self) -> Path:
        """Kubeconfigs of the control plane's components."""
        return self.root / "kubeconfigs"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, for people and for tests."""
        return self.root / "kubeconfig"

    def machine(self, machine: str) -> Path:
        """What belongs to one machine of the cluster."""
        return self.root / "machines" / machine

    def disk(self, machine: str) -> Path:
        """One machine's root directory: its disk, which outlives a power-off."""
        return self.machine(machine) / "disk"

    def unplugged(self, machine: str) -> Path:
        """Is there while one machine's cable is cut."""
        return self.machine(machine) / "unplugged"

    def lock(self) -> filelock.BaseFileLock:
        """Held by whoever starts or stops this cluster; in the cache, so that `down` leaves no file."""
        return cache_lock(f"cluster-{self.name}")
