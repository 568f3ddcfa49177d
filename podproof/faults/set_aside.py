"""Nodes of clusters of others that may be broken, set aside for that while a run lasts.

Pods that do not ask for such a Node would suffer with it: those of other scenarios, and new ones of others.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from podproof.cluster.base import Cluster
from podproof.cluster.capabilities import ordinary_nodes
from podproof.cluster.embedded.node import VICTIM_TAINT
from podproof.errors import ClusterError, TrialError
from podproof.faults import journal, signs
from podproof.faults.fault import Fault
from podproof.faults.injected import injected
from podproof.faults.service import api_of, change_taint, taints
from podproof.faults.undo import undo_written
from podproof.kube import deadlines
from podproof.kube.kinds import NODE, name

_MARK = VICTIM_TAINT["key"]
"""The key of the taint, and of the label by which such a Node is chosen."""


@dataclass(frozen=True)
class SetAside(Fault):
    """A Node that takes only Pods that ask for one that may be broken.

    Attributes:
        node: Its name.
    """

    node: str
    kind = "node-set-aside"

    @property
    def target(self) -> str:
        """Its marks: whoever breaks the Node itself leaves them."""
        return f"marks of {self.node}"

    def describe(self) -> str:
        """See `Fault`."""
        return f"Node {self.node} is set aside"

    def demand_possible(self) -> None:
        """It is not marked: whoever has done so would find the mark gone."""
        if self.marks():
            raise TrialError(f"Node {self.node} is set aside already, by somebody else")

    def inject(self) -> None:
        """Mark it."""
        with api_of(self.cluster) as api:
            api.merge(NODE, None, self.node, {"metadata": {"labels": {_MARK: VICTIM_TAINT["value"]}}})
            change_taint(api, self.node, _MARK, VICTIM_TAINT)

    def confirm(self) -> None:
        """The marks are there."""
        signs.demand(lambda: self.marks() == {"label", "taint"}, self.describe())

    def revert(self) -> None:
        """Take the marks away that are there."""
        marks = self.marks()
        with api_of(self.cluster) as api:
            if "taint" in marks:
                change_taint(api, self.node, _MARK)
            if "label" in marks:
                api.merge(NODE, None, self.node, {"metadata": {"labels": {_MARK: None}}})

    def confirm_reverted(self) -> None:
        """They are gone; whether the Node is in service is for others to say."""
        signs.demand_mended(
            lambda: not self.marks(), f"Node {self.node} has no {_MARK}", deadlines.FAULT_CONFIRMED
        )

    def marks(self) -> set[str]:
        """Which marks it has, from whomever: ``"label"``, ``"taint"``; none if there is no such Node."""
        with api_of(self.cluster) as api:
            node = api.find(NODE, None, self.node)
        if node is None:
            return set()
        found = {"taint"} if _MARK in taints(node) else set()
        return found | ({"label"} if _MARK in node["metadata"].get("labels", {}) else set())


@contextmanager
def set_aside(cluster: Cluster) -> Iterator[None]:
    """The Nodes of a cluster of others that may be broken, for as long as a run lasts.

    Those that somebody else has marked are left as they are.

    Raises:
        ClusterError: Another run is at one of them, or no other Node takes Pods.
        PodproofError: One cannot be marked, or not be freed of that again.
    """
    with api_of(cluster) as api:
        others = [
            each
            for each in ordinary_nodes(api.list(NODE, None)["items"])
            if name(each) not in cluster.victims
        ]
    if not others:
        raise ClusterError(
            f"no Node but {', '.join(cluster.victims)} takes any Pod: leave one out of --allow-node-faults"
        )
    with ExitStack() as ends:
        for node in cluster.victims:
            fault = SetAside(cluster, node)
            for entry in journal.of_cluster(cluster):
                if entry.target == fault.target:
                    if entry.owner_lives:
                        raise ClusterError(
                            f"Node {node} is in use by another run, process {int(entry.owner[0])}: "
                            "wait for it, or name another Node"
                        )
                    undo_written(entry)
            if not fault.marks():
                ends.enter_context(injected(fault, deadlines.RUN_LASTS))
        yield
