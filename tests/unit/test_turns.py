"""Which scenario a worker gets next."""

from podproof.pytest_plugin.turns import Turns

PLACES = {"v": 2, "c": 1}
"""Two Nodes that may be broken, one control plane."""


def hand_out(scenarios: str, workers: int) -> list[str]:
    """What each worker is given at first; letters are what scenarios need, q is nothing."""
    turns = Turns([None if each == "q" else each for each in scenarios], PLACES)
    waiting = list(range(len(scenarios)))
    held: list[list[int]] = [[] for _ in range(workers)]
    for number, mine in enumerate(held):
        for _ in range(2):
            chosen = turns.choose(waiting, mine, held[:number] + held[number + 1 :])
            if chosen is not None:
                waiting.remove(chosen)
                mine.append(chosen)
    return ["".join(scenarios[each] for each in mine) for mine in held]


def test_no_more_workers_than_places_get_what_takes_turns() -> None:
    assert hand_out("qqqqqqvvvvvvccc", 5) == ["vv", "vv", "cc", "qq", "qq"]


def test_two_workers_do_what_takes_turns_first() -> None:
    assert hand_out("qqvvvvcc", 2) == ["vv", "vv"]


def test_a_worker_whose_kind_is_done_goes_on_with_another() -> None:
    assert hand_out("qqqvc", 2) == ["vc", "qq"]


def test_a_worker_for_whom_nothing_is_left_gets_nothing() -> None:
    assert hand_out("vvvvvv", 4) == ["vv", "vv", "", ""]
    assert hand_out("", 1) == [""]


def test_preferred_ones_come_first() -> None:
    turns = Turns([None, None, "v", "v"], PLACES)
    assert turns.choose([3, 1, 2, 0], [], []) == 3
    assert turns.choose([1, 0], [], []) == 1
