"""Whether several Pods serve as many times the load of one: true, false, and not known."""

from __future__ import annotations

from podproof.traffic.crowd import Load
from podproof.traffic.scaled import Scaled, keeps

_LIMIT = 0.12
_COST = 0.012
"""Seconds of CPU time that an answer takes: one Pod gives ten answers in a second."""
_PODS = frozenset({"a", "b", "c"})


def load(cpu: float, cost: float = _COST, held_back: float = 0.95, pods: frozenset[str] = _PODS) -> Load:
    per_second = cpu / cost
    return Load(100, 100 / per_second, dict.fromkeys(pods, 33), dict.fromkeys(pods, held_back), cost)


ONE = load(_LIMIT, pods=frozenset({"a"}))


def scaled(several: Load, one: Load = ONE) -> Scaled:
    return Scaled(one, several, _PODS, _LIMIT)


def test_three_limits_worth_of_answers_are_three_times_as_many() -> None:
    found = scaled(load(3 * _LIMIT))
    assert round(found.times, 6) == 3
    assert found.is_proportional
    assert found.is_conclusive


def test_a_pod_that_answers_nothing_is_left_out() -> None:
    found = scaled(load(2 * _LIMIT, pods=frozenset({"a", "b"})))
    assert not found.is_proportional
    assert found.left_out == {"c"}
    assert found.is_conclusive


def test_pods_that_share_one_limit_fall_short() -> None:
    found = scaled(load(_LIMIT))
    assert not found.is_proportional
    assert found.is_short
    assert found.is_conclusive


def test_pods_that_share_two_limits_fall_short_though_one_had_a_little_less() -> None:
    found = scaled(load(2 * _LIMIT), one=load(0.94 * _LIMIT, pods=frozenset({"a"})))
    assert not found.is_proportional
    assert found.is_conclusive


def test_a_kernel_that_gave_one_pod_more_than_its_limit_denies_nothing() -> None:
    found = scaled(load(0.9 * 3 * _LIMIT), one=load(1.35 * _LIMIT, pods=frozenset({"a"})))
    assert not found.is_proportional
    assert not found.is_conclusive


def test_a_machine_that_makes_answers_dearer_is_allowed_for() -> None:
    found = scaled(load(3 * _LIMIT, cost=1.45 * _COST))
    assert round(found.times, 2) == 2.07
    assert found.is_proportional
    assert "3.00 times as many if an answer cost the same, 2.07 times at 1.45 times the cost" in str(found)


def test_answers_that_cost_twice_as_much_are_not_comparable() -> None:
    assert not scaled(load(3 * _LIMIT, cost=2 * _COST)).is_conclusive


def test_pods_that_share_one_limit_fall_short_whatever_an_answer_costs() -> None:
    assert scaled(load(_LIMIT, cost=1.5 * _COST)).is_short


def test_a_machine_that_is_too_busy_to_give_pods_their_limits_denies_nothing() -> None:
    assert not scaled(load(0.6 * 3 * _LIMIT, held_back=0.8)).is_conclusive


def test_a_limit_is_kept_within_a_quarter() -> None:
    assert keeps(load(1.24 * _LIMIT), _LIMIT)
    assert not keeps(load(1.3 * _LIMIT), _LIMIT)
    assert not keeps(load(0.7 * _LIMIT), _LIMIT)
