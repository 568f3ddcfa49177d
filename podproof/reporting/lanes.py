"""From a timeline's rows to the lanes of its picture: the life of each Pod, and of Nodes that fell ill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

_GONE = frozenset({"DELETED", "VANISHED"})


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which something was in one state.

    Attributes:
        start: Seconds from the start of the recording.
        end: Likewise.
        state: As in `podproof.kube.summary.facts`, but ``"ended"`` for what was being deleted and did end.
        leaving: Whether it was being deleted.
    """

    start: float
    end: float
    state: str
    leaving: bool = False


@dataclass(slots=True)
class Lane:
    """The life of one Pod or Node.

    Attributes:
        kind: ``"Pod"`` or ``"Node"``.
        name: Its name.
        node: The Node that a Pod runs on; empty if it has none, and for a Node.
        spans: Its states, in order, without gaps.
        restarts: When a container of it was started again, in seconds.
        gone: Whether it does not exist any more at the end.
    """

    kind: str
    name: str
    node: str = ""
    spans: list[Span] = field(default_factory=list)
    restarts: list[float] = field(default_factory=list)
    gone: bool = False


@dataclass(slots=True)
class _Life:
    """A lane in the making: since when it has been how."""

    lane: Lane
    since: float
    state: str
    leaving: bool
    restarts: int

    def close(self, at: float) -> None:
        if at > self.since:
            self.lane.spans.append(Span(self.since, at, self.state, self.leaving))
        self.since = at


def lanes(rows: Sequence[dict[str, Any]], end: float) -> list[Lane]:
    """The Pods in the order in which they came, then those of their Nodes that were not Ready at some time.

    Args:
        rows: A timeline, see `podproof.kube.changes.Change.as_dict`, in the order of time.
        end: Until when to draw, in seconds.
    """
    lives: dict[str, _Life] = {}
    for row in rows:
        if "facts" in row and row["kind"] in {"Pod", "Node"}:
            _follow(lives, row)
    for life in lives.values():
        if not life.lane.gone:
            life.close(end)
    every = [life.lane for life in lives.values()]
    used = {lane.node for lane in every if lane.kind == "Pod"}
    ill = [
        lane
        for lane in every
        if lane.kind == "Node" and lane.name in used and any(span.state != "ready" for span in lane.spans)
    ]
    return [lane for lane in every if lane.kind == "Pod"] + ill


def _follow(lives: dict[str, _Life], row: dict[str, Any]) -> None:
    at, facts = row["seconds"], row["facts"]
    state, leaving, restarts = facts["state"], facts.get("leaving", False), facts.get("restarts", 0)
    if leaving and state in {"failed", "succeeded"}:
        state = "ended"  # how a program ends that was told to says nothing
    life = lives.get(row["uid"])
    if life is None:
        life = lives[row["uid"]] = _Life(Lane(row["kind"], row["name"]), at, state, leaving, restarts)
    life.lane.node = facts.get("node") or life.lane.node
    if row["type"] in _GONE:
        life.close(at)
        life.lane.gone = True
        return
    if restarts > life.restarts:
        life.lane.restarts.append(at)
        life.restarts = restarts
    if (state, leaving) != (life.state, life.leaving):
        life.close(at)
        life.state, life.leaving = state, leaving
