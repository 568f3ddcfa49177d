"""Taking turns between processes: whoever comes takes any lock that is free, or waits for the first to be."""

from __future__ import annotations

import fcntl
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

import platformdirs

from podproof.cluster.base import Cluster

Held = tuple[Path, TextIO]


class NoneFreeError(Exception):
    """No lock became free in time."""


def of_node(cluster: Cluster, node: str) -> Path:
    """The lock of a Node, held by whoever may break it.

    It goes with the cluster's own directory; of a cluster of others it is among the user's own files.
    """
    if cluster.provider == "embedded":
        return cluster.kubeconfig.parent / f"{node}.lock"
    directory = platformdirs.user_state_path("podproof") / "locks"
    directory.mkdir(parents=True, exist_ok=True)
    return directory / f"{quote(cluster.context, safe='')}-{node}.lock"


def of_spare(cluster: Cluster) -> Path:
    """The lock of a cluster's spare one, held by whoever breaks that one's control plane."""
    return cluster.kubeconfig.parent / "spare.lock"


@contextmanager
def any_free(files: Sequence[Path], patience: float = 0) -> Iterator[Path]:
    """Hold the lock of one of some files; gives that file.

    The kernel lets go of a lock when its holder ends, whatever ends it, and wakes who waits for it.

    Args:
        files: One for each lock, made if need be; the first ones are preferred.
        patience: Seconds to wait for the first that becomes free; 0 not to wait at all.

    Raises:
        NoneFreeError: None became free in time.
    """
    taken = _try_each(files) or (_wait_for_each(files, patience) if patience else None)
    if taken is None:
        raise NoneFreeError
    with taken[1]:
        yield taken[0]


def _try_each(files: Sequence[Path]) -> Held | None:
    for file in files:
        with ExitStack() as undo:
            opened = undo.enter_context(file.open("w"))
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            undo.pop_all()
            return file, opened
    return None


def _wait_for_each(files: Sequence[Path], patience: float) -> Held | None:
    """Wait for every lock at once, in a thread for each; the first is kept."""
    decided = threading.Lock()
    won: queue.SimpleQueue[Held] = queue.SimpleQueue()

    def wait_for(file: Path) -> None:
        with ExitStack() as undo:
            opened = undo.enter_context(file.open("w"))
            fcntl.flock(opened, fcntl.LOCK_EX)
            # Nobody can call off a wait for a lock: a thread that comes too late gives it back at once.
            if decided.acquire(blocking=False):
                undo.pop_all()
                won.put((file, opened))

    for file in files:
        threading.Thread(target=wait_for, args=(file,), name=f"wait for {file.name}", daemon=True).start()
    try:
        return won.get(timeout=patience)
    except queue.Empty:
        return None if decided.acquire(blocking=False) else won.get()
    except BaseException:  # Ctrl-C: whoever wins from now on gives it back
        if not decided.acquire(blocking=False):
            won.get()[1].close()
        raise
