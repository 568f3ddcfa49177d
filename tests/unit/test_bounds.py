"""Bounds that come from the cluster's own settings."""

import pytest

from podproof.cluster.base import Setting
from podproof.cluster.bounds import UNREACHABLE, node_noticed, node_replaced, seconds, taint_removed

SETTINGS = {
    "node-monitor-grace-period": Setting("50s", "kube-controller-manager, /configz"),
    "node-monitor-period": Setting("5s", "its documented default", assumed=True),
    "node-eviction-rate": Setting("0.1", "kube-controller-manager, /configz"),
}


def pod(*tolerations: dict[str, object]) -> dict[str, object]:
    return {"metadata": {"name": "web"}, "spec": {"tolerations": list(tolerations)}}


@pytest.mark.parametrize(
    ("value", "expected"), [("50s", 50), ("5m0s", 300), ("1h2m3.5s", 3723.5), ("40", 40), ("100ms", 0.1)]
)
def test_durations(value: str, expected: float) -> None:
    assert seconds(value) == pytest.approx(expected)


@pytest.mark.parametrize("value", ["", "soon", "5 s", "-1s"])
def test_what_is_no_duration(value: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        seconds(value)


def test_a_lost_node_is_noticed_within_what_the_settings_give() -> None:
    bound = node_noticed(SETTINGS)
    assert bound.seconds == 55
    assert bound.origin == (
        "node-monitor-grace-period 50s (kube-controller-manager, /configz) + "
        "node-monitor-period 5s (its documented default, assumed)"
    )


def test_its_pods_are_given_up_after_what_they_tolerate() -> None:
    bound = node_replaced(SETTINGS, pod({"key": UNREACHABLE, "tolerationSeconds": 7}))
    assert bound.seconds == 55 + 10 + 7
    assert bound.origin.endswith(f"its tolerationSeconds of {UNREACHABLE}: 7 s")


def test_a_pod_that_stays_for_ever_has_no_such_bound() -> None:
    with pytest.raises(ValueError, match="for ever"):
        node_replaced(SETTINGS, pod({"key": UNREACHABLE}))


def test_a_node_that_is_back_is_trusted_when_it_is_looked_at_again() -> None:
    bound = taint_removed(SETTINGS)
    assert bound.seconds == 5
    assert bound.origin == "node-monitor-period 5s (its documented default, assumed)"
