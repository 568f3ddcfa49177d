"""Which scenario a worker gets next, so that none waits for another one's turn.

Some scenarios need what only so many can have at a time, and most of those take minutes. A worker that was
given one too many would do nothing but wait for its turn, so each kind of them is handed to as many workers
as there are places, one after the other, and everything else to the other workers meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from xdist.scheduler import LoadScheduling

if TYPE_CHECKING:
    import pytest

_AT_HAND = 2
"""A worker of pytest-xdist starts a scenario only when it has the one that comes after it, too."""


class Turns:
    """What each scenario needs, and how many may have that at a time.

    Args:
        needs: What each scenario needs, by its index; None if nothing that others need too.
        places: How many may have it at a time, by what it is, in the order in which they are handed out.
    """

    def __init__(self, needs: Sequence[str | None], places: Mapping[str, int]) -> None:
        self._needs = needs
        self._places = places

    def choose(
        self, waiting: Sequence[int], mine: Sequence[int], others: Sequence[Sequence[int]]
    ) -> int | None:
        """The scenario that a worker gets; None if it has to wait for others whatever it gets.

        Args:
            waiting: The scenarios that no worker has yet, the preferred ones first.
            mine: Those that the worker has.
            others: Those that each other worker has.
        """
        for wanted, places in self._places.items():
            taken = sum(self._is_at(wanted, held) for held in others)
            if self._is_at(wanted, mine) or taken < places:
                for each in waiting:
                    if self._needs[each] == wanted:
                        return each
        return next((each for each in waiting if self._needs[each] not in self._places), None)

    def _is_at(self, wanted: str, held: Sequence[int]) -> bool:
        return any(self._needs[each] == wanted for each in held)


class TurnScheduling(LoadScheduling):  # type: ignore[misc]  # it has no types
    """Hands scenarios out to pytest-xdist's workers, one by one.

    Args:
        plan: Called once, when all workers have collected: from the ids of all scenarios to their turns and
            the order in which they are preferred.
    """

    collection: list[str] | None

    def __init__(
        self, config: pytest.Config, log: Any, plan: Callable[[Sequence[str]], tuple[Turns, list[int]]]
    ) -> None:
        super().__init__(config, log)
        self._plan = plan
        self._turns = Turns((), {})
        self._places: dict[int, int] = {}

    def schedule(self) -> None:
        """Begin to hand out, when all workers have collected; later, give a new worker its share."""
        if self.collection is None:
            if not self._check_nodes_have_same_collection():
                return
            self.collection = next(iter(self.node2collection.values()))
            if self.collection:
                self._turns, preferred = self._plan(self.collection)
                self._places = {each: place for place, each in enumerate(preferred)}
            self.pending[:] = self._places
            for node in self.nodes:  # where there are few, each worker gets one before any gets two
                self._hand_out(node, 1)
        for node in self.nodes:
            self.check_schedule(node)

    def check_schedule(self, node: Any, duration: float = 0) -> None:
        """Fill up what a worker has; if there is nothing for it, it ends when it is done with what it has."""
        del duration
        if not node.shutting_down and not self._hand_out(node, _AT_HAND):
            node.shutdown()

    def _hand_out(self, node: Any, until: int) -> bool:
        """Fill up what a worker has; gives whether that could be done."""
        mine = self.node2pending[node]
        # What a worker that has crashed leaves comes back at the end.
        self.pending.sort(key=self._places.__getitem__)
        while len(mine) < until:
            others = [held for other, held in self.node2pending.items() if other is not node]
            chosen = self._turns.choose(self.pending, mine, others)
            if chosen is None:
                return False
            self.pending.remove(chosen)
            mine.append(chosen)
            node.send_runtest_some([chosen])
        return True
