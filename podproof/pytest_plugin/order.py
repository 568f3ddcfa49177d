"""The order in which scenarios are handed to workers, so that none waits long for another.

One that takes minutes must not be left for the end, when the other workers have nothing to do any more; nor
may those that take turns at something come one after the other, or each worker would wait with one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def ordered(
    items: Sequence[Item], *, slow: Callable[[Item], bool], in_turn: Callable[[Item], bool]
) -> list[Item]:
    """Slow ones at even distances among the quick ones, the first one first.

    Args:
        items: In the order of their files, which is kept among those that are alike.
        slow: Whether one takes minutes.
        in_turn: Whether one needs something that only one at a time can have; among the slow ones these are
            at even distances too.
    """
    long = [each for each in items if slow(each)]
    taking_turns = [each for each in long if in_turn(each)]
    others = [each for each in long if not in_turn(each)]
    return _spread([each for each in items if not slow(each)], _spread(taking_turns, others))


def _spread(many: Sequence[Item], few: Sequence[Item]) -> list[Item]:
    """Each of `few`, with an equal share of `many` after it."""
    found: list[Item] = []
    for index, each in enumerate(few):
        found.append(each)
        found += many[index * len(many) // len(few) : (index + 1) * len(many) // len(few)]
    return found or list(many)
