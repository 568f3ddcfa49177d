"""Whether times of recovery differ by more than noise.

Each time is tested by the two-sided exact test of Mann and Whitney, which asks nothing of how times are
spread; all tests of one comparison are taken together by Holm's method, so that a comparison of a version
with itself finds anything once in a hundred, whatever the number of tests. What is found must also be worth
telling: see `WORTH_RATIO` and `WORTH_SECONDS`.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ERROR_RATE = 0.01
"""How often a comparison of equals may find a difference: six versions make five comparisons, so a matrix of
equals is clean 95 times in a hundred even if every difference were worth telling."""

WORTH_RATIO = 1.25
"""Medians that differ by less are not worth anybody's time: a Pod's start alone varies as much."""

WORTH_SECONDS = 0.25
"""Nor are differences below a quarter of a second: on the embedded cluster events are seen within 0.1 s, and
a busy machine delays both ends."""

NAMES = ("recovery", "outage")
"""The measurements that are compared, by the first word of their names. A reaction and a repair are parts of
a recovery: testing them too would cost power and tell little more."""


@dataclass(frozen=True)
class Difference:
    """How one time differs between two targets.

    Attributes:
        scenario: The scenario's node id.
        measurement: The measurement's name.
        before: Samples in seconds.
        after: Samples in seconds.
        p: Of the test.
        p_adjusted: By Holm's method, over all tests of the comparison.
    """

    scenario: str
    measurement: str
    before: tuple[float, ...]
    after: tuple[float, ...]
    p: float
    p_adjusted: float

    @property
    def ratio(self) -> float:
        """The median after, divided by the median before."""
        return statistics.median(self.after) / max(statistics.median(self.before), 0.001)

    @property
    def effect(self) -> float:
        """Cliff's delta: how much more often a time after is longer than one before, -1 to 1."""
        pairs = [(b, a) for b in self.before for a in self.after]
        return sum((a > b) - (a < b) for b, a in pairs) / len(pairs)

    @property
    def is_worth_telling(self) -> bool:
        """Whether it is more than noise, and large enough."""
        gap = abs(statistics.median(self.after) - statistics.median(self.before))
        large = max(self.ratio, 1 / max(self.ratio, 0.001)) >= WORTH_RATIO and gap >= WORTH_SECONDS
        return self.p_adjusted < ERROR_RATE and large


@dataclass(frozen=True)
class Tested:
    """What came out of testing all times of two targets.

    Attributes:
        differences: Every time that was tested.
        too_few: How many were not, for want of samples.
    """

    differences: tuple[Difference, ...]
    too_few: int


Samples = Mapping[tuple[str, str], Sequence[float]]
"""Samples in seconds, by the scenario's node id and the measurement's name."""


def samples_of(scenarios: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], tuple[float, ...]]:
    """The times of recovery in the scenarios of a results file; only of scenarios that held.

    A scenario that measures something twice under one name has it numbered.
    """
    found: dict[tuple[str, str], tuple[float, ...]] = {}
    for each in scenarios:
        if each["outcome"] != "TRUE":
            continue
        for taken in each["measurements"]:
            if taken["name"].split()[0] in NAMES:
                name, number = taken["name"], 1
                while (each["nodeid"], name) in found:
                    number += 1
                    name = f"{taken['name']} ({number})"
                found[each["nodeid"], name] = tuple(taken["samples"])
    return found


def needed(tests: int) -> int:
    """The fewest samples on either side with which one of so many tests can find anything.

    With n samples each, all before shorter than all after, the test's p is 2 / C(2n, n).
    """
    count = 2
    while 2 / math.comb(2 * count, count) * max(tests, 1) >= ERROR_RATE:
        count += 1
    return count


def compare(before: Samples, after: Samples) -> Tested:
    """Test every time that both have."""
    both = [key for key in before if key in after]
    enough = needed(len(both))
    testable = [key for key in both if min(len(before[key]), len(after[key])) >= enough]
    tested = [(key, _p(before[key], after[key])) for key in testable]
    adjusted = _holm([p for _, p in tested])
    return Tested(
        tuple(
            Difference(*key, tuple(before[key]), tuple(after[key]), p, fair)
            for (key, p), fair in zip(tested, adjusted, strict=True)
        ),
        len(both) - len(testable),
    )


def _p(before: Sequence[float], after: Sequence[float]) -> float:
    from scipy import stats  # half a second that only a comparison needs

    return float(stats.mannwhitneyu(before, after, alternative="two-sided", method="exact").pvalue)


def _holm(values: Sequence[float]) -> list[float]:
    """Adjust p values for their number: each times the number of those not smaller (Holm 1979)."""
    adjusted = [1.0] * len(values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        highest = max(highest, min(1.0, values[index] * (len(values) - rank)))
        adjusted[index] = highest
    return adjusted
