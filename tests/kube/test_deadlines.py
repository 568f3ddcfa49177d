"""Bounds follow from the objects' own fields."""

from __future__ import annotations

from podproof.kube import deadlines
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import Object


def pod(container: Object | None = None, **spec: object) -> Object:
    return {"spec": {"containers": [{"name": "app", **(container or {})}], **spec}}


def test_one_after_the_other_adds_up_and_is_granted_the_larger_tolerance() -> None:
    total = Deadline("a", 1, "", "one", 3) + Deadline("b", 2, "", "two", 5)
    assert (total.name, total.seconds, total.origin, total.tolerance) == ("a", 3, "one + two", 5)
    assert total.patience == 8


def test_a_pod_without_probes_is_ready_when_started() -> None:
    assert deadlines.pod_ready(pod()).seconds == deadlines.POD_STARTUP.seconds


def test_readiness_takes_the_initial_delay_and_enough_good_answers() -> None:
    probe = {"initialDelaySeconds": 4, "periodSeconds": 2, "successThreshold": 3}
    assert deadlines.readiness(pod({"readinessProbe": probe})).seconds == 4 + 2 * 3


def test_termination_takes_the_grace_period_of_the_pod_or_the_default() -> None:
    removed = deadlines.POD_REMOVED.seconds
    assert deadlines.termination(pod(terminationGracePeriodSeconds=1)).seconds == 1 + removed
    assert deadlines.termination(pod()).seconds == 30 + removed


def test_liveness_takes_enough_failures_and_the_grace_period() -> None:
    probe = {"periodSeconds": 5, "failureThreshold": 2, "timeoutSeconds": 3}
    bound = deadlines.liveness_restart(pod({"livenessProbe": probe}, terminationGracePeriodSeconds=7), "app")
    assert bound.seconds == 5 * 2 + 3 + 7
    assert "its liveness probe: 2 failures 5 s apart" in bound.origin


def test_a_bound_says_where_it_comes_from() -> None:
    assert str(deadlines.POD_STARTUP) == (
        "5 s for a Pod to start (upstream's Pod start-up objective, and 25 s granted on top)"
    )
