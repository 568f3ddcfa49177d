"""What is said of a Pod from its own account."""

from __future__ import annotations

from podproof.kube.kinds import Object
from podproof.kube.states import NEVER_STARTS, why_not_started


def waiting(reason: str, annotations: dict[str, str] | None = None) -> Object:
    state = {"waiting": {"reason": reason, "message": "no such tag"}}
    return {
        "metadata": {"name": "web", "annotations": annotations or {}},
        "status": {"containerStatuses": [{"name": "app", "state": state}]},
    }


def test_an_image_that_cannot_be_had_keeps_a_pod_from_starting() -> None:
    assert why_not_started(waiting("ErrImagePull")) == "ErrImagePull: no such tag"
    assert why_not_started(waiting("ContainerCreating")) is None


def test_a_pod_that_is_not_meant_to_start_is_no_obstacle_to_a_trial() -> None:
    assert why_not_started(waiting("ErrImagePull", {NEVER_STARTS: "that is what is tried"})) is None
