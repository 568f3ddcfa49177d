"""Steps about how Pods end that are told to."""

from __future__ import annotations

from datetime import datetime

from pytest_bdd import given, then, when

from podproof.faults import pods
from podproof.faults.pods import Incident
from podproof.kube import deadlines
from podproof.kube.conditions import Check, View, demand
from podproof.kube.kinds import POD, Object, uid
from podproof.kube.scene import Scene
from podproof.kube.states import Gone, container_status
from podproof.verdicts.measurements import Measurements

_DONE, _FOUND, _KILLED = 7, 8, 128 + 9
"""Exit codes: of manifests/beyond/ends-well.yaml, of hook.yaml, and as a shell puts SIGKILL."""
_WORK = 3.0
"""Seconds that ends-well.yaml works after it is told to end."""
_ROUNDING = 1.0
"""Seconds by which the difference of two of the kubelet's times may be wrong: they are whole seconds."""


@given("a Ready Pod that takes 3 seconds to finish its work", target_fixture="pod")
def ends_well(scene: Scene) -> Object:
    """Make a Pod that works on for three seconds when it is told to end."""
    return scene.start_pod("beyond/ends-well")


@given("a Ready Pod whose hook leaves a file for its Container", target_fixture="pod")
def with_hook(scene: Scene) -> Object:
    """Make a Pod with a hook that is run before it is told to end."""
    return scene.start_pod("beyond/hook")


@given("a Ready Pod that ignores being told to end", target_fixture="pod")
def ignores_end(scene: Scene) -> Object:
    """Make a Pod that does not hear SIGTERM."""
    return scene.start_pod("beyond/ignores-end")


@when("the Pod is deleted without a grace period", target_fixture="incident")
def delete_at_once(scene: Scene, pod: Object) -> Incident:
    """Delete it as `kubectl delete --grace-period=0 --force` does."""
    return pods.delete_at_once(scene, pod)


@then("its Container ended by itself when its work was done")
def ended_by_itself(scene: Scene, incident: Incident, measurements: Measurements) -> None:
    """Its exit code is its own, and it was given the time that it took."""
    ended = _ended(scene, incident)
    demand(ended["exitCode"] == _DONE, f"exit code {_DONE}, its own", f"exit code {ended['exitCode']}")
    took = _seconds_from_deletion(scene, incident, ended)
    measurements.add("time to end", took, None, f"it works for {_WORK:g} s, by its manifest")
    demand(
        took >= _WORK - _ROUNDING,
        f"{_WORK:g} s at least from its deletion to its end, to the second",
        f"{took:g} s",
    )


@then("the Pod was gone within its grace period")
def gone_in_time(scene: Scene, incident: Incident, measurements: Measurements) -> None:
    """The API has it no more, as soon as the kubelet has cleaned up after it."""
    bound = deadlines.termination(incident.pod)
    seen = scene.recording.wait_until(Gone(POD, uid(incident.pod)), bound, incident.since, incident.struck)
    measurements.add("Pod gone", seen.at - incident.since.at, bound.seconds, bound.origin)


@then("the deleted Pod is gone")
def deleted_is_gone(scene: Scene, incident: Incident, measurements: Measurements) -> None:
    """The API has it no more."""
    gone_in_time(scene, incident, measurements)


@then("its Container found the file when it was told to end")
def found_file(scene: Scene, incident: Incident) -> None:
    """It says so by its exit code: the hook was over before it got SIGTERM."""
    ended = _ended(scene, incident)
    demand(
        ended["exitCode"] == _FOUND,
        f"exit code {_FOUND}: the file was there",
        f"exit code {ended['exitCode']}",
    )


@then("its Container was killed when its grace period was over")
def killed_in_the_end(scene: Scene, incident: Incident, measurements: Measurements) -> None:
    """It was not killed before, and soon after."""
    grace = float(incident.pod["spec"]["terminationGracePeriodSeconds"])
    ended = _ended(scene, incident)
    demand(ended["exitCode"] == _KILLED, f"exit code {_KILLED}: SIGKILL", f"exit code {ended['exitCode']}")
    took = _seconds_from_deletion(scene, incident, ended)
    measurements.add(
        "time to be killed", took, None, f"at least its terminationGracePeriodSeconds, {grace:g} s"
    )
    demand(
        took >= grace - _ROUNDING, f"{grace:g} s at least before it is killed, to the second", f"{took:g} s"
    )


@then("the Pod is gone at once")
def gone_at_once(scene: Scene, incident: Incident, measurements: Measurements) -> None:
    """The API has it no more, whatever runs on its Node."""
    bound = deadlines.CONTROLLER.named("a Pod to be forgotten", "nobody is asked whether it has ended")
    seen = scene.recording.wait_until(Gone(POD, uid(incident.pod)), bound, incident.since, incident.struck)
    measurements.add("Pod gone", seen.at - incident.since.at, bound.seconds, bound.origin)


@then("nobody saw its Container end")
def never_seen_ended(scene: Scene, incident: Incident) -> None:
    """In all that was ever heard of the Pod its container ran."""

    def ended(view: View) -> bool:
        known = view.one(POD, uid(incident.pod)) or view.gone(POD, uid(incident.pod)) or incident.pod
        return "terminated" in container_status(known, "app").get("state", {})

    told = Check("its container has ended", frozenset({POD}), ended, lambda _: "it is said to have ended")
    scene.recording.never(told, scene.recording.started)


def _ended(scene: Scene, incident: Incident) -> Object:
    """How the Pod's container ended, by the last that was heard of the Pod."""
    bound = deadlines.termination(incident.pod)
    pod = uid(incident.pod)
    seen = scene.recording.wait_until(Gone(POD, pod), bound, incident.since, incident.struck)
    last = seen.world.gone(POD, pod) or incident.pod
    ended: Object | None = container_status(last, "app").get("state", {}).get("terminated")
    demand(
        ended is not None,
        "a Pod that says how its container ended before it is gone",
        otherwise="it does not say",
    )
    return ended or {}


def _seconds_from_deletion(scene: Scene, incident: Incident, ended: Object) -> float:
    """From the deletion by the API server's clock to the end by the kubelet's, in whole seconds."""
    metadata = next(  # as it was marked first: in the end the kubelet sets its time to none
        change.thing["metadata"]
        for change in scene.recording.history(POD)
        if uid(change.thing) == uid(incident.pod) and "deletionTimestamp" in change.thing["metadata"]
    )
    due = datetime.fromisoformat(metadata["deletionTimestamp"])  # when its grace period is over
    finished = datetime.fromisoformat(ended["finishedAt"])
    return float(metadata["deletionGracePeriodSeconds"]) - (due - finished).total_seconds()
