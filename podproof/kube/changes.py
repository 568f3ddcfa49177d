"""What a recording is made of: changes, moments, gaps, and the world as known at a moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from podproof.kube import summary
from podproof.kube.kinds import Kind, Object, name, uid

GONE = frozenset({"DELETED", "VANISHED"})
"""The types of change after which the object does not exist."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a watch delivered.

    Attributes:
        at: Arrival, by the monotonic clock, in seconds.
        wall: Arrival, by the wall clock, UTC.
        kind: The object's kind.
        type: ``"LISTED"`` (was there at the start), ``"ADDED"``, ``"MODIFIED"``, ``"DELETED"``; after a gap
            ``"RELISTED"`` (there again, perhaps changed in between) and ``"VANISHED"`` (no longer there).
        thing: The server's object, without its managedFields.
        server: The newest time of a write that the server gives for it, to the second (Events: microsecond).
    """

    at: float
    wall: datetime
    kind: Kind
    type: str
    thing: Object
    server: datetime | None

    def describe(self, start: float) -> str:
        """One line; `start` is the monotonic time that counts as zero."""
        # An Event's own name is a number; what it is about stands in its summary.
        what = self.kind.name if self.kind.name == "Event" else f"{self.kind.name} {name(self.thing)}"
        return f"{self.at - start:+9.3f} s  {what} {self.type}: {summary.line(self.thing)}"

    def as_dict(self, start: float) -> dict[str, Any]:
        """For the evidence: plain JSON values; `seconds` counts from `start`."""
        facts = summary.facts(self.thing)
        return {
            "seconds": round(self.at - start, 3),
            "arrived": self.wall.isoformat(timespec="milliseconds"),
            "server": self.server.isoformat() if self.server else None,
            "kind": self.kind.name,
            "name": name(self.thing),
            "uid": uid(self.thing),
            "type": self.type,
            "summary": summary.line(self.thing),
        } | ({"facts": facts} if facts else {})


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment in a recording.

    Attributes:
        at: By the monotonic clock, in seconds.
        wall: By the wall clock, UTC.
        position: How many changes had arrived.
    """

    at: float
    wall: datetime
    position: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A span in which changes of a kind may have been missed, because the server forgot them (410 Gone).

    Attributes:
        kind: The kind.
        start: The last moment that is covered, by the monotonic clock.
        end: When the kind was listed again.
    """

    kind: Kind
    start: float
    end: float


@dataclass
class World:
    """What exists, as far as the changes until a moment tell. A `podproof.kube.conditions.View`."""

    _there: dict[Kind, dict[str, Object]] = field(default_factory=dict)
    _gone: dict[Kind, dict[str, Object]] = field(default_factory=dict)

    @classmethod
    def after(cls, changes: Iterable[Change]) -> World:
        """The world after these changes."""
        world = cls()
        for change in changes:
            world.take(change)
        return world

    def take(self, change: Change) -> None:
        """Follow one more change."""
        there = self._there.setdefault(change.kind, {})
        if change.type in GONE:
            there.pop(uid(change.thing), None)
            self._gone.setdefault(change.kind, {})[uid(change.thing)] = change.thing
        else:
            there[uid(change.thing)] = change.thing

    def all(self, kind: Kind) -> Sequence[Object]:
        """The objects of a kind that exist, oldest first as they were first seen."""
        return tuple(self._there.get(kind, {}).values())

    def one(self, kind: Kind, uid: str) -> Object | None:
        """The object of that identity, or None if it does not exist (any more)."""
        return self._there.get(kind, {}).get(uid)

    def gone(self, kind: Kind, uid: str) -> Object | None:
        """The object of that identity as last seen, if it existed and does no more; else None."""
        return self._gone.get(kind, {}).get(uid)


@dataclass(frozen=True, slots=True)
class Observation(Mark):
    """The first moment at which a condition held.

    Attributes:
        change: What made it so; None if it held from the start of the wait.
        world: What was known then.
    """

    change: Change | None
    world: World

    @property
    def server(self) -> datetime | None:
        """The server's own timestamp of the change, where it gives one."""
        return self.change.server if self.change else None


def server_time(kind: Kind, change_type: str, thing: Object) -> datetime | None:
    """The newest timestamp of a write that the server gives, or None if it gives none for this change."""
    if change_type not in {"ADDED", "MODIFIED"}:
        return None  # a deletion has no timestamp, and what was listed is of any age
    if kind.name == "Event":
        series = thing.get("series") or {}
        stamp = (
            series.get("lastObservedTime") or thing.get("eventTime") or thing.get("deprecatedLastTimestamp")
        )
        stamps = [stamp] if stamp else []
    else:
        stamps = [entry["time"] for entry in thing["metadata"].get("managedFields", ()) if "time" in entry]
        stamps.append(thing["metadata"]["creationTimestamp"])
    return max((datetime.fromisoformat(stamp).astimezone(UTC) for stamp in stamps), default=None)
