"""Steps about Deployments and the ReplicaSets that they manage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pytest_bdd import given, parsers, then, when

from podproof.kube import deadlines, rollouts
from podproof.kube.changes import Mark
from podproof.kube.conditions import Check, View, demand
from podproof.kube.kinds import DEPLOYMENT, POD, REPLICA_SET, Object, name, owner_uid, uid
from podproof.kube.scene import Scene, copied
from podproof.kube.states import Gone, OwnedPodsReady, is_ready, owned, tell_pods
from podproof.kube.summary import line
from podproof.verdicts.measurements import Measurements

_VERSION = "VERSION"
OLD, NEW = "1", "2"
"""The versions of the app, before and after an update."""
_HASH = "pod-template-hash"


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a Deployment: the moment just before it, and the ReplicaSet that was in use then."""

    since: Mark
    previous: Object


@given(parsers.parse("a Deployment of {count:d} Ready Pods"), target_fixture="deployment")
def ready_deployment(scene: Scene, count: int) -> Object:
    """Make a Deployment and wait until it has its Pods."""
    return start(scene, "deployments/web", count)


@given(
    parsers.parse("a Deployment of {count:d} Ready Pods that keeps no history"), target_fixture="deployment"
)
def forgetful_deployment(scene: Scene, count: int) -> Object:
    """Make a Deployment with a history limit of none."""
    return start(scene, "deployments/web-no-history", count)


@given(
    parsers.parse("a Deployment of {count:d} Ready Pods with a readiness check"), target_fixture="deployment"
)
def checked_deployment(scene: Scene, count: int) -> Object:
    """Make a Deployment whose Pods are asked whether they are Ready."""
    return start(scene, "deployments/web-readiness", count)


@given("its Pod spec was updated", target_fixture="update")
def was_updated(scene: Scene, deployment: Object) -> Change:
    """Update the Pod spec and wait until the update has been rolled out."""
    change = update(scene, deployment)
    scene.recording.wait_until(finished(scene, deployment), rollouts.duration(deployment), change.since)
    return change


@when("its Pod spec is updated", target_fixture="update")
def update(scene: Scene, deployment: Object) -> Change:
    """Update the Pod spec."""
    change = Change(scene.recording.mark(), only_replicaset(scene, deployment))
    change_template(scene, deployment, NEW)
    return change


@when("the update is rolled back", target_fixture="rollback")
def roll_back(scene: Scene, deployment: Object) -> Mark:
    """Submit the Pod spec from before the update again."""
    since = scene.recording.mark()
    change_template(scene, deployment, OLD)
    return since


@when(parsers.parse("it is scaled to {count:d} Pods"), target_fixture="update")
def scale(scene: Scene, deployment: Object, count: int) -> Change:
    """Change the number of Pods and nothing else."""
    change = Change(scene.recording.mark(), only_replicaset(scene, deployment))
    scene.api.merge(
        DEPLOYMENT, scene.namespace.name, name(deployment), {"spec": {"replicas": count}}, "scale"
    )
    return change


@then("a new ReplicaSet with the new Pod spec is started", target_fixture="new_replicaset")
def new_replicaset(scene: Scene, deployment: Object, update: Change, measurements: Measurements) -> Object:
    """A ReplicaSet that was not there before has the updated Pod spec; gives it."""
    started = Check(
        "a new ReplicaSet of the Deployment, with the new Pod spec",
        frozenset({REPLICA_SET}),
        lambda view: bool(newer(view, deployment, update)),
        lambda view: _tell(owned(view, REPLICA_SET, uid(deployment))),
    )
    bound = deadlines.CONTROLLER
    seen = scene.recording.wait_until(started, bound, update.since)
    measurements.add("reaction", seen.at - update.since.at, bound.seconds, bound.origin)
    return newer(seen.world, deployment, update)[0]


@then("the template hash of the new ReplicaSet differs from that of the old one")
def hashes_differ(update: Change, new_replicaset: Object) -> None:
    """The hash that tells the two ReplicaSets' Pods apart is another."""
    old = update.previous["metadata"]["labels"][_HASH]
    new = new_replicaset["metadata"]["labels"].get(_HASH)
    demand(new is not None and new != old, f"a template hash other than {old}", f"it is {new}")


