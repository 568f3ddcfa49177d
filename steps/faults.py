"""Steps in which something befalls Pods and containers."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from podproof.faults import containers, pods
from podproof.faults.pods import Incident
from podproof.kube import deadlines
from podproof.kube.kinds import POD, Object, uid
from podproof.kube.scene import Scene
from podproof.kube.states import Replaced, container_status
from podproof.verdicts.measurements import Measurements


@when(parsers.re("one of its Pods (is )?(?P<lost>deleted|evicted|fails)"), target_fixture="incident")
def lose_one(scene: Scene, replicaset: Object, lost: str) -> Incident:
    """Lose one of a ReplicaSet's Pods."""
    return pods.LOSSES[lost](scene, scene.owned(POD, replicaset)[0])


@when(parsers.re("the Pod is (?P<lost>deleted|evicted)"), target_fixture="incident")
def lose_it(scene: Scene, pod: Object, lost: str) -> Incident:
    """Lose the Pod."""
    return pods.LOSSES[lost](scene, pod)


@when(
    parsers.re("a container of one of its Pods (?P<ends>crashes|fails its liveness check)"),
    target_fixture="incident",
)
def end_one(scene: Scene, replicaset: Object, ends: str) -> Incident:
    """End a container of one of a ReplicaSet's Pods."""
    return containers.ENDINGS[ends](scene, scene.owned(POD, replicaset)[0], "app")


@when(
    parsers.re("the first Container (?P<ends>crashes|is killed|runs out of memory|fails its liveness check)"),
    target_fixture="incident",
)
def end_first(scene: Scene, pod: Object, ends: str) -> Incident:
    """End the first container of the Pod."""
    return containers.ENDINGS[ends](scene, pod, "first")


@when("one of its Pods fails its readiness check", target_fixture="incident")
def make_unready(scene: Scene, replicaset: Object) -> Incident:
    """Make one of a ReplicaSet's Pods unready."""
    return containers.fail_readiness(scene, scene.owned(POD, replicaset)[0], "app")


@given("one of its Pods has stopped being Ready", target_fixture="pod")
def broken_pod(scene: Scene, replicaset: Object) -> Object:
    """Make one of a ReplicaSet's Pods unready for good; gives it."""
    return containers.fail_readiness(scene, scene.owned(POD, replicaset)[0], "app").pod


@then("the container is started again in the same Pod")
def same_pod_restarts(scene: Scene, incident: Incident, measurements: Measurements) -> None:
    """Another instance of the container runs in the Pod of the same identity."""
    wait_for_replacement(scene, incident, "app", measurements)


def wait_for_replacement(
    scene: Scene, incident: Incident, container: str, measurements: Measurements
) -> Object:
    """Wait until another instance of a container runs; gives the Pod."""
    pod = incident.pod
    instance = container_status(pod, container)["containerID"]
    bound = deadlines.CONTAINER_RESTART
    if incident.by_liveness:
        bound = deadlines.liveness_restart(pod, container)
    seen = scene.recording.wait_until(
        Replaced(uid(pod), container, instance), bound, incident.since, incident.struck
    )
    measurements.add("recovery", seen.at - incident.since.at, bound.seconds or None, bound.origin)
    return scene.now(POD, uid(pod))
