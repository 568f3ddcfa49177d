"""The record of a steady stream of requests, and what it says: losses, outages, who answered and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from podproof.errors import TrialError

LONGEST_PAUSE = 2.0
"""Seconds for which a client may send nothing where no request is to be lost: a longer pause could hide that.

A machine that is shared stops a process for a second now and then.
"""

STRAYS = 0.05
"""The share of requests that may be lost after an outage without being a part of it.

The kernel keeps in mind for two minutes where a connection went that was never answered. One that is made
from the same port by chance follows it, to whoever is not there any more.
"""
QUIET = 2.0
"""Seconds without a loss after which one may be a stray; where every other is lost, that is no chance."""

_TOLD = 3  # lost requests that a failure shows


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        number: Counted from 0 in the order of sending.
        sent: When it was sent, by the client's clock, in seconds since 1970.
        at: The same moment by the runner's monotonic clock, in seconds; see `Record.uncertainty`.
        took: Seconds until it was answered or given up.
        status: The HTTP status, or 0 if there was no answer.
        error: Why it was lost; ``""`` if it was not.
        answer: The beginning of what came back.
    """

    number: int
    sent: float
    at: float
    took: float
    status: int
    error: str
    answer: str

    @property
    def ok(self) -> bool:
        """Whether it was answered as it should be."""
        return not self.error


