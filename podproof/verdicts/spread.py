"""Many samples of one time, told in a few numbers.

A percentile is that of the nearest rank: the smallest sample that at least so many of a hundred do not
exceed. So it was measured and not interpolated, and where there are too few samples to know better (fewer
than 20 for the 95th, fewer than 100 for the 99th) it is the maximum. The median is the usual one: the sample
in the middle, or the mean of the two there.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """How samples, of which there is at least one, are spread."""

    samples: Sequence[float]

    @property
    def minimum(self) -> float:
        """The smallest."""
        return min(self.samples)

    @property
    def median(self) -> float:
        """The one in the middle, to a thousandth."""
        return round(statistics.median(self.samples), 3)

    @property
    def p95(self) -> float:
        """The 95th percentile."""
        return self.percentile(95)

    @property
    def p99(self) -> float:
        """The 99th percentile."""
        return self.percentile(99)

    @property
    def maximum(self) -> float:
        """The largest."""
        return max(self.samples)

    def percentile(self, of_hundred: int) -> float:
        """The smallest sample that at least so many of a hundred do not exceed."""
        rank = math.ceil(of_hundred * len(self.samples) / 100)
        return sorted(self.samples)[max(rank, 1) - 1]