@then("all Ready Pods have the new Pod spec in the end")
def all_new(scene: Scene, deployment: Object, update: Change, new_replicaset: Object) -> None:
    """When the update has been rolled out, the new ReplicaSet has all Ready Pods that there are."""
    wanted = deployment["spec"]["replicas"]

    def ready(view: View) -> list[Object]:
        return [pod for pod in rollouts.pods_of(view, deployment) if is_ready(pod)]

    only_new = Check(
        f"{wanted} Ready Pods, all of the new version",
        frozenset({POD}),
        lambda view: (
            len(ready(view)) == wanted
            and all(owner_uid(pod) == uid(new_replicaset) for pod in ready(view))
            and {version(pod["spec"]) for pod in ready(view)} == {NEW}
        ),
        lambda view: tell_pods(rollouts.pods_of(view, deployment)),
        several=True,
    )
    scene.recording.wait_until(
        finished(scene, deployment) & only_new, rollouts.duration(deployment), update.since
    )


@then(parsers.parse("the ReplicaSet that it has grows to {count:d} Ready Pods"))
def grows(scene: Scene, update: Change, count: int, deployment: Object) -> None:
    """The same ReplicaSet as before has so many Pods."""
    condition = OwnedPodsReady(uid(update.previous), count)
    scene.recording.wait_until(condition, rollouts.duration(deployment), update.since)


@then("there was never another ReplicaSet")
def no_other(scene: Scene, deployment: Object, update: Change) -> None:
    """At no moment did the Deployment have more than the one ReplicaSet."""
    scene.look_again(DEPLOYMENT, deployment)
    _demand_only(scene, deployment, {uid(update.previous)})


@then("the previous ReplicaSet is deleted")
def previous_deleted(scene: Scene, deployment: Object, update: Change, measurements: Measurements) -> None:
    """It is gone once the update has been rolled out."""
    bound = rollouts.duration(deployment)
    gone = Gone(REPLICA_SET, uid(update.previous))
    seen = scene.recording.wait_until(gone, bound, update.since)
    measurements.add("previous ReplicaSet gone", seen.at - update.since.at, bound.seconds, bound.origin)


@then(parsers.parse("the new ReplicaSet had {count:d} Ready Pods before that"))
def healthy_before(scene: Scene, deployment: Object, update: Change, count: int) -> None:
    """At the moment at which the previous ReplicaSet went, the new one counted so many Ready Pods."""
    gone = Gone(REPLICA_SET, uid(update.previous))
    seen = scene.recording.wait_until(gone, rollouts.duration(deployment), update.since)
    ready = [each.get("status", {}).get("readyReplicas", 0) for each in newer(seen.world, deployment, update)]
    told = " and ".join(map(str, ready)) or "no ReplicaSet"
    demand(ready == [count], f"{count} Ready Pods of the new ReplicaSet by then", told)


@then("the previous ReplicaSet is scaled down to no Pods")
def emptied(scene: Scene, deployment: Object, update: Change) -> None:
    """It wants no Pods and has none."""
    previous = uid(update.previous)

    def empty(view: View) -> bool:
        known = view.one(REPLICA_SET, previous)
        return known is not None and known["spec"]["replicas"] == known["status"]["replicas"] == 0

    scene.recording.wait_until(
        Check(
            "the previous ReplicaSet wants no Pods and has none",
            frozenset({REPLICA_SET}),
            empty,
            lambda view: _tell([each for each in view.all(REPLICA_SET) if uid(each) == previous]),
        ),
        rollouts.duration(deployment),
        update.since,
    )


@then("the previous ReplicaSet still exists when the Deployment has finished")
def kept(scene: Scene, deployment: Object, update: Change) -> None:
    """It was there all the time, and the controller has looked again after the end of the rollout."""
    scene.recording.wait_until(finished(scene, deployment), rollouts.duration(deployment), update.since)
    scene.look_again(DEPLOYMENT, deployment)
    scene.recording.never(Gone(REPLICA_SET, uid(update.previous)), update.since)


