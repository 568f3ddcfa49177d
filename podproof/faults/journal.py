"""The journal: every fault that can be undone is written down before it is injected.

A cluster that podproof runs has its journal among its own files, which go with it; those of all other
clusters are in the user's own directory. An entry is a file, written whole or not at all, and on its disk
before anything is broken. Who undoes a fault holds the entry's lock; with the fault goes the entry.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import filelock
import platformdirs
import psutil
import tenacity

from podproof.cluster.base import Cluster
from podproof.cluster.embedded.paths import ClusterPaths
from podproof.faults.fault import Fault, Plain

FAULTS = "faults"
"""The folder of faults; there are others, for what is undone likewise."""
_ATTEMPTS = 20


@dataclass(frozen=True)
class Entry:
    """A fault as it is written down.

    Attributes:
        path: Its file.
        fault: The fault's kind.
        target: What it breaks.
        describes: It in words.
        parameters: Its fields.
        provider: The cluster's.
        cluster: The cluster's name.
        kubeconfig: The cluster's.
        context: The cluster's.
        began: When it was written down, in ISO 8601.
        seconds: How long after that it undoes itself.
        owner: The process that injects it, and when that began, in seconds since 1970.
    """

    path: Path
    fault: str
    target: str
    describes: str
    parameters: dict[str, Plain]
    provider: str
    cluster: str
    kubeconfig: str
    context: str
    began: str
    seconds: float
    owner: list[float] = field(default_factory=list)

    @property
    def owner_lives(self) -> bool:
        """Whether the process that injected it still runs."""
        pid, started = self.owner
        with suppress(psutil.Error):
            return psutil.Process(int(pid)).create_time() == started
        return False

    @property
    def exists(self) -> bool:
        """Whether it has not been undone."""
        return self.path.exists()

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Hold its lock; gives whether it is still there."""
        lock = filelock.FileLock(self.path.with_suffix(".lock"))
        try:
            lock.acquire()
        except FileNotFoundError:  # somebody else has undone it, and it was the last one of its directory
            yield False
            return
        try:
            yield self.exists
            if not self.exists:
                self.path.with_suffix(".lock").unlink(missing_ok=True)
        finally:
            lock.release()
            with suppress(OSError):  # not empty, or gone with its cluster
                self.path.parent.rmdir()

    def remove(self) -> None:
        """The fault is undone: forget it, and what its guard may have said."""
        self.path.unlink(missing_ok=True)
        self.path.with_suffix(".log").unlink(missing_ok=True)


def directory_of(cluster: Cluster, folder: str = FAULTS) -> Path:
    """Where a cluster's faults are written down, or what else there is by that name; it may not exist."""
    return of_embedded(cluster.name, folder) if cluster.provider == "embedded" else own_directory(folder)


def of_embedded(name: str, folder: str = FAULTS) -> Path:
    """The same, of the embedded cluster of that name."""
    return ClusterPaths(name).root / folder


def own_directory(folder: str = FAULTS) -> Path:
    """The same, of all clusters that podproof does not run."""
    chosen = os.environ.get("PODPROOF_JOURNAL")
    return (Path(chosen) if chosen else platformdirs.user_state_path("podproof")) / folder


def write(fault: Fault, seconds: float, folder: str = FAULTS) -> Entry:
    """Write a fault down, on the disk, before it is injected.

    Args:
        fault: The fault.
        seconds: After which it undoes itself.
        folder: Where to.
    """
    directory = directory_of(fault.cluster, folder)
    cluster = fault.cluster
    entry = Entry(
        path=directory / f"{fault.kind}-{secrets.token_hex(4)}.json",
        fault=fault.kind,
        target=fault.target,
        describes=fault.describe(),
        parameters=fault.parameters(),
        provider=cluster.provider,
        cluster=cluster.name,
        kubeconfig=str(cluster.kubeconfig),
        context=cluster.context,
        began=datetime.now(UTC).isoformat(timespec="milliseconds"),
        seconds=seconds,
        owner=[os.getpid(), psutil.Process().create_time()],
    )
    data = {name: value for name, value in asdict(entry).items() if name != "path"}
    # Whoever undoes the last fault of a directory removes that, maybe just now.
    tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(FileNotFoundError),
        stop=tenacity.stop_after_attempt(_ATTEMPTS),
        reraise=True,
    )(_store, entry.path, json.dumps(data, indent=2))
    return entry


def _store(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def read(path: Path) -> Entry | None:
    """One entry; None if it has been removed meanwhile, or is none that this version understands."""
    try:
        return Entry(path=path, **json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def entries(directory: Path) -> list[Entry]:
    """All entries of a directory, the oldest first."""
    found = [entry for path in directory.glob("*.json") if (entry := read(path))]
    return sorted(found, key=lambda entry: entry.began)


def of_cluster(cluster: Cluster) -> list[Entry]:
    """The entries about one cluster, the oldest first."""
    return [
        entry
        for entry in entries(directory_of(cluster))
        if (entry.provider, entry.context, entry.kubeconfig)
        == (cluster.provider, cluster.context, str(cluster.kubeconfig))
    ]
