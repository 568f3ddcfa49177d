"""The order in which scenarios are handed to workers, so that none waits long for another.

A scenario that needs the cluster for itself waits for all that are under way, and all others wait for it. One
that takes minutes must not be under way then; nor must it be left for the end, when the other workers have
nothing to do any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")

_AHEAD = 4
"""How many quick ones go before the first slow one, for each that needs the cluster for itself."""


def ordered(items: Sequence[Item], alone: Callable[[Item], bool], slow: Callable[[Item], bool]) -> list[Item]:
    """Those that need the cluster for themselves first, then quick ones, then slow ones among the rest.

    Args:
        items: In the order of their files, which is kept within each kind.
        alone: Whether one needs the cluster for itself.
        slow: Whether one takes minutes.
    """
    first = [each for each in items if alone(each)]
    quick = [each for each in items if not alone(each) and not slow(each)]
    long = [each for each in items if not alone(each) and slow(each)]
    ahead = _AHEAD * len(first)
    return [*first, *quick[:ahead], *_spread(quick[ahead:], long)]


def _spread(quick: Sequence[Item], long: Sequence[Item]) -> list[Item]:
    """Slow ones at even distances among the quick ones, the first one first."""
    found: list[Item] = []
    for index, each in enumerate(long):
        found.append(each)
        found += quick[index * len(quick) // len(long) : (index + 1) * len(quick) // len(long)]
    return found or list(quick)
