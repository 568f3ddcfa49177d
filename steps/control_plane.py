"""Steps about the control plane: parts of it that are broken, and what goes on without them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

import pytest
from pytest_bdd import given, parsers, then, when

from podproof.cluster import capabilities
from podproof.cluster.base import Cluster
from podproof.faults import programs
from podproof.faults.control_plane import EtcdDurable
from podproof.faults.fault import Fault
from podproof.faults.injected import Injection, injected
from podproof.faults.pods import Incident, before
from podproof.faults.programs import CONTROL_PLANE, ProgramKilled
from podproof.kube import deadlines, files
from podproof.kube.changes import Mark
from podproof.kube.conditions import Check, demand
from podproof.kube.kinds import POD, Object, owner_uid, uid
from podproof.kube.scene import Scene
from podproof.kube.states import Replaced, container_status, tell_pods
from podproof.traffic.writer import Writer
from podproof.verdicts.measurements import Measurements
from steps.replicasets import newcomers, wait_for_brand_new

_PROGRAMS = {
    "the API server": "kube-apiserver",
    "the controller manager": "kube-controller-manager",
    "the scheduler": "kube-scheduler",
    "etcd": "etcd",
}
_PART = f"(?P<part>{'|'.join(_PROGRAMS)})"
_ENOUGH = 50
"""Objects that are stored before and after: several of them are under way at any moment."""
_CRASH_AFTER = 15
"""Seconds from the order to crash to the crash: the API server has to be down by then, which takes ten."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A part of the control plane that was broken.

    Attributes:
        before: The Pods as they were just before.
        since: The moment just before.
        until: The moment just after it was whole again.
        silent: From when until when it was certainly down.
    """

    before: tuple[Object, ...]
    since: Mark
    until: Mark
    silent: tuple[Mark, Mark]


@pytest.fixture
def control_plane_repairs(scene: Scene) -> Iterator[ExitStack]:
    """What mends the control plane, once the scenario's steps are done."""
    del scene  # asked for: it is needed until all is mended
    with ExitStack() as stack:
        yield stack


@given("etcd writes to its disk before it answers")
def durable(cluster: Cluster, scene: Scene, control_plane_repairs: ExitStack) -> None:
    """Start etcd anew with what it has, as it is run where data matter."""
    capabilities.require(cluster, scene.api, capabilities.PROGRAM_SWITCH)
    control_plane_repairs.enter_context(injected(EtcdDurable(cluster)))


@given("somebody stores one object after the other", target_fixture="writer")
def write_steadily(scene: Scene, control_plane_repairs: ExitStack) -> Writer:
    """Store ConfigMaps, without ever storing one again whose answer is lost; wait for the first."""
    writer = control_plane_repairs.enter_context(Writer(scene.api, scene.namespace.name))
    writer.await_acknowledged(_ENOUGH)
    return writer


@given("a container of one of its Pods is about to crash", target_fixture="incident")
def about_to_crash(scene: Scene, replicaset: Object) -> Incident:
    """Order it to crash in a moment, so that nobody has to tell it while the API server is down."""
    incident = before(scene, scene.owned(POD, replicaset)[0])
    order = f"(sleep {_CRASH_AFTER}; echo crash >/tmp/order) >/dev/null 2>&1 &"
    files.must_run(scene.api, incident.pod, "app", order)
    return incident


@given(parsers.re(f"{_PART} is stopped"), target_fixture="injection")
def stopped(cluster: Cluster, scene: Scene, control_plane_repairs: ExitStack, part: str) -> Injection:
    """Stop a part of the control plane until a later step, or until the scenario is over."""
    return control_plane_repairs.enter_context(injected(_fault(cluster, scene, part, "stopped")))


@when(parsers.re(f"{_PART} is (?P<broken>stopped|frozen) for a while"), target_fixture="outage")
def break_for_a_while(
    cluster: Cluster, scene: Scene, measurements: Measurements, part: str, broken: str
) -> Outage:
    """Break a part of the control plane, hold that, and mend it."""
    fault = _fault(cluster, scene, part, broken)
    known = tuple(scene.recording.latest(POD))
    since = scene.recording.mark()
    with injected(fault) as injection:
        down = scene.recording.mark()
        injection.hold(deadlines.OUTAGE_HELD)
        until = scene.recording.mark()
    back = scene.recording.mark()
    held = deadlines.OUTAGE_HELD
    measurements.add("without it", until.at - since.at, None, f"held for {held}")
    bound = deadlines.PROGRAM_ANSWERS
    measurements.add("recovery", back.at - until.at, bound.seconds, bound.origin)
    return Outage(known, since, back, (down, until))


@when(parsers.re(f"{_PART} is killed"), target_fixture="killed")
def kill(cluster: Cluster, scene: Scene, control_plane_repairs: ExitStack, part: str) -> Injection:
    """End a part of the control plane by SIGKILL."""
    return control_plane_repairs.enter_context(injected(_fault(cluster, scene, part, "killed")))


