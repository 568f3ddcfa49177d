"""What is made of the lines that a crowd of clients writes."""

from __future__ import annotations

import pytest

from podproof.errors import TrialError
from podproof.traffic.crowd import Load

_LINES = [
    "10.00 a 100 90 70000",
    "10.50 a 110 99 73000",
    "11.00 b 50 10 20000",
    "12.00 a 120 108 76000",
    "12.00 b 60 15 24000",
]


def test_the_first_line_begins_the_time_and_does_not_count() -> None:
    load = Load.of(_LINES)
    assert (load.answers, load.seconds, load.per_second) == (4, 2.0, 2.0)
    assert load.by_pod == {"a": 2, "b": 2}


def test_what_a_pod_was_held_back_is_the_growth_of_its_counts() -> None:
    assert Load.of(_LINES).held_back == pytest.approx({"a": 0.9, "b": 0.5})


def test_an_answer_costs_the_cpu_time_that_all_pods_used_for_it() -> None:
    # What was used before the first answer of a Pod that is looked at is known of none of them.
    assert Load.of(_LINES).cost == pytest.approx((0.003 + 0.004) / 2)


def test_answers_that_overtake_each_other_change_nothing() -> None:
    start, *rest = _LINES
    swapped = Load.of(
        [start, rest[2].replace("12.00", "10.50"), rest[1], rest[0].replace("10.50", "12.00"), rest[3]]
    )
    assert swapped.held_back == Load.of(_LINES).held_back


def test_one_pod_that_its_limit_does_not_bound_is_enough_to_doubt_the_load() -> None:
    assert not Load.of(_LINES).is_bounded
    assert Load.of([line for line in _LINES if " a " in line]).is_bounded


def test_a_load_with_requests_that_got_no_answer_is_not_what_limits_bound() -> None:
    of_one = [line for line in _LINES if " a " in line]
    load = Load.of([*of_one, "12.50 lost"])
    assert (load.answers, load.lost) == (Load.of(of_one).answers, 1)
    assert not load.is_bounded
    assert "1 requests lost" in str(load)


@pytest.mark.parametrize(
    "lines",
    [["10.00 lost"], ["10.00 a 1 1 1"], ["10.00 a 1 1 1", "10.00 a 2 2 2"], ["10.00 a 1 1 1", "no answer"]],
)
def test_what_tells_nothing_spoils_the_trial(lines: list[str]) -> None:
    with pytest.raises(TrialError):
        Load.of(lines)
