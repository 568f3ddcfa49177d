"""What a recording is asked: small conditions that compose with ``&``, ``|`` and ``~``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from podproof.errors import TrialError
from podproof.kube import findings
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import Kind, Object


class View(Protocol):
    """What the recording knew at one moment."""

    def all(self, kind: Kind) -> Sequence[Object]:
        """The objects of a kind that exist, oldest first as they were first seen."""

    def one(self, kind: Kind, uid: str) -> Object | None:
        """The object of that identity, or None if it does not exist (any more)."""

    def gone(self, kind: Kind, uid: str) -> Object | None:
        """The object of that identity as last seen, if it existed and does no more; else None."""


class Falsified(AssertionError):  # noqa: N818 - not an error of podproof: the cluster's answer is no
    """The cluster did something else than the sentence says.

    Attributes:
        expected: What should have been.
        observed: What was instead.
        bound: How long it could take, with the origin of that number; None if time plays no part.
        last_events: The last changes that were seen before, one line each, oldest first.
    """

    def __init__(
        self,
        expected: str,
        observed: str,
        bound: Deadline | None = None,
        last_events: Sequence[str] = (),
    ) -> None:
        """Put the parts into words that a stranger understands."""
        self.expected = expected
        self.observed = observed
        self.bound = bound
        self.last_events = tuple(last_events)
        lines = [f"expected: {expected}", f"observed: {observed}"]
        if bound is not None:
            lines.append(f"bound:    {bound}, because {bound.reason}")
        if last_events:
            lines.append("last events:")
            lines += [f"  {event}" for event in last_events]
        super().__init__("\n".join(lines))


def demand(holds: bool, expected: str, observed: str = "", *, otherwise: str = "") -> None:
    """Say that the sentence is false unless something holds, and note what held.

    Args:
        holds: Whether the cluster did as the sentence says.
        expected: What should be.
        observed: What is, in words that are true either way: reports have them if it holds, too.
        otherwise: What is if it does not hold, where only that takes words.

    Raises:
        Falsified: It does not hold.
    """
    if not holds:
        raise Falsified(expected, otherwise or observed)
    findings.note(expected, observed or "as expected")


@contextmanager
def preparing(what: str) -> Iterator[None]:
    """Mark what podproof does for the trial: where that fails, no sentence is false, the trial has failed.

    Args:
        what: What is done, to go after "preparing the trial failed: ".

    Raises:
        TrialError: In place of `Falsified`, with its text.
    """
    try:
        with findings.of_preparations():
            yield
    except Falsified as error:
        raise TrialError(f"preparing the trial failed: {what}\n{error}") from error


class Condition(ABC):
    """Something that holds, or not, of what is known at one moment."""

    @property
    @abstractmethod
    def kinds(self) -> frozenset[Kind]:
        """The kinds that it looks at: a gap in the recording of any other is of no matter to it."""

    @abstractmethod
    def holds(self, view: View) -> bool:
        """Whether it holds now."""

    @abstractmethod
    def describe(self) -> str:
        """What it demands, to go after "expected: "."""

    @abstractmethod
    def observed(self, view: View) -> str:
        """What is there now, in its own terms, to go after "observed: "."""

    @property
    def several(self) -> bool:
        """Whether it looks at several objects, so that one change alone does not show that it holds."""
        return False

    def shown(self, view: View) -> str:
        """What there is when it holds, if the last change does not tell all of it; else nothing."""
        return self.observed(view) if self.several else ""

    def impossible(self, view: View) -> str | None:
        """Why it can never hold any more, or None while it still may."""
        del view
        return None

    def __and__(self, other: Condition) -> Condition:
        """Both."""
        return _Every((self, other))

    def __or__(self, other: Condition) -> Condition:
        """At least one."""
        return _Some((self, other))

    def __invert__(self) -> Condition:
        """The opposite."""
        return _Not(self)


@dataclass(frozen=True)
class _Every(Condition):
    parts: tuple[Condition, ...]

    @property
    def kinds(self) -> frozenset[Kind]:
        return frozenset().union(*(part.kinds for part in self.parts))

    def holds(self, view: View) -> bool:
        return all(part.holds(view) for part in self.parts)

    def describe(self) -> str:
        return " and ".join(part.describe() for part in self.parts)

    def observed(self, view: View) -> str:
        return " and ".join(_unique(part.observed(view) for part in self.parts if not part.holds(view)))

    def shown(self, view: View) -> str:
        return " and ".join(_unique(part.shown(view) for part in self.parts))

    def impossible(self, view: View) -> str | None:
        return next((why for part in self.parts if (why := part.impossible(view))), None)


@dataclass(frozen=True)
class _Some(Condition):
    parts: tuple[Condition, ...]

    @property
    def kinds(self) -> frozenset[Kind]:
        return frozenset().union(*(part.kinds for part in self.parts))

    def holds(self, view: View) -> bool:
        return any(part.holds(view) for part in self.parts)

    def describe(self) -> str:
        return " or ".join(part.describe() for part in self.parts)

    def observed(self, view: View) -> str:
        return " and ".join(_unique(part.observed(view) for part in self.parts))

    def impossible(self, view: View) -> str | None:
        reasons = [part.impossible(view) for part in self.parts]
        return " and ".join(reason for reason in reasons if reason) if all(reasons) else None


@dataclass(frozen=True)
class _Not(Condition):
    part: Condition

    @property
    def kinds(self) -> frozenset[Kind]:
        return self.part.kinds

    def holds(self, view: View) -> bool:
        return not self.part.holds(view)

    def describe(self) -> str:
        return f"not: {self.part.describe()}"

    def observed(self, view: View) -> str:
        return self.part.observed(view)


@dataclass(frozen=True)
class Check(Condition):
    """A condition made of functions, for what is asked in one place only.

    Attributes:
        text: What it demands.
        looks_at: The kinds that the functions look at.
        test: Whether it holds.
        tell: What is there.
        several: See `Condition.several`.
    """

    text: str
    looks_at: frozenset[Kind]
    test: Callable[[View], bool]
    tell: Callable[[View], str]
    several: bool = False

    @property
    def kinds(self) -> frozenset[Kind]:
        """See `looks_at`."""
        return self.looks_at

    def holds(self, view: View) -> bool:
        """See `test`."""
        return self.test(view)

    def describe(self) -> str:
        """See `text`."""
        return self.text

    def observed(self, view: View) -> str:
        """See `tell`."""
        return self.tell(view)


def _unique(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text))