@then("it answers again", target_fixture="outage")
def answers_again(scene: Scene, killed: Injection, measurements: Measurements) -> Outage:
    """It says that it is well, although nobody but its own machine did anything about it."""
    known = tuple(scene.recording.latest(POD))
    since = scene.recording.mark()
    bound = deadlines.PROGRAM_ANSWERS
    silent = cast(ProgramKilled, killed.fault).silent()
    demand(not silent, f"an answer within {bound}", otherwise=f"{silent} is silent")
    until = scene.recording.mark()
    measurements.add("recovery", until.at - killed.at, bound.seconds, bound.origin)
    killed.undo()
    return Outage(known, since, until, (since, until))


@then("its Pods have not changed")
def not_changed(scene: Scene, outage: Outage) -> None:
    """The same Pods run the same containers, and have been Ready since before."""

    def told(pods: tuple[Object, ...]) -> dict[str, object]:
        return {
            uid(pod): (
                [(each["containerID"], each["restartCount"]) for each in pod["status"]["containerStatuses"]],
                _ready_since(pod),
            )
            for pod in pods
            if owner_uid(pod)
        }

    now = tuple(scene.api.list(POD, scene.namespace.name)["items"])
    demand(
        told(now) == told(outage.before),
        "the same Pods, their containers not restarted, Ready since before the outage",
        tell_pods(list(now)),
    )


@then("the container was started again in the same Pod meanwhile")
def restarted_meanwhile(scene: Scene, incident: Incident, outage: Outage) -> None:
    """By the kubelet's own account a new instance of it began while the API server was down."""
    pod, instance = incident.pod, container_status(incident.pod, "app")["containerID"]
    anew = Replaced(uid(pod), "app", instance)
    seen = scene.recording.wait_until(anew, deadlines.CONTAINER_RESTART, outage.until)
    known = seen.world.one(POD, uid(pod)) or pod
    started = datetime.fromisoformat(container_status(known, "app")["state"]["running"]["startedAt"])
    down, until = (mark.wall for mark in outage.silent)
    span = f"from {down:%X} to {until:%X}"
    # The kubelet's times have whole seconds.
    demand(
        down - timedelta(seconds=1) <= started <= until,
        f"it began while the API server was down, {span}",
        f"it began at {started:%X}",
    )


@then("every object that was acknowledged is there as it was stored")
def nothing_missing(writer: Writer, measurements: Measurements) -> None:
    """Each has the identity and the content that the answer to its storing had."""
    writer.await_acknowledged(_ENOUGH)
    wrong = writer.stop()
    count = len(writer.acknowledged)
    measurements.add("longest wait for an answer", writer.longest_silence, None, f"{count} objects stored")
    demand(
        not wrong,
        f"all {count} objects that were acknowledged",
        otherwise=f"missing or different: {', '.join(wrong)}",
    )


@then("no Pod takes its place for as long as that lasts")
def nobody_replaces(
    scene: Scene, replicaset: Object, incident: Incident, injection: Injection, measurements: Measurements
) -> None:
    """While the fault is held there is no Pod that was not there before."""
    injection.hold(deadlines.OUTAGE_HELD)
    newcomer = Check(
        "a brand-new Pod",
        frozenset({POD}),
        lambda view: bool(newcomers(view, replicaset, incident)),
        lambda view: tell_pods(newcomers(view, replicaset, incident)),
    )
    seen = scene.recording.never(newcomer, incident.since)
    measurements.add("watched without a replacement", seen.at - incident.since.at)


@then("its replacement has no Node for as long as that lasts")
def nobody_schedules(
    scene: Scene, replicaset: Object, incident: Incident, injection: Injection, measurements: Measurements
) -> None:
    """The controllers make a Pod, and while the fault is held nobody gives it a Node."""
    made = Check(
        "a brand-new Pod is made",
        frozenset({POD}),
        lambda view: bool(newcomers(view, replicaset, incident)),
        lambda _: "no brand-new Pod",
    )
    scene.recording.wait_until(made, deadlines.CONTROLLER, incident.since, incident.struck)
    injection.hold(deadlines.OUTAGE_HELD)
    placed = Check(
        "a brand-new Pod has a Node",
        frozenset({POD}),
        lambda view: any(pod["spec"].get("nodeName") for pod in newcomers(view, replicaset, incident)),
        lambda view: tell_pods(newcomers(view, replicaset, incident)),
    )
    seen = scene.recording.never(placed, incident.since)
    measurements.add("watched without a Node", seen.at - incident.since.at)


@then("a brand-new Pod takes its place afterwards")
def replaced_afterwards(
    scene: Scene, replicaset: Object, incident: Incident, injection: Injection, measurements: Measurements
) -> None:
    """Once the control plane is whole, what was due is done."""
    injection.undo()
    back = replace(incident, since=scene.recording.mark(), noticed=deadlines.CONTROLLERS_BACK)
    wait_for_brand_new(scene, replicaset, back, measurements)


def _fault(cluster: Cluster, scene: Scene, part: str, how: str) -> Fault:
    capabilities.require(cluster, scene.api, capabilities.PROGRAM_SWITCH)
    return programs.broken(cluster, CONTROL_PLANE, _PROGRAMS[part], how)


def _ready_since(pod: Object) -> str:
    return next(
        str(each["lastTransitionTime"]) for each in pod["status"]["conditions"] if each["type"] == "Ready"
    )
