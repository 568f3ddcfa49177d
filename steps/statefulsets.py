"""Steps about StatefulSets, whose Pods have an identity that no two may have at a time."""

from __future__ import annotations

from contextlib import ExitStack

from pytest_bdd import given, then, when

from podproof.cluster.base import Cluster
from podproof.faults.injected import injected
from podproof.faults.nodes import OutOfService
from podproof.faults.pods import Incident
from podproof.kube import deadlines
from podproof.kube.changes import Mark
from podproof.kube.conditions import Check, View, preparing
from podproof.kube.kinds import POD, Object, name, uid
from podproof.kube.scene import Scene
from podproof.kube.states import OwnedPodsReady, is_ready, tell_pods
from podproof.kube.summary import line
from podproof.verdicts.measurements import Measurements
from steps.nodes import on_victim, power_off, prefer_victim


@given("a StatefulSet of 1 Ready Pod on a Node that may be broken", target_fixture="statefulset")
def statefulset_on_victim(scene: Scene, victim_node: str) -> Object:
    """Make a StatefulSet whose one Pod runs on a Node that may be broken."""

    def admit_victim(thing: Object) -> None:
        prefer_victim(thing["spec"]["template"], victim_node)

    [statefulset] = scene.apply("statefulsets/alone", admit_victim)
    bound = deadlines.replacement_ready(statefulset["spec"]["template"])
    with preparing("the StatefulSet's Pod is to be started"):
        scene.recording.wait_until(OwnedPodsReady(uid(statefulset), 1), bound)
    return statefulset


@given("its Node was powered off and its Pod was given up", target_fixture="incident")
def was_powered_off(
    cluster: Cluster, scene: Scene, statefulset: Object, victim_node: str, repairs: ExitStack
) -> Incident:
    """Cut the power of its Pod's Node, and wait until the Pod is told to end, which nobody does."""
    pod = on_victim(scene, statefulset, victim_node)
    incident = power_off(cluster, scene, pod, repairs)
    with preparing("the Pod is to be given up"):
        scene.recording.wait_until(_given_up(pod), incident.noticed, incident.since, incident.struck)
    return incident


@when("the Node is marked as out of service", target_fixture="marked")
def mark(cluster: Cluster, scene: Scene, victim_node: str, repairs: ExitStack) -> Mark:
    """Tell Kubernetes that the Node is gone; gives the moment just before."""
    since = scene.recording.mark()
    repairs.enter_context(injected(OutOfService(cluster, victim_node)))
    return since


@then("a Pod of the same name and another identity takes its place")
def succeeded(scene: Scene, incident: Incident, marked: Mark, measurements: Measurements) -> None:
    """It is Ready, on another Node."""
    lost = incident.pod
    bound = deadlines.POD_COLLECTED + deadlines.replacement_ready(lost)

    def successors(view: View) -> list[Object]:
        return [pod for pod in view.all(POD) if name(pod) == name(lost) and uid(pod) != uid(lost)]

    ready = Check(
        f"another Pod {name(lost)} is Ready on another Node",
        frozenset({POD}),
        lambda view: any(
            is_ready(pod) and pod["spec"]["nodeName"] != lost["spec"]["nodeName"] for pod in successors(view)
        ),
        lambda view: tell_pods(list(view.all(POD))),
    )
    seen = scene.recording.wait_until(ready, bound, marked)
    measurements.add("successor Ready after the mark", seen.at - marked.at, bound.seconds, bound.origin)


@then("nobody took its place before that")
def nobody_before(scene: Scene, incident: Incident, marked: Mark, measurements: Measurements) -> None:
    """From the loss of the Node until it was marked, there was no other Pod."""
    lost = incident.pod
    another = Check(
        f"a Pod beside {name(lost)}",
        frozenset({POD}),
        lambda view: any(uid(pod) != uid(lost) for pod in view.all(POD)),
        lambda view: tell_pods(list(view.all(POD))),
    )
    seen = scene.recording.never(another, incident.since, marked)
    measurements.add("watched without a replacement", seen.at - incident.since.at)


def _given_up(pod: Object) -> Check:
    def told_to_end(view: View) -> bool:
        known = view.one(POD, uid(pod))
        return known is None or "deletionTimestamp" in known["metadata"]

    return Check(
        f"Pod {name(pod)} is told to end",
        frozenset({POD}),
        told_to_end,
        lambda view: line(view.one(POD, uid(pod)) or pod),
    )
