"""Undoing what killed runners have left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from podproof.cluster.base import Cluster
from podproof.cluster.embedded import state
from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.errors import PodproofError
from podproof.faults import journal, traces
from podproof.faults.journal import Entry
from podproof.faults.service import await_service
from podproof.faults.undo import undo_written
from podproof.kube.client import Api
from podproof.kube.kinds import NODE


def mend(cluster: Cluster, api: Api, node: str) -> None:
    """Undo all that is written down about a Node, and what else may keep it out of service.

    For whoever holds the Node's lock: nobody else's fault can be there rightfully.

    Raises:
        CleanupError: The Node is not in service.
    """
    # The newest first: an older one is not undone for as long as a newer one keeps the Node out of service.
    for entry in reversed(journal.of_cluster(cluster)):
        if entry.target == node:
            undo_written(entry)
    if isinstance(cluster, EmbeddedCluster):
        # Nobody else has anything to do with its Nodes; on a cluster of others we mend what we broke.
        cluster.power_on(node)
        cluster.rejoin(node)
        if api.get(NODE, None, node)["spec"].get("unschedulable"):
            api.merge(NODE, None, node, {"spec": {"unschedulable": None}})
    await_service(api, node)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one fault that was written down.

    Attributes:
        text: It in one line.
        failed: Whether it should have been undone and was not.
    """

    text: str
    failed: bool = False


def clean() -> Iterator[Outcome]:
    """Undo all that is written down here and whose runner is dead; gives the outcome of each.

    Faults first: what a run has made may be on a Node that has to be whole to let go of it.
    """
    folders = (journal.FAULTS, traces.FOLDER)
    own = [journal.of_embedded(name, folder) for folder in folders for name in state.every_name()]
    for directory in (*own, *map(journal.own_directory, folders)):
        for entry in journal.entries(directory):
            if (outcome := _clean(entry)) is not None:
                yield outcome


def _clean(entry: Entry) -> Outcome | None:
    what = f"{entry.describes}, on cluster {entry.cluster}, since {entry.began}"
    if entry.owner_lives:
        return Outcome(
            f"left alone: {what}: process {int(entry.owner[0])} is at it, and undoes it when it ends"
        )
    try:
        # Its guard may be at it, and be done before us.
        return Outcome(f"undone: {what}") if undo_written(entry) else None
    except PodproofError as error:
        return Outcome(f"not undone: {what}: {error}", failed=True)
