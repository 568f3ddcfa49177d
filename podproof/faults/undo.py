"""Undoing faults that were written down, whoever injected them.

Run as ``python -m podproof.faults.undo FILE`` it undoes one: this is what a guard becomes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from podproof.cluster.base import Cluster
from podproof.cluster.selection import ClusterRequest, attach
from podproof.errors import ClusterError, PodproofError
from podproof.faults import journal
from podproof.faults.fault import Fault, restore
from podproof.faults.journal import Entry


def undo(entry: Entry, fault: Fault) -> bool:
    """Revert a fault, make sure of it, and forget it; returns False if somebody else has done so.

    Raises:
        PodproofError: It could not be undone; its entry stays.
    """
    with entry.locked() as exists:
        if not exists:
            return False
        fault.revert()
        fault.confirm_reverted()
        entry.remove()
        return True


def undo_written(entry: Entry) -> bool:
    """Undo what an entry says; see `undo`. A cluster that is gone has taken its faults with it."""
    try:
        cluster = cluster_of(entry)
    except ClusterError:
        if entry.provider == "embedded":
            entry.remove()
            return False
        raise
    from podproof.faults import (  # noqa: F401 - their faults register themselves
        container_endings,
        control_plane,
        inside,
        node_carrier,
        nodes,
        pod_losses,
        pod_network,
        programs,
        set_aside,
        traces,
    )

    return undo(entry, restore(cluster, entry.fault, entry.parameters))


def cluster_of(entry: Entry) -> Cluster:
    """The cluster that an entry is about.

    Raises:
        ClusterError: It is not there.
    """
    if entry.provider == "embedded":
        return attach(ClusterRequest(name=entry.cluster))
    return attach(ClusterRequest(context=entry.context, kubeconfig=Path(entry.kubeconfig)))


def main(path: Path) -> int:
    """Undo one entry; its outcome goes to the log of whoever started this."""
    entry = journal.read(path)
    if entry is None:
        return 0
    try:
        undo_written(entry)
    except PodproofError as error:
        print(f"{entry.describes}: not undone: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
