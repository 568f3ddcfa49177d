"""Steps about what the kubelet asks containers, and what it makes of the answers."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from podproof.faults.pods import Incident
from podproof.kube import deadlines, files
from podproof.kube.conditions import Check, View, preparing
from podproof.kube.kinds import ENDPOINT_SLICE, POD, Object, name, uid
from podproof.kube.scene import Scene
from podproof.kube.states import PodReady, SameInstance, container_status
from podproof.kube.summary import line
from podproof.verdicts.measurements import Measurements
from steps.replicasets import served


@when(
    parsers.re("a Pod is created that starts slowly, (?P<how>with|without) a startup check"),
    target_fixture="pod",
)
def create_slow(scene: Scene, how: str) -> Object:
    """Make a Pod whose app answers nothing for its first seconds."""
    return scene.apply(f"beyond/slow-start-{how}")[0]


@then("the Pod becomes Ready")
def becomes_ready(scene: Scene, pod: Object, measurements: Measurements) -> None:
    """It does so once its startup check, and then its readiness check, has succeeded."""
    bound = deadlines.SLOW_START + deadlines.pod_ready(pod)
    since = scene.recording.started
    seen = scene.recording.wait_until(PodReady(uid(pod)), bound, since)
    measurements.add("time to be Ready", seen.at - since.at, bound.seconds, bound.origin)


@then("its Container was not restarted on the way")
def never_restarted(scene: Scene, pod: Object) -> None:
    """At no moment was there more than one instance of it."""
    scene.recording.never(_restarted(pod), scene.recording.started)


@then("its Container is restarted before the Pod is ever Ready")
def restarted_too_early(scene: Scene, pod: Object, measurements: Measurements) -> None:
    """It is restarted although it is only slow, and the Pod has not been Ready until then."""
    since = scene.recording.started
    bound = deadlines.pod_ready(pod) + deadlines.liveness_restart(pod, "app")
    seen = scene.recording.wait_until(_restarted(pod), bound, since)
    measurements.add("time to the restart", seen.at - since.at, bound.seconds, bound.origin)
    scene.recording.never(PodReady(uid(pod)), since, seen)


@then("the unready Pod's Container runs on as it was")
def runs_on_unready(scene: Scene, incident: Incident) -> None:
    """The same instance of it has been running all the time, and the Pod is still not Ready."""
    pod = incident.pod
    instance = container_status(pod, "app")["containerID"]
    unready = ~PodReady(uid(pod))
    since = incident.struck or incident.since
    scene.recording.always(SameInstance(uid(pod), "app", instance) & unready, since)


@then("the Service lists that Pod again when its check succeeds")
def listed_again(scene: Scene, incident: Incident, measurements: Measurements) -> None:
    """Its check succeeds from now on, and the Service sends it requests again."""
    pod = incident.pod
    since = scene.recording.mark()
    with preparing("the Pod's readiness check is to succeed again"):
        files.must_run(scene.api, pod, "app", "rm /tmp/unready")
    listed = Check(
        f"the Service lists Pod {name(pod)}",
        frozenset({ENDPOINT_SLICE}),
        lambda view: uid(pod) in served(view),
        lambda _: "it does not",
    )
    bound = deadlines.readiness(pod) + deadlines.CONTROLLER
    seen = scene.recording.wait_until(listed, bound, since)
    measurements.add("listed again", seen.at - since.at, bound.seconds, bound.origin)


def _restarted(pod: Object) -> Check:
    def known(view: View) -> Object:
        return view.one(POD, uid(pod)) or pod

    return Check(
        "its container has been restarted",
        frozenset({POD}),
        lambda view: container_status(known(view), "app").get("restartCount", 0) > 0,
        lambda view: line(known(view)),
    )
