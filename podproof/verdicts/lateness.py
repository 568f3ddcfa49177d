"""How late the recording sees an event: from the time that its sender gives it to its arrival here.

This is an upper bound: the sender needs time of its own to send what it has stamped. And it means something
only where the sender's clock and ours agree, so what cannot be is told as a difference of clocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from podproof.verdicts.spread import Spread

MOST_LIKELY = 1.0
"""Seconds. If even the quickest event took longer, that is the clocks: a cluster that works does not keep
every single event back for so long."""


@dataclass(frozen=True)
class Lateness:
    """How late the recording was, over a whole run.

    Attributes:
        samples: How many events tell.
        spread: How late they were, in seconds; None if that is not known.
        why_unknown: Why it is not known; empty if it is.
    """

    samples: int
    spread: Spread | None
    why_unknown: str = ""

    @classmethod
    def of(cls, milliseconds: Iterable[int]) -> Lateness:
        """Judge the samples of a run."""
        seconds = [each / 1000 for each in milliseconds]
        why = _why_unknown(seconds)
        return cls(len(seconds), None if why else Spread(seconds), why)

    def __str__(self) -> str:
        """One line for people."""
        if self.spread is None:
            return f"not known: {self.why_unknown}"
        late = self.spread
        return (
            f"{late.median:.3f} s late at the median of {self.samples} events, {late.p99:.3f} s at the 99th "
            f"percentile, {late.maximum:.3f} s at most"
        )


def _why_unknown(seconds: Sequence[float]) -> str:
    if not seconds:
        return "no event told its time to the microsecond"
    quickest = min(seconds)
    if quickest < 0:
        return (
            f"the clocks differ: an event arrived {-quickest:.3f} s before the time that its sender gave it"
        )
    if quickest > MOST_LIKELY:
        return f"the clocks differ: the quickest of {len(seconds)} events took {quickest:.3f} s"
    return ""
