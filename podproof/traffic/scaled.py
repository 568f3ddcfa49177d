"""Whether several Pods serve as many times the load of one, or whether that cannot be told."""

from __future__ import annotations

from dataclasses import dataclass

from podproof.traffic.crowd import Load

TOLERANCE = 0.3
"""By which share the load that several Pods serve may differ from so many times that of one.

Spread at random, the requests of 30 clients leave each of three Pods without any for a sixteenth of the time,
and the one Pod may have been given a quarter more or less than its limit (`_LIMIT_KEPT`). It is less than the
third that would lack if one of three Pods served nothing.
"""

_DEARER = 2.0
"""How many times as much CPU time an answer may cost in one load as in the other, if they are to be compared.

The work is the same each time, and what it costs changes with the machine: two processors that share one core
slow each other down to half their speed, and every switch to other work empties caches. On a busy machine of
two processors 10 to 15 ms were measured for the same answer. Where it costs more than that, something else
is wrong.
"""

_LIMIT_KEPT = 0.25
"""By which share the CPU time that one Pod uses may differ from what its limit gives.

The kernel notices a tick late that a Pod has used up its limit, on each processor that it runs on. With a
limit of 3 ms in 100, 7 to 50 % more were measured and once twice as much, with 6 up to 37 %. The manifest
has 12, where 14 to 24 % more are usual on a busy machine. A load beyond that is nothing to compare others
with: it would say more of the kernel than of how many Pods there are.
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

    What they serve is the CPU time that they are given by what an answer costs. The machine makes an answer
    dearer or cheaper from one second to the next, whoever gives it, so loads are compared as if it cost the
    same in both, which is by the CPU time that goes into answers. Several Pods that all answer, and that the
    kernel gives what their limits say, serve as many times the load of one as they are. Where it gives them
    something else, nothing is known.

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
    def dearer(self) -> float:
        """How many times as much CPU time an answer of theirs costs."""
        return self.several.cost / self.one.cost

    @property
    def times_at_same_cost(self) -> float:
        """How many times as much they would serve if an answer cost what it did."""
        return self.several.cpu / self.one.cpu

    @property
    def is_proportional(self) -> bool:
        """Whether they serve, at the same cost, about as many times as much as they are."""
        comparable = 1 / _DEARER < self.dearer < _DEARER
        near = abs(self.times_at_same_cost / len(self.pods) - 1) <= TOLERANCE
        return comparable and near and not self.is_short

    @property
    def left_out(self) -> frozenset[str]:
        """Those that have answered nothing."""
        return self.pods - self.several.by_pod.keys()

    @property
    def is_short(self) -> bool:
        """Whether they serve less although nothing but limits held them back: these are not their own.

        A Pod that is held back in nearly all periods by a limit of its own has been given that.
        """
        wanted = (1 - TOLERANCE) * self.limit * len(self.pods)
        return self.several.is_certain and self.several.cpu < wanted

    @property
    def is_conclusive(self) -> bool:
        """Whether it is known what the app serves."""
        return self.is_proportional or bool(self.left_out) or self.is_short

    def __str__(self) -> str:
        return (
            f"{self.times_at_same_cost:.2f} times as many if an answer cost the same, {self.times:.2f} times "
            f"at {self.dearer:.2f} times the cost: first {self.one}; then {self.several}"
        )
