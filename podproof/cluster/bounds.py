"""How long the cluster may take by its own settings, read live where they can be read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from podproof.cluster.base import Setting
from podproof.kube.deadlines import (
    CONTAINER_NOTICED,
    CONTROLLER,
    ENDPOINT_REMOVED,
    NAME_LEARNED,
    POD_STARTUP,
    SERVICE_PROGRAMMED,
    TOLERANCE,
    Deadline,
    readiness,
)
from podproof.kube.kinds import Object

UNREACHABLE = "node.kubernetes.io/unreachable"
"""The taint of a Node that nothing is heard of any more."""

_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "": 1.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|)")


def seconds(value: str) -> float:
    """A duration as Kubernetes writes it, for example ``"5m0s"`` or ``"40"``, in seconds.

    Raises:
        ValueError: It is none.
    """
    if not re.fullmatch(f"(?:{_DURATION.pattern})+", value):
        raise ValueError(f"{value!r} is no duration")
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(value))


def node_noticed(settings: Mapping[str, Setting]) -> Deadline:
    """From a Node's last sign of life until the cluster counts it as unreachable."""
    grace, period = "node-monitor-grace-period", "node-monitor-period"
    return Deadline(
        "the loss of a Node to be noticed",
        seconds(settings[grace].value) + seconds(settings[period].value),
        "a silent Node is given a grace period, and looked at periodically",
        f"{_origin(grace, settings)} + {_origin(period, settings)}",
        TOLERANCE,
    )


def node_replaced(settings: Mapping[str, Setting], pod: Object) -> Deadline:
    """From a Node's last sign of life until a controller makes a new Pod for one that ran there.

    Raises:
        ValueError: The Pod stays on a lost Node for good.
    """
    return (node_noticed(settings) + _given_up(settings, pod)).named(
        "the Pods of a lost Node to be given up",
        "the Node's silence is noticed, then each of its Pods is left there for as long as it tolerates",
    )


def taint_removed(settings: Mapping[str, Setting]) -> Deadline:
    """From the moment at which a lost Node is Ready again until Pods are not evicted from it any more.

    New Pods are let in at once, and the taint that evicts them is removed when the Node is looked at again
    (node_lifecycle_controller.go: doNoScheduleTaintingPass, markNodeAsReachable).
    """
    return _by(
        "node-monitor-period",
        settings,
        "the taint of a Node that is back to be removed",
        "the cluster looks at its Nodes periodically",
    )


@dataclass(frozen=True, slots=True)
class Recovery:
    """How long an app may take to recover, in the four times of the field's availability studies.

    Attributes:
        reaction: From the fault until the cluster shows that it has noticed.
        repair: From then until another Pod, or another instance of the container, is started.
        recovery: From the reaction until as many Pods as wanted are Ready, and requests are sent to them.
        outage: From the fault until a client outside of the app loses no request any more.
    """

    reaction: Deadline
    repair: Deadline
    recovery: Deadline
    outage: Deadline


def recovery_from_node_loss(settings: Mapping[str, Setting], pod: Object, *, alone: bool) -> Recovery:
    """The bounds of a Pod that is lost with its Node.

    Args:
        settings: The cluster's.
        pod: As it was before.
        alone: Whether it was the only one, so that nobody answers before it is replaced; where there are
            others, requests are sent to those alone as soon as the loss is noticed.
    """
    noticed = node_noticed(settings)
    given_up = _given_up(settings, pod)
    whole = noticed + given_up + _restored(pod)
    return Recovery(
        noticed,
        (given_up + CONTROLLER + POD_STARTUP).named("a replacement to be started", _REPAIR),
        (given_up + _restored(pod)).named("the app to be whole again", _RECOVERY),
        ((whole if alone else noticed + ENDPOINT_REMOVED) + SERVICE_PROGRAMMED).named(_NO_LOSS, _OUTAGE),
    )


def recovery_from_kill(pod: Object) -> Recovery:
    """The bounds of the only Pod of an app whose processes are killed, so that they are started anew."""
    whole = CONTAINER_NOTICED + _restored(pod)
    return Recovery(
        CONTAINER_NOTICED,
        POD_STARTUP.named("another instance to be started", _REPAIR),
        (POD_STARTUP + readiness(pod) + CONTROLLER).named("the app to be whole again", _RECOVERY),
        (whole + SERVICE_PROGRAMMED).named(_NO_LOSS, _OUTAGE),
    )


_REPAIR = "what is lost is given up, and its successor is started"
_RECOVERY = "the successor is started, is Ready, and the Service knows of it"
_NO_LOSS = "no request to be lost any more"
_OUTAGE = (
    "requests are sent to what is lost until every Node knows better, and answered once somebody is there"
)


def _restored(pod: Object) -> Deadline:
    return CONTROLLER + POD_STARTUP + readiness(pod) + CONTROLLER


def _given_up(settings: Mapping[str, Setting], pod: Object) -> Deadline:
    """From the moment at which a Node's loss is noticed until a Pod of it is given up."""
    tolerated = [
        each["tolerationSeconds"]
        for each in pod["spec"].get("tolerations", ())
        if each.get("key") == UNREACHABLE and "tolerationSeconds" in each
    ]
    if not tolerated:
        raise ValueError(f"Pod {pod['metadata']['name']} tolerates that its Node is unreachable for ever")
    rate = "node-eviction-rate"
    turn = Deadline(
        "a lost Node's turn",
        1 / float(settings[rate].value),
        "lost Nodes are given up one after the other, and another scenario may have lost one too",
        f"one Node at a time by {_origin(rate, settings)}",
        TOLERANCE,
    )
    leave = Deadline(
        "a Pod to be given up",
        float(min(tolerated)),
        "a Pod stays bound to an unreachable Node for as long as it tolerates that",
        f"its tolerationSeconds of {UNREACHABLE}: {min(tolerated)} s",
        TOLERANCE,
    )
    return turn + leave


def autoscaler_looks(settings: Mapping[str, Setting]) -> Deadline:
    """From an autoscaler's creation until it has looked at its target."""
    return _by(
        "horizontal-pod-autoscaler-sync-period",
        settings,
        "an autoscaler to look at its target",
        "it looks at each target periodically, at a new one after the first period",
    )


def autoscaled(settings: Mapping[str, Setting]) -> Deadline:
    """From the beginning of a load, or of its end, until an autoscaler changes a count."""
    resolution = "metric-resolution"
    measured = Deadline(
        "what a Pod uses to be measured",
        2 * seconds(settings[resolution].value),
        "what it uses is known once it was measured twice",
        f"twice {_origin(resolution, settings)}",
        TOLERANCE,
    )
    return (measured + autoscaler_looks(settings) * 2).named(
        "an autoscaler to change a count",
        "a Pod has to be measured twice, and the autoscaler looks again and again at what was measured last",
    )


def name_current(settings: Mapping[str, Setting]) -> Deadline:
    """From a change of a Service or its Pods until the cluster's DNS gives no answer from before it."""
    kept = _by(
        "coredns-cache",
        settings,
        "the cluster's DNS to forget what is no longer so",
        "it may go on giving an answer that it has given before",
    )
    return kept + NAME_LEARNED


def _by(setting: str, settings: Mapping[str, Setting], name: str, reason: str) -> Deadline:
    """The time that one setting gives."""
    return Deadline(name, seconds(settings[setting].value), reason, _origin(setting, settings), TOLERANCE)


def _origin(name: str, settings: Mapping[str, Setting]) -> str:
    setting = settings[name]
    assumed = ", assumed" if setting.assumed else ""
    return f"{name} {setting.value} ({setting.origin}{assumed})"
