"""Ending everything of a cluster, however it was left, and saying what remains."""

import contextlib
import os
import select
import shutil
import signal
import time
from pathlib import Path

import psutil

from podproof.errors import CleanupError

from . import cgroups, daemon, network, state, waits
from .paths import MARK, ClusterPaths, state_directory


def processes(paths: ClusterPaths) -> list[psutil.Process]:
    """Every process that carries the cluster's mark.

    What runs in containers does not carry the mark, but is in the PID namespace of a machine that does or
    below it; the kernel ends it with that machine's process 1.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(MARK) == str(paths.root):
                found.append(process)
    return found


def everything(paths: ClusterPaths) -> set[psutil.Process]:
    """Every process of the cluster, those in its containers included."""
    found = set()
    for process in processes(paths):
        found.add(process)
        with contextlib.suppress(psutil.NoSuchProcess):
            found.update(process.children(recursive=True))
    return found


def end(paths: ClusterPaths) -> None:
    """End every process, remove control groups and files.

    Raises:
        CleanupError: Something could not be removed; it is named.
    """
    running = state.read(paths)
    if running is not None and network.keeper_of(paths) is not None:
        # The kernel would remove it too, but some time after the last process.
        network.unplug_host(network.Addresses(running.index))
    _end_processes(paths)
    groups = cgroups.remove(paths.name)
    if groups:
        raise CleanupError(
            f"control groups of cluster {paths.name} cannot be removed: {', '.join(map(str, groups))}"
        )
    if paths.root.exists():
        _remove_files(paths.root)
    with contextlib.suppress(OSError):  # other clusters may be in it
        state_directory().rmdir()


def _end_processes(paths: ClusterPaths) -> None:
    deadline = time.monotonic() + waits.END_SECONDS
    # A process may have started another between the look and the kill: look until there is none.
    while left := processes(paths):
        if time.monotonic() > deadline:
            names = ", ".join(f"{each.pid} {each.name()}" for each in left)
            raise CleanupError(f"processes of cluster {paths.name} do not end: {names}")
        descriptors = []
        for process in left:
            with contextlib.suppress(ProcessLookupError, psutil.Error):
                descriptor = os.pidfd_open(process.pid)
                descriptors.append(descriptor)
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        for descriptor in descriptors:
            select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            os.close(descriptor)
        for process in left:
            daemon.reap(process.pid)


def _remove_files(root: Path) -> None:
    try:
        shutil.rmtree(root)
    except OSError as error:
        raise CleanupError(f"{error.filename} cannot be removed: {error.strerror}") from error
