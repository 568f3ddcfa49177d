"""The recording: every change of a scenario's objects with its time, and questions about it.

One watch per kind keeps what the server sends. Questions are answered from what was kept, change by change: a
state that lasted a millisecond counts as much as one that lasts, and nothing has to be asked again and again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Self

from podproof.errors import TrialError
from podproof.kube import deadlines, findings, summary
from podproof.kube.changes import GONE, Change, Gap, Mark, Observation, World, server_time
from podproof.kube.client import Api
from podproof.kube.conditions import Condition, Falsified
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import EVENT, POD, RECORDED, Kind, Object, name, uid
from podproof.kube.lateness import event_lateness
from podproof.kube.states import why_not_started
from podproof.kube.watcher import Watcher, version

_LAST_EVENTS = 12  # as many as a reader takes in


class Recording:
    """What happened in one namespace, and to the Nodes, from `start` to `stop`.

    A context manager that starts and stops it. Safe to ask from several threads.

    Attributes:
        watched: What was found to hold at every moment of a span of time, with the seconds of that span.
    """

    def __init__(self, api: Api, namespace: str, kinds: Sequence[Kind] = RECORDED) -> None:
        """Prepare; nothing is watched before `start`."""
        self.namespace = namespace
        self._api = api
        self._changes: list[Change] = []
        self._gaps: list[Gap] = []
        self._news = threading.Condition()
        self._watchers = {kind: self._watcher(kind) for kind in kinds}
        self._concerning: dict[Kind, Callable[[Object], bool]] = {}
        self._started = self.mark()
        self.watched: list[tuple[str, float]] = []

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Start all watches and wait until each has listed what there is and follows what comes.

        Raises:
            TrialError: One did not; the text says which and why.
        """
        self._started = self.mark()
        try:
            self._start(self._watchers)
        except TrialError:
            self.stop()
            raise

    def include(self, kind: Kind, concerning: Callable[[Object], bool]) -> None:
        """Record one more kind from now on, for scenarios that are about it; once it is, this does nothing.

        Args:
            kind: The kind, for example one of the whole cluster.
            concerning: Whether an object is of any concern here; all others are left out.

        Raises:
            TrialError: It cannot be watched.
        """
        if kind in self._watchers:
            return
        self._concerning[kind] = concerning
        self._watchers[kind] = self._watcher(kind)
        self._start({kind: self._watchers[kind]})

    def _start(self, watchers: Mapping[Kind, Watcher]) -> None:
        for watcher in watchers.values():
            watcher.start()
        end = time.monotonic() + deadlines.WATCH_STARTED.patience
        missing = [
            f"{kind.name} ({watcher.trouble or 'no answer'})"
            for kind, watcher in watchers.items()
            if not watcher.watching.wait(end - time.monotonic())
        ]
        if missing:
            raise TrialError(f"cannot watch {', '.join(missing)} within {deadlines.WATCH_STARTED}")

    def stop(self) -> None:
        """End all watches; what was recorded stays and can be asked."""
        for watcher in self._watchers.values():
            watcher.stop()
        for watcher in self._watchers.values():
            watcher.join()

    # Moments and contents.

    def mark(self) -> Mark:
        """This moment."""
        with self._news:
            return Mark(time.monotonic(), datetime.now(UTC), len(self._changes))

    @property
    def started(self) -> Mark:
        """The moment of `start`."""
        return self._started

    @property
    def gaps(self) -> Sequence[Gap]:
        """Spans in which changes may have been missed."""
        with self._news:
            return tuple(self._gaps)

    @property
    def resumed(self) -> int:
        """How often a broken watch was resumed without losing anything."""
        return sum(watcher.resumed for watcher in self._watchers.values())

    def history(self, kind: Kind, name: str | None = None) -> list[Change]:
        """The changes of a kind, or of the objects of one name, in the order of arrival."""
        with self._news:
            return [
                change
                for change in self._changes
                if change.kind == kind and (name is None or change.thing["metadata"]["name"] == name)
            ]

    def world(self, at: Mark | None = None) -> World:
        """What was known at a moment, or is now."""
        with self._news:
            return World.after(self._changes[: at.position if at else None])

    def latest(self, kind: Kind) -> Sequence[Object]:
        """The objects of a kind that exist now, as far as is known."""
        return self.world().all(kind)

    def timeline(self) -> list[dict[str, Any]]:
        """Everything for the evidence: changes (see `Change.as_dict`) and gaps, in the order of time."""
        start = self._started.at
        with self._news:
            rows = [change.as_dict(start) for change in self._changes]
            rows += [
                {
                    "seconds": round(gap.start - start, 3),
                    "until": round(gap.end - start, 3),
                    "kind": gap.kind.name,
                }
                | {"type": "GAP", "summary": "changes may have been missed"}
                for gap in self._gaps
            ]
        return sorted(rows, key=lambda row: row["seconds"])

    def event_lateness(self) -> list[float]:
        """How late each event arrived that tells; see `podproof.kube.lateness`. Seconds."""
        watcher = self._watchers.get(EVENT)
        return event_lateness(self.history(EVENT), tuple(watcher.breaks) if watcher else ())

    # Questions.

    def wait_until(
        self,
        condition: Condition,
        deadline: Deadline,
        since: Mark | None = None,
        counted_from: Mark | None = None,
    ) -> Observation:
        """The first moment, from `since` on, at which a condition holds; waits for it if it has not come.

        It is noted for reports.

        Args:
            condition: What to wait for.
            deadline: How long after `since` it may come.
            since: The moment from which on to look, and from which on time counts; now if None.
            counted_from: The moment from which on time counts, if that is a later one: what podproof itself
                took until a fault was there is no time of the cluster's.

        Raises:
            Falsified: It did not hold in time, or never can any more.
            TrialError: It was not seen in time, but it may have been so: a watch was interrupted, or
                delivered it late, or Pods cannot be started for a reason that lies outside of the claim.
        """
        since = since or self.mark()
        start = counted_from or since
        end = start.at + deadline.patience
        world = self.world(since)
        position, change = since.position, None
        moment = since
        while True:
            if change is None or change.kind in condition.kinds:
                if condition.holds(world):
                    findings.note(condition.describe(), self._told(moment, change, condition.shown(world)))
                    return Observation(moment.at, moment.wall, moment.position, change, world)
                if reason := condition.impossible(world):
                    raise self._falsified(
                        condition.describe(),
                        f"{condition.observed(world)}; it can never be any more: {reason}",
                        deadline,
                        moment,
                    )
            change = self._next(position, end)
            if change is None:
                break
            position += 1
            world.take(change)
            moment = Mark(change.at, change.wall, position)
        self._demand_coverage(condition.kinds, since.at, time.monotonic())
        self._demand_contact(condition.kinds, since.at, time.monotonic())
        self.catch_up(condition.kinds)
        with self._news:
            late = self._changes[position:]
        for change in late:
            world.take(change)
            if condition.holds(world):
                raise TrialError(
                    f"whether it came in time is not known: {condition.describe()}, but the recording had "
                    f"that only {change.at - start.at:.3f} s after the start of a wait for {deadline}"
                )
        for pod in self.latest(POD):
            if obstacle := why_not_started(pod):
                raise TrialError(
                    f"Pod {name(pod)} cannot be started here ({obstacle}), so it is not known whether: "
                    f"{condition.describe()}"
                )
        raise self._falsified(condition.describe(), condition.observed(world), deadline, self.mark())

    def always(
        self, condition: Condition, since: Mark, until: Mark | None = None, expected: str = ""
    ) -> Observation:
        """Check that a condition held at `since` and after every change until `until`; returns the end.

        It is noted for reports.

        Args:
            condition: What must hold.
            since: The first moment.
            until: The last moment; if None now, after making sure that all until now has arrived.
            expected: What a failure says was expected, if not what the condition describes.

        Raises:
            Falsified: It did not hold at some moment.
            TrialError: The recording cannot tell, because changes may have been missed.
        """
        if until is None:
            self.catch_up(condition.kinds)
            until = self.mark()
        self._demand_coverage(condition.kinds, since.at, until.at)
        text = expected or f"all the time: {condition.describe()}"
        world = self.world(since)
        with self._news:
            changes = self._changes[since.position : until.position]
        checked = sum(change.kind in condition.kinds for change in changes)
        moment, change = since, None
        for change in (None, *changes):
            if change is not None:
                world.take(change)
                moment = Mark(change.at, change.wall, moment.position + 1)
                if change.kind not in condition.kinds:
                    continue
            if not condition.holds(world):
                raise self._falsified(
                    text,
                    f"{condition.observed(world)}, {moment.at - since.at:.3f} s after the start of that time",
                    None,
                    moment,
                )
        seconds = until.at - since.at
        at = f"from {since.at - self.started.at:+.3f} s on for {seconds:.3f} s"
        findings.note(text, f"as expected {at}, after each of {checked} changes")
        self.watched.append((text, round(seconds, 3)))
        return Observation(until.at, until.wall, until.position, change, world)

    def never(self, condition: Condition, since: Mark, until: Mark | None = None) -> Observation:
        """Check that a condition did not hold at any moment; see `always`."""
        return self.always(~condition, since, until, f"at no time: {condition.describe()}")

    def _told(self, moment: Mark, change: Change | None, shown: str) -> str:
        """What made a condition hold, and when; then what was there, if that is more."""
        if change is None:
            told = f"so already at {moment.at - self.started.at:+.3f} s"
        else:
            told = change.describe(self.started.at).strip()
        return f"{told}; then {shown}" if shown else told

    def catch_up(self, kinds: Iterable[Kind]) -> None:
        """Wait until all that the server has of these kinds at this moment has been recorded.

        Watches of different kinds run independently: what one shows already another may not have delivered.

        Raises:
            TrialError: The recording did not catch up in time.
        """
        for kind in kinds:
            watcher = self._watchers[kind]
            with self._news:
                before = frozenset(watcher.alive)
            listed = {uid(thing): version(thing) for thing in self._api.list(kind, self.namespace)["items"]}
            if not self._wait_for_versions(watcher, listed, before - listed.keys()):
                raise TrialError(
                    f"the recording of {kind.name} is behind the server for more than "
                    f"{deadlines.WATCH_CAUGHT_UP}" + (f" ({watcher.trouble})" if watcher.trouble else "")
                )

    def _wait_for_versions(self, watcher: Watcher, there: dict[str, str], gone: frozenset[str]) -> bool:
        def arrived() -> bool:
            return watcher.seen.issuperset(there.items()) and watcher.alive.isdisjoint(gone)

        with self._news:
            return self._news.wait_for(arrived, deadlines.WATCH_CAUGHT_UP.patience)

    def _next(self, position: int, end: float) -> Change | None:
        """The change at a position, waiting for it until `end`; None if it did not arrive by then."""
        with self._news:
            if not self._news.wait_for(lambda: len(self._changes) > position, end - time.monotonic()):
                return None
            change = self._changes[position]
        return change if change.at <= end else None

    def _demand_coverage(self, kinds: Iterable[Kind], start: float, end: float) -> None:
        for gap in self.gaps:
            if gap.kind in kinds and gap.start < end and gap.end > start:
                raise TrialError(
                    f"the recording of {gap.kind.name} has a gap of {gap.end - gap.start:.3f} s in the time "
                    "that matters: the server forgot changes before they were delivered"
                )
        for kind in kinds:
            if kind not in self._watchers:
                raise TrialError(f"the recording does not watch {kind.name}")
            if trouble := self._watchers[kind].trouble:
                raise TrialError(f"the recording of {kind.name} is interrupted: {trouble}")

    def _demand_contact(self, kinds: Iterable[Kind], start: float, end: float) -> None:
        """Refuse to say that something did not come in time if it may have come and been delivered late."""
        for kind in kinds:
            for broken, resumed in tuple(self._watchers[kind].breaks):
                if broken < end and resumed > start:
                    raise TrialError(
                        f"the watch of {kind.name} was interrupted for {resumed - broken:.3f} s in the time "
                        "that matters: what came in time may have been delivered late"
                    )

    def _falsified(self, expected: str, observed: str, bound: Deadline | None, moment: Mark) -> Falsified:
        with self._news:
            changes = self._changes[: moment.position]
        last: list[Change] = []
        told: dict[str, str] = {}
        for change in changes:
            words = summary.line(change.thing)
            # A heartbeat, or the hundredth of the same event, tells nothing new.
            if change.type != "MODIFIED" or told.get(uid(change.thing)) != words:
                last.append(change)
            told[uid(change.thing)] = words
        lines = [change.describe(self._started.at) for change in last[-_LAST_EVENTS:]]
        return Falsified(expected, observed, bound, lines)

    # What the watches deliver.

    def _watcher(self, kind: Kind) -> Watcher:
        namespace = self.namespace if kind.namespaced else None
        return Watcher(self._api, kind, namespace, self._take, self._take_list)

    def _take(self, watcher: Watcher, change_type: str, thing: Object) -> None:
        kind = watcher.kind
        stamp = server_time(kind, change_type, thing)
        # Bulky, and of no use to a reader; their times were just read.
        thing["metadata"].pop("managedFields", None)
        thing.setdefault("kind", kind.name)  # the items of a list lack it
        thing.setdefault("apiVersion", kind.api_version)
        concerning = self._concerning.get(kind)
        with self._news:
            if concerning is None or concerning(thing):
                self._changes.append(
                    Change(time.monotonic(), datetime.now(UTC), kind, change_type, thing, stamp)
                )
            watcher.seen.add((uid(thing), version(thing)))
            if change_type in GONE:
                watcher.alive.discard(uid(thing))
            else:
                watcher.alive.add(uid(thing))
            self._news.notify_all()

    def _take_list(self, watcher: Watcher, items: Sequence[Object], gap_start: float | None) -> None:
        with self._news:
            if gap_start is None:
                for thing in items:
                    self._take(watcher, "LISTED", thing)
            else:
                self._gaps.append(Gap(watcher.kind, gap_start, time.monotonic()))
                listed = {uid(thing) for thing in items}
                for thing in self.latest(watcher.kind):
                    if uid(thing) not in listed:
                        self._take(watcher, "VANISHED", dict(thing, metadata=dict(thing["metadata"])))
                watcher.alive &= listed  # those of no concern here vanish without a word
                for thing in items:
                    if (uid(thing), version(thing)) not in watcher.seen:
                        self._take(watcher, "RELISTED", thing)
