"""Repetitions become one result, by the rules that `podproof.verdicts.repetitions` states."""

from __future__ import annotations

from dataclasses import replace

import pytest

from podproof.verdicts.measurements import Measurement
from podproof.verdicts.repetitions import combine
from podproof.verdicts.scenarios import Outcome, ScenarioResult
from podproof.verdicts.spread import Spread
from tests.unit.test_claims import _OUTCOMES, scenario


def repetitions(letters: str) -> list[ScenarioResult]:
    found = [scenario(f"s{number}", _OUTCOMES[letter]) for number, letter in enumerate(letters, 1)]
    return [replace(each, seconds=1.5, details={"api_retries": 1}, lateness=(7,)) for each in found]


@pytest.mark.parametrize(
    ("letters", "outcome", "reason"),
    [
        ("TTT", Outcome.TRUE, ""),
        ("TFT", Outcome.FALSE, "repetition 2 of 3: why s2"),
        ("PTF", Outcome.FALSE, "repetition 3 of 3: why s3\nrepetition 1 of 3: why s1"),
        ("TPR", Outcome.NOT_PROVEN, "repetition 2 of 3: why s2\nrepetition 3 of 3: NOT RUN: why s3"),
        ("TRR", Outcome.NOT_PROVEN, "repetition 2 of 3: NOT RUN: why s2\nrepetition 3 of 3: NOT RUN: why s3"),
        ("TA", Outcome.NOT_PROVEN, "repetition 2 of 2: NOT APPLICABLE: why s2"),
        ("AA", Outcome.NOT_APPLICABLE, "why s1"),
        ("RR", Outcome.NOT_RUN, "why s1"),
    ],
)
def test_outcome(letters: str, outcome: Outcome, reason: str) -> None:
    combined = combine(repetitions(letters))
    assert (combined.outcome, combined.reason) == (outcome, reason)
    assert combined.outcomes == tuple(_OUTCOMES[letter] for letter in letters)
    assert combined.seconds == 1.5 * len(letters)
    assert combined.details == {"api_retries": len(letters)}
    assert combined.lateness == (7,) * len(letters)


def test_one_is_left_as_it_is() -> None:
    [only] = repetitions("F")
    assert combine([only]) is only


def test_what_is_the_same_is_said_once() -> None:
    expected = "expected: one\nobserved: two"
    all_five = [replace(each, reason=expected) for each in repetitions("FFFTF")]
    combined = combine(all_five)
    assert combined.reason == f"repetitions 1-3, 5 of 5: {expected}"
    assert combined.summary == "repetitions 1-3, 5 of 5: expected one, observed two"


def test_measurements_are_joined_by_name() -> None:
    taken = [
        (Measurement("reaction", 1.0), Measurement("recovery", 4.0, 9.0), Measurement("recovery", 40.0)),
        (Measurement("recovery", 8.0, 7.0, "stricter"), Measurement("recovery", 20.0)),
    ]
    results = [replace(each, measurements=of) for each, of in zip(repetitions("TT"), taken, strict=True)]
    joined = combine(results).measurements
    assert joined == (
        Measurement("reaction", 1.0, samples=(1.0,)),
        Measurement("recovery", 6.0, 7.0, "stricter", (4.0, 8.0)),
        Measurement("recovery", 30.0, samples=(40.0, 20.0)),
    )
    assert [each.excess > 0 for each in joined] == [False, True, False]


@pytest.mark.parametrize(
    ("samples", "median", "p95", "p99"),
    [
        ([3], 3, 3, 3),
        ([4, 1], 2.5, 4, 4),
        ([5, 1, 3], 3, 5, 5),
        (range(1, 20), 10, 19, 19),
        (range(1, 21), 10.5, 19, 20),
        (range(1, 101), 50.5, 95, 99),
        (range(1, 201), 100.5, 190, 198),
    ],
)
def test_percentiles_are_by_nearest_rank(samples: list[float], median: float, p95: float, p99: float) -> None:
    spread = Spread(samples)
    assert (spread.median, spread.p95, spread.p99) == (median, p95, p99)
    assert (spread.minimum, spread.maximum) == (min(samples), max(samples))
