"""The processes that undo faults, as the tests look for them."""

from __future__ import annotations

import psutil

from podproof.cluster.base import Cluster
from podproof.faults import journal


def guards(cluster: Cluster) -> list[psutil.Process]:
    """The processes that would undo a fault of this cluster."""
    folder = str(journal.directory_of(cluster))
    found = []
    for process in psutil.process_iter():
        try:
            if any(word.startswith(folder) for word in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found