@dataclass(frozen=True, slots=True)
class Outage:
    """A span without a request that was answered.

    Attributes:
        start: When the first request was sent that was lost, by the runner's monotonic clock.
        end: When the next one was sent that was answered; if there was none, when the last one was sent.
        lost: How many were lost.
        errors: Why, each reason once, the most frequent first.
    """

    start: float
    end: float
    lost: int
    errors: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """How long it lasted, to the time between two requests."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Impact:
    """The time in which requests were lost, all of them or some.

    Attributes:
        start: When the first request was sent that was lost, by the runner's monotonic clock; or later, when
            what it was lost to began.
        end: When the first one was sent after the last that was lost; if there was none, when that was sent.
        lost: How many were lost.
        sent: How many were sent in that time.
        strays: How many were lost after it; see `STRAYS`.
    """

    start: float
    end: float
    lost: int
    sent: int
    strays: int = 0

    @property
    def seconds(self) -> float:
        """How long it lasted, to the time between two requests."""
        return self.end - self.start

    @property
    def share(self) -> float:
        """The share of the requests of that time that was lost, from 0 to 1."""
        return self.lost / self.sent


@dataclass(frozen=True, slots=True)
class Span:
    """When somebody answered.

    Attributes:
        who: Who answered.
        start: When the first request was sent that it answered, by the runner's monotonic clock.
        end: When the last one was.
        count: How many it answered.
    """

    who: str
    start: float
    end: float
    count: int


@dataclass(frozen=True)
class Record:
    """Requests in the order of sending.

    Attributes:
        requests: Those that have ended; see `demand_whole`.
        interval: Seconds between two requests, as the client was told.
        uncertainty: Seconds by which the times on the runner's clock may be wrong, either way.
    """

    requests: tuple[Request, ...]
    interval: float
    uncertainty: float

    @classmethod
    def of(cls, requests: Sequence[Request], interval: float, uncertainty: float) -> Record:
        """Put requests in order."""
        return cls(tuple(sorted(requests, key=lambda request: request.number)), interval, uncertainty)

    def demand_whole(self, first: int) -> None:
        """Make sure that the record has every request that was sent.

        Args:
            first: The number that it has to begin with.

        Raises:
            TrialError: Some are missing, for example because the client's log was too long to be kept.
        """
        if not self.requests:
            raise TrialError("the client has no record of any request")
        sent = self.requests[-1].number - first + 1
        if len(self.requests) != sent:
            raise TrialError(f"the client's record lacks {sent - len(self.requests)} of {sent} requests")

    def since(self, moment: float) -> Record:
        """Only what was sent after a moment of the runner's monotonic clock for sure; it may be nothing."""
        after = tuple(each for each in self.requests if each.at >= moment + self.uncertainty)
        return Record(after, self.interval, self.uncertainty)

    @property
    def lost(self) -> tuple[Request, ...]:
        """Those that were not answered as they should be."""
        return tuple(each for each in self.requests if not each.ok)

    @property
    def seconds(self) -> float:
        """From the first request to the last."""
        return self.requests[-1].sent - self.requests[0].sent if self.requests else 0.0

    @property
    def longest_pause(self) -> float:
        """The most seconds between two requests, one after the other."""
        return max((after.sent - before.sent for before, after in pairwise(self.requests)), default=0.0)

    def demand_steady(self, longest: float = LONGEST_PAUSE) -> None:
        """Make sure that the client did its part, without which its record says nothing.

        Args:
            longest: Seconds for which it may have sent nothing.

        Raises:
            TrialError: It sent nothing for longer.
        """
        if not self.requests:
            raise TrialError("no request was sent in the time that matters")
        if self.longest_pause > longest + self.interval:
            raise TrialError(
                f"the client sent nothing for {self.longest_pause:.3f} s, although it was to send a request "
                f"every {self.interval:g} s: what would have become of those is not known"
            )

    def outages(self) -> list[Outage]:
        """Every span without a request that was answered, in the order of time."""
        found: list[Outage] = []
        current: list[Request] = []
        for request in self.requests:
            if not request.ok:
                current.append(request)
            elif current:
                found.append(_outage(current, request.at))
                current = []
        if current:
            found.append(_outage(current, current[-1].at))
        return found

    def lost_before(self, moment: float) -> bool:
        """Whether a request was lost for sure before a moment of the runner's monotonic clock.

        One that was under way at that moment was not: it was lost to whatever happened then.
        """
        return any(each.at + each.took < moment - self.uncertainty for each in self.lost)

    def impact(self, since: float) -> Impact | None:
        """The time from the first request that was lost to the last that is no stray; None if none was.

        Args:
            since: When what they were lost to began, by the runner's monotonic clock: those that were under
                way then were not lost earlier, however long they had waited for their answers.
        """
        wrong = [index for index, each in enumerate(self.requests) if not each.ok]
        if not wrong:
            return None
        last = next(index for position, index in enumerate(wrong) if self._is_last(wrong, position))
        end = self.requests[min(last + 1, len(self.requests) - 1)].at
        lost = wrong.index(last) + 1
        start = min(max(self.requests[wrong[0]].at, since), end)
        return Impact(start, end, lost, last - wrong[0] + 1, len(wrong) - lost)

    def recovered(self) -> bool:
        """Whether requests are answered again in the end, but for strays."""
        impact, last = self.impact(self.requests[0].at), self.requests[-1]
        return last.ok or (impact is not None and impact.end < last.at)

    def _is_last(self, wrong: Sequence[int], position: int) -> bool:
        """Whether nothing but strays is lost after the loss at a position."""
        this, later = wrong[position], wrong[position + 1 :]
        if not later:
            return True
        quiet = self.requests[later[0]].at - self.requests[this].at >= QUIET
        return quiet and len(later) <= STRAYS * (len(self.requests) - this - 1)

    def spans(self, who: Callable[[Request], str] = lambda request: request.answer) -> list[Span]:
        """Who answered, in the order of each one's first answer; two may have answered in turns.

        Args:
            who: Given a request that was answered, tells by whom; by default what came back.
        """
        by: dict[str, list[float]] = {}
        for request in self.requests:
            if request.ok:
                by.setdefault(who(request), []).append(request.at)
        return [Span(each, times[0], times[-1], len(times)) for each, times in by.items()]

    def rows(self, start: float) -> list[dict[str, Any]]:
        """For the evidence: plain JSON values, `seconds` counted from `start` on the runner's clock."""
        return [
            {
                "seconds": round(each.at - start, 3),
                "ok": each.ok,
                "took": round(each.took, 3),
                "answer": each.answer if each.ok else each.error,
            }
            for each in self.requests
        ]

    def __str__(self) -> str:
        """What a failure says: how many there were, and the first that were lost."""
        lost = self.lost
        told = f"{len(lost)} of {len(self.requests)} requests in {self.seconds:.1f} s were lost"
        first = self.requests[0].at if self.requests else 0.0
        shown = "; ".join(f"{each.at - first:.2f} s after the first: {each.error}" for each in lost[:_TOLD])
        return f"{told} ({shown}{' ...' if len(lost) > _TOLD else ''})" if lost else told


def _outage(lost: Sequence[Request], end: float) -> Outage:
    errors = Counter(each.error for each in lost)
    return Outage(lost[0].at, end, len(lost), tuple(error for error, _ in errors.most_common()))