@then(parsers.parse("the previous ReplicaSet has {count:d} Ready Pods again"))
def used_again(scene: Scene, deployment: Object, update: Change, rollback: Mark, count: int) -> None:
    """The ReplicaSet of the same identity has its Pods back."""
    condition = OwnedPodsReady(uid(update.previous), count)
    scene.recording.wait_until(condition, rollouts.duration(deployment), rollback)


@then("there are no other ReplicaSets than these two")
def only_two(scene: Scene, deployment: Object, update: Change) -> None:
    """At no moment did the Deployment have a third one."""
    scene.look_again(DEPLOYMENT, deployment)
    scene.recording.catch_up((REPLICA_SET,))
    second = newer(scene.recording.world(), deployment, update)[:1]
    _demand_only(scene, deployment, {uid(update.previous), *map(uid, second)})


def start(scene: Scene, manifest: str, count: int, change: Callable[[Object], None] | None = None) -> Object:
    """Apply a manifest with a Deployment and wait until that has so many Pods; gives the Deployment.

    Args:
        scene: Where.
        manifest: See `Scene.apply`.
        count: How many Pods.
        change: Changes the Deployment before it is applied.
    """

    def resize(thing: Object) -> None:
        if thing["kind"] == DEPLOYMENT.name:
            thing["spec"]["replicas"] = count
            if change:
                change(thing)

    since = scene.recording.mark()
    deployment = next(each for each in scene.apply(manifest, resize) if each["kind"] == DEPLOYMENT.name)
    scene.recording.wait_until(rollouts.finished(deployment), rollouts.duration(deployment), since)
    # What the Deployment says of its Pods the watch of Pods may not have delivered yet, and from now on
    # somebody may ask what held all the time.
    scene.recording.catch_up((POD, REPLICA_SET))
    return deployment


def change_template(
    scene: Scene, deployment: Object, to: str, change: Callable[[Object], None] | None = None
) -> None:
    """Submit the Deployment's manifest with another version of the app, as `kubectl apply` does.

    Args:
        scene: Where it is.
        deployment: The Deployment.
        to: The version.
        change: Changes the Pod template further.
    """
    applied = next(each for each in scene.namespace.applied if uid(each.stored) == uid(deployment))
    changed = copied(applied.submitted)
    template = changed["spec"]["template"]
    for variable in template["spec"]["containers"][0]["env"]:
        if variable["name"] == _VERSION:
            variable["value"] = to
    if change:
        change(template)
    scene.namespace.apply(changed, f"{applied.source}, {_VERSION} changed to {to}")


def version(pod_spec: Object) -> str:
    """The version of the app that a Pod specification runs."""
    environment = pod_spec["containers"][0]["env"]
    return next(str(each["value"]) for each in environment if each["name"] == _VERSION)


def newer(view: View, deployment: Object, update: Change) -> list[Object]:
    """The Deployment's ReplicaSets of version 2 that were not there before the update."""
    return [
        each
        for each in owned(view, REPLICA_SET, uid(deployment))
        if uid(each) != uid(update.previous) and version(each["spec"]["template"]["spec"]) == NEW
    ]


def only_replicaset(scene: Scene, deployment: Object) -> Object:
    """The one ReplicaSet that the Deployment has."""
    found = scene.owned(REPLICA_SET, deployment)
    demand(len(found) == 1, "one ReplicaSet", _tell(found))
    return found[0]


def _demand_only(scene: Scene, deployment: Object, known: set[str]) -> None:
    others = Check(
        f"a ReplicaSet beside the {len(known)} that are known",
        frozenset({REPLICA_SET}),
        lambda view: not {uid(each) for each in owned(view, REPLICA_SET, uid(deployment))} <= known,
        lambda view: _tell(owned(view, REPLICA_SET, uid(deployment))),
    )
    scene.recording.never(others, scene.recording.started)


def finished(scene: Scene, deployment: Object) -> Check:
    """The Deployment has been rolled out as it is specified now."""
    return rollouts.finished(scene.api.get(DEPLOYMENT, scene.namespace.name, name(deployment)))


def _tell(replicasets: list[Object]) -> str:
    return "; ".join(f"{name(each)} ({line(each)})" for each in replicasets) or "no ReplicaSet"
