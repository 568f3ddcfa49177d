"""One measured figure: its samples and its goal."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured.

    Attributes:
        name: What it is.
        unit: ``"s"`` or ``"MiB"``.
        samples: One value for each run.
        goal: The most that the median may be; None if there is no goal.
    """

    name: str
    unit: str
    samples: Sequence[float]
    goal: float | None = None

    @property
    def median(self) -> float:
        """The middle one of the samples."""
        return statistics.median(self.samples)

    def __str__(self) -> str:
        """One line for people."""
        spread = f"{min(self.samples):.2f} to {max(self.samples):.2f}, {len(self.samples)} runs"
        goal = (
            ""
            if self.goal is None
            else f", goal {self.goal:g}{'' if self.median <= self.goal else ' MISSED'}"
        )
        return f"{self.name:<44} {self.median:8.2f} {self.unit:<3} ({spread}{goal})"

    def as_dict(self) -> dict[str, object]:
        """For the file."""
        return {
            "name": self.name,
            "unit": self.unit,
            "median": round(self.median, 3),
            "samples": [round(sample, 3) for sample in self.samples],
            "goal": self.goal,
        }
