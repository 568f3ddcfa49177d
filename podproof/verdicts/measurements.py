"""What a scenario measured, and the bound that it was measured against."""

from __future__ import annotations

from dataclasses import dataclass

from podproof.verdicts.spread import Spread


@dataclass(frozen=True)
class Measurement:
    """A time that something took.

    Attributes:
        name: What was timed, in the field's terms where they fit: `reaction`, `repair`, `recovery`, `outage`.
        seconds: How long it took; of a scenario that was repeated, the median.
        bound: How long it may take, in seconds; None if nothing bounds it.
        origin: Where the bound comes from.
        samples: What each repetition took, in their order; empty if there was only one.
    """

    name: str
    seconds: float
    bound: float | None = None
    origin: str = ""
    samples: tuple[float, ...] = ()

    @property
    def spread(self) -> Spread:
        """How the samples are spread."""
        return Spread(self.samples or (self.seconds,))

    @property
    def excess(self) -> float:
        """By how many seconds the longest sample exceeded the bound; 0 if none did, or there is no bound."""
        return 0.0 if self.bound is None else max(0.0, self.spread.maximum - self.bound)


class Measurements:
    """Collects what the steps of one scenario measure."""

    def __init__(self) -> None:
        self._taken: list[Measurement] = []

    def add(self, name: str, seconds: float, bound: float | None = None, origin: str = "") -> Measurement:
        """Keep a measurement for the reports.

        Args:
            name: What was timed.
            seconds: How long it took.
            bound: How long it may take, in seconds, if anything says so.
            origin: Where the bound comes from.
        """
        taken = Measurement(name, round(float(seconds), 3), None if bound is None else float(bound), origin)
        self._taken.append(taken)
        return taken

    @property
    def taken(self) -> tuple[Measurement, ...]:
        """All measurements so far, in their order."""
        return tuple(self._taken)
