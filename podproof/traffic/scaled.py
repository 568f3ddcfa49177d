"""Whether several Pods serve as many times the load of one, or whether that cannot be told."""

from __future__ import annotations

from dataclasses import dataclass

from podproof.traffic.crowd import Load

TOLERANCE = 0.3
"""By which share the load that several Pods serve may differ from so many times that of one.

Spread at random, the requests of 30 clients leave each of three Pods without any for a sixteenth of the time,
and what an answer costs varies with what else the machine does just then. It is less than the third that
would lack if one of three Pods served nothing.
"""

_SAME_COST = 0.1
"""By which share an answer may cost more or less CPU time before two loads are no longer comparable.

The work is the same each time. What it costs changes with the machine: two processors that share one core
give each other up to half, and every switch to other work empties caches.
"""

_LIMIT_KEPT = 0.2
"""By which share the CPU time that one Pod uses may differ from what its limit gives.

The kernel notices a tick late that a Pod has used up its limit, on each processor that it runs on. With a
limit of 3 ms in 100, 7 to 50 % more were measured and once twice as much, with 6 up to 37 %. The manifest
has 12. A load beyond that is nothing to compare others with: it would say more of the kernel than of how
many Pods there are.
"""


def keeps(load: Load, limit: float) -> bool:
    """Whether the kernel has given a Pod what its limit says.

    Args:
        load: What the Pod served.
        limit: Its limit, in CPUs.
    """
    return abs(load.cpu / limit - 1) <= _LIMIT_KEPT


@dataclass(frozen=True, slots=True)
class Scaled:
    """What one Pod serves and what several do, each with the same CPU limit.

    What they serve is the CPU time that they are given by what an answer costs. So where all answer, one
    answer costs the same and the kernel gives all of them what their limits say, several Pods serve so many
    times the load of one; where the kernel gives them more or less than that, or the machine makes an answer
    dearer, nothing is known.

    Attributes:
        one: What one Pod serves.
        several: What several do.
        pods: Their names.
        limit: How many CPUs each may use.
    """

    one: Load
    several: Load
    pods: frozenset[str]
    limit: float

    @property
    def times(self) -> float:
        """How many times as much they serve."""
        return self.several.per_second / self.one.per_second

    @property
    def is_proportional(self) -> bool:
        """Whether they serve about as many times as much as they are."""
        return abs(self.times / len(self.pods) - 1) <= TOLERANCE

    @property
    def left_out(self) -> frozenset[str]:
        """Those that have answered nothing."""
        return self.pods - self.several.by_pod.keys()

    @property
    def is_short(self) -> bool:
        """Whether they serve less although nothing but limits held them back: these are not their own.

        A Pod that is held back in nearly all periods by a limit of its own has been given that.
        """
        same_cost = abs(self.several.cost / self.one.cost - 1) <= _SAME_COST
        wanted = (1 - TOLERANCE) * self.limit * len(self.pods)
        return self.several.is_certain and same_cost and self.several.cpu < wanted

    @property
    def is_conclusive(self) -> bool:
        """Whether it is known what the app serves."""
        return self.is_proportional or bool(self.left_out) or self.is_short
