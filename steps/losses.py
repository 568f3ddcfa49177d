"""Steps about who replaces Pods that are lost, and who does not."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from podproof.faults import pods
from podproof.faults.pods import Incident
from podproof.kube import deadlines
from podproof.kube.conditions import Check, View, demand
from podproof.kube.kinds import POD, REPLICA_SET, Object, name, owner_uid, uid
from podproof.kube.scene import Scene
from podproof.kube.states import PodReady, is_ready, tell_pods
from podproof.kube.summary import line
from podproof.verdicts.measurements import Measurements
from steps.deployments import Change
from steps.replicasets import newcomers


@when(parsers.re("all Pods are (?P<lost>deleted|evicted)"), target_fixture="incident")
def lose_all(scene: Scene, pod: Object, replicaset: Object, lost: str) -> Incident:
    """Lose the Pod made by hand first and then the ReplicaSet's; gives the loss of the first."""
    of_replicaset = scene.owned(POD, replicaset)
    incident = pods.LOSSES[lost](scene, pod)
    for each in of_replicaset:
        pods.LOSSES[lost](scene, each)
    return incident


@then("the ReplicaSet's Pod is replaced")
def replicasets_pod_replaced(
    scene: Scene, replicaset: Object, incident: Incident, measurements: Measurements
) -> None:
    """A Pod of the ReplicaSet that was not there before is Ready."""
    bound = deadlines.replacement_ready(replicaset["spec"]["template"], incident.noticed)

    ready = Check(
        "a brand-new Pod of the ReplicaSet is Ready",
        frozenset({POD}),
        lambda view: any(map(is_ready, newcomers(view, replicaset, incident))),
        lambda view: tell_pods(newcomers(view, replicaset, incident)),
    )
    seen = scene.recording.wait_until(ready, bound, incident.since, incident.struck)
    measurements.add("recovery", seen.at - incident.since.at, bound.seconds, bound.origin)


@then("the Pod made by hand was not replaced")
def not_replaced(scene: Scene, replicaset: Object, incident: Incident, measurements: Measurements) -> None:
    """It is lost, and while the ReplicaSet's were replaced there was never another in its place."""
    lost = uid(incident.pod)

    def is_lost(view: View) -> bool:
        known = view.one(POD, lost)
        return known is None or "deletionTimestamp" in known["metadata"]

    gone = scene.recording.wait_until(
        Check(
            f"Pod {name(incident.pod)} is gone, or given up",
            frozenset({POD}),
            is_lost,
            lambda view: line(view.one(POD, lost) or incident.pod),
        ),
        incident.noticed + deadlines.termination(incident.pod),
        incident.since,
        incident.struck,
    )
    scene.look_again(REPLICA_SET, replicaset)
    scene.recording.never(PodReady(lost), gone)
    seen = scene.recording.never(_another_pod(incident, but=uid(replicaset)), incident.since)
    measurements.add("watched without a replacement", seen.at - incident.since.at)


@then("there was never another Pod")
def never_another(scene: Scene, pod: Object) -> None:
    """At no moment of the scenario was there a Pod beside the one."""
    another = Check(
        "another Pod",
        frozenset({POD}),
        lambda view: any(uid(each) != uid(pod) for each in view.all(POD)),
        lambda view: tell_pods(list(view.all(POD))),
    )
    scene.recording.never(another, scene.recording.started)


@then("none of them was there before the update")
def all_brand_new(scene: Scene, update: Change) -> None:
    """No Pod of now shares its identity or its name with one from before."""
    earlier = scene.recording.world(update.since).all(POD)
    now = [each for each in scene.recording.latest(POD) if is_ready(each)]
    kept = {uid(each) for each in now} & {uid(each) for each in earlier}
    kept |= {name(each) for each in now} & {name(each) for each in earlier}
    demand(bool(now) and not kept, "Pods of other identities and names", tell_pods(now))


def _another_pod(incident: Incident, but: str) -> Check:
    """A Pod that was not there before the incident and does not belong to a certain controller."""

    def others(view: View) -> list[Object]:
        return [each for each in view.all(POD) if uid(each) not in incident.known and owner_uid(each) != but]

    return Check(
        f"a Pod in the place of Pod {name(incident.pod)}",
        frozenset({POD}),
        lambda view: bool(others(view)),
        lambda view: tell_pods(others(view)),
    )
