"""Times are told apart from noise."""

import random

import pytest

from podproof.matrix import times

KEY = ("features/pods.feature::test_a", "recovery")


def test_too_few_samples_are_counted_and_not_guessed_from() -> None:
    tested = times.compare({KEY: (1.0,)}, {KEY: (9.0,)})
    assert tested.differences == ()
    assert tested.too_few == 1


def test_a_recovery_that_takes_half_as_long_again_is_found() -> None:
    before = tuple(2.0 + number / 100 for number in range(8))
    after = tuple(3.0 + number / 100 for number in range(8))
    (found,) = times.compare({KEY: before}, {KEY: after}).differences
    assert found.is_worth_telling
    assert found.ratio == pytest.approx(1.5, abs=0.01)
    assert found.effect == 1.0


def test_a_certain_difference_that_is_small_is_not_worth_telling() -> None:
    before = tuple(2.0 + number / 1000 for number in range(8))
    after = tuple(2.1 + number / 1000 for number in range(8))
    (found,) = times.compare({KEY: before}, {KEY: after}).differences
    assert found.p_adjusted < times.ERROR_RATE
    assert not found.is_worth_telling


def test_only_what_both_have_is_compared() -> None:
    assert times.compare({KEY: (1.0,) * 9}, {}) == times.Tested((), 0)


@pytest.mark.parametrize(("tests", "samples"), [(1, 5), (55, 8), (60, 8), (85, 9)])
def test_the_more_tests_the_more_samples_are_needed(tests: int, samples: int) -> None:
    assert times.needed(tests) == samples


def test_equals_differ_no_more_often_than_the_error_rate() -> None:
    chance = random.Random(20261126)  # noqa: S311 - the same every time

    def matrix() -> dict[tuple[str, str], tuple[float, ...]]:
        # Long tails, as recoveries have them.
        return {
            (f"test_{number}", "recovery"): tuple(chance.lognormvariate(1, 0.5) for _ in range(8))
            for number in range(50)
        }

    found = sum(
        any(each.is_worth_telling for each in times.compare(matrix(), matrix()).differences)
        for _ in range(100)
    )
    assert found <= 4  # one is expected; five or more come once in three hundred


def test_p_values_are_adjusted_by_their_rank() -> None:
    assert times._holm([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06]
    assert times._holm([]) == []


def test_times_of_scenarios_that_did_not_hold_are_no_recoveries() -> None:
    taken = [{"name": "recovery", "samples": [1.0]}, {"name": "recovery", "samples": [2.0]}]
    scenarios = [
        {"outcome": "TRUE", "nodeid": "a", "measurements": [*taken, {"name": "reaction", "samples": [0.1]}]},
        {"outcome": "FALSE", "nodeid": "b", "measurements": taken},
    ]
    assert times.samples_of(scenarios) == {("a", "recovery"): (1.0,), ("a", "recovery (2)"): (2.0,)}
