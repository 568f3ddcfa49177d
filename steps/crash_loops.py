"""Steps about containers that crash again and again."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from pytest_bdd import given, parsers, then, when

from podproof.kube import deadlines
from podproof.kube.conditions import Check, View, demand, preparing
from podproof.kube.kinds import POD, Object, name, uid
from podproof.kube.scene import Scene
from podproof.kube.states import Gone, container_status
from podproof.kube.summary import line
from podproof.verdicts.measurements import Measurements

_WAITS = "CrashLoopBackOff"
_FIRST = 10.0
"""Seconds before the second restart; twice as many before each further one. Documented: pod-lifecycle."""
_ROUNDING = 1.0
"""Seconds by which the difference of two of the kubelet's times may be wrong: they are whole seconds."""


@given("a Pod whose Container crashes whenever it is started", target_fixture="pod")
def crashing(scene: Scene) -> Object:
    """Make it."""
    return scene.apply("beyond/crashes-always")[0]


@given("it has been made to wait for long")
def waits(scene: Scene, pod: Object) -> None:
    """Wait until it has ended for the third time: now it waits for longer than a new Pod takes to start.

    That it waits the kubelet may say only when it is about to start it again.
    """
    bound = deadlines.POD_STARTUP + deadlines.crash_back_off(0) + deadlines.crash_back_off(1)
    again = Check(
        "it has been restarted twice, and has ended again",
        frozenset({POD}),
        lambda view: (
            _status(view, pod).get("restartCount", 0) == 2
            and "running" not in _status(view, pod).get("state", {})
        ),
        lambda view: line(view.one(POD, uid(pod)) or pod),
    )
    with preparing("the Pod is to wait because of its crashes"):
        scene.recording.wait_until(again, bound, scene.recording.started)


@when(parsers.parse("it has been restarted {count:d} times"))
def restarted(scene: Scene, pod: Object, count: int) -> None:
    """Wait until its container has been started so many times after the first."""
    bound = deadlines.POD_STARTUP
    for number in range(count):
        bound = bound + deadlines.crash_back_off(number)
    times = Check(
        f"{count} restarts",
        frozenset({POD}),
        lambda view: _status(view, pod).get("restartCount", 0) >= count,
        lambda view: line(view.one(POD, uid(pod)) or pod),
    )
    with preparing(f"the container is to be restarted {count} times"):
        scene.recording.wait_until(times, bound, scene.recording.started)


@when("another Pod is made from the same manifest in its place", target_fixture="pod")
def make_anew(scene: Scene, pod: Object) -> Object:
    """Replace it by another Pod from the same manifest; gives that."""
    since = scene.recording.mark()
    scene.api.delete(POD, scene.namespace.name, name(pod))
    with preparing("the Pod is to be gone"):
        scene.recording.wait_until(Gone(POD, uid(pod)), deadlines.termination(pod), since)
    return crashing(scene)


@when("a Pod is created whose Container crashes and is never restarted", target_fixture="pod")
def crashing_once(scene: Scene) -> Object:
    """Make it."""
    return scene.apply("beyond/crashes-never")[0]


@then("the Pod says that it waits because of its crashes")
def says_so(scene: Scene, pod: Object) -> None:
    """Its container's state was CrashLoopBackOff."""
    scene.recording.wait_until(_waits(pod), deadlines.CONTROLLER, scene.recording.started)


@then("the waits before its restarts doubled from 10 seconds on")
def doubled(scene: Scene, pod: Object, measurements: Measurements) -> None:
    """By the kubelet's own times, from the end of each instance to the start of the next."""
    gaps = _gaps(scene, pod)
    for number, gap in enumerate(gaps, 1):
        wanted = 0.0 if number == 1 else _FIRST * 2 ** (number - 2)
        bound = deadlines.crash_back_off(number - 1)
        measurements.add(f"wait before restart {number}", gap, bound.seconds or None, bound.origin)
        demand(
            wanted - _ROUNDING <= gap <= bound.patience,
            f"{wanted:g} s at least before restart {number}, and {bound.patience:g} s at most",
            f"{gap:g} s; all waits: {', '.join(f'{each:g} s' for each in gaps)}",
        )


@then("its Container is started at once")
def started_at_once(scene: Scene, pod: Object, measurements: Measurements) -> None:
    """The first start of the new Pod waits for nothing, though the one before it had to."""
    began = Check(
        "its container was started",
        frozenset({POD}),
        lambda view: bool(_ends(_status(view, pod))),
        lambda view: line(view.one(POD, uid(pod)) or pod),
    )
    bound = deadlines.POD_STARTUP
    scene.recording.catch_up((POD,))
    since = next(change.at for change in scene.recording.history(POD) if uid(change.thing) == uid(pod))
    seen = scene.recording.wait_until(began, bound)
    measurements.add("time to the first start", seen.at - since, bound.seconds, bound.origin)
    first = _ends(_status(seen.world, pod))[0]
    made = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    took = (datetime.fromisoformat(first["startedAt"]) - made).total_seconds()
    demand(took < _FIRST, f"a start within {_FIRST:g} s of its creation", f"after {took:g} s")


@then("the Pod has failed without a restart")
def failed_once(scene: Scene, pod: Object) -> None:
    """Its phase says so, its container was never started again, and it never said that it waits."""
    failed = Check(
        "the Pod has failed",
        frozenset({POD}),
        lambda view: (view.one(POD, uid(pod)) or pod).get("status", {}).get("phase") == "Failed",
        lambda view: line(view.one(POD, uid(pod)) or pod),
    )
    bound = deadlines.POD_STARTUP + deadlines.POD_REMOVED
    seen = scene.recording.wait_until(failed, bound, scene.recording.started)
    count = _status(seen.world, pod).get("restartCount", 0)
    demand(count == 0, "no restart", f"{count} restarts")
    scene.recording.never(_waits(pod), scene.recording.started)


def _status(view: View, pod: Object) -> Object:
    return container_status(view.one(POD, uid(pod)) or pod, "app")


def _waits(pod: Object) -> Check:
    return Check(
        f"its container waits: {_WAITS}",
        frozenset({POD}),
        lambda view: _status(view, pod).get("state", {}).get("waiting", {}).get("reason") == _WAITS,
        lambda view: line(view.one(POD, uid(pod)) or pod),
    )


def _ends(status: Object) -> list[Object]:
    """The instances of a container whose ends it knows of, the older one first."""
    ends = [status.get(key, {}).get("terminated") for key in ("lastState", "state")]
    return [end for end in ends if end]


def _gaps(scene: Scene, pod: Object) -> list[float]:
    """Seconds from the end of each instance of the container to the start of the next, in whole seconds."""
    instances: dict[str, tuple[datetime, datetime]] = {}
    for change in scene.recording.history(POD):
        if uid(change.thing) == uid(pod):
            for end in _ends(container_status(change.thing, "app")):
                times = (end["startedAt"], end["finishedAt"])
                started, finished = map(datetime.fromisoformat, times)
                instances[end["containerID"]] = (started, finished)
    ordered = sorted(instances.values())
    return [(after[0] - before[1]).total_seconds() for before, after in pairwise(ordered)]
