"""Steps about what a Deployment owns, and what becomes of that when something of it is deleted."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_bdd import parsers, then, when

from podproof.kube import deadlines, rollouts
from podproof.kube.changes import Mark
from podproof.kube.conditions import Check, View, demand
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import DEPLOYMENT, POD, REPLICA_SET, Object, name, owner, owner_uid, uid
from podproof.kube.scene import Scene
from podproof.kube.states import Gone, OwnedPodsReady, SamePods, owned, tell_pods
from podproof.kube.summary import line
from podproof.verdicts.measurements import Measurements
from steps.deployments import only_replicaset, start


@dataclass(frozen=True, slots=True)
class Deletion:
    """The moment just before something was deleted, and what there was then."""

    since: Mark
    replicaset: Object
    pods: frozenset[str]


@when(parsers.parse("a Deployment of {count:d} Pods is created"), target_fixture="deployment")
def create(scene: Scene, count: int) -> Object:
    """Make a Deployment."""
    return start(scene, "deployments/web", count)


@when("its ReplicaSet is deleted", target_fixture="deletion")
def delete_replicaset(scene: Scene, deployment: Object) -> Deletion:
    """Delete the ReplicaSet, and with it its Pods."""
    deletion = _before(scene, deployment)
    scene.api.delete(
        REPLICA_SET, scene.namespace.name, name(deletion.replicaset), uid=uid(deletion.replicaset)
    )
    return deletion


@when("the Deployment is deleted", target_fixture="deletion")
def delete_all(scene: Scene, deployment: Object) -> Deletion:
    """Delete the Deployment as `kubectl delete` does."""
    return _delete(scene, deployment, "Background")


@when("the Deployment is deleted and what it owns is orphaned", target_fixture="deletion")
def delete_alone(scene: Scene, deployment: Object) -> Deletion:
    """Delete the Deployment as `kubectl delete --cascade=orphan` does."""
    return _delete(scene, deployment, "Orphan")


@then("the Deployment owns one ReplicaSet", target_fixture="replicaset")
def owns_replicaset(scene: Scene, deployment: Object) -> Object:
    """There is one ReplicaSet in the namespace, and the Deployment is its owner; gives it."""
    scene.recording.catch_up((REPLICA_SET,))  # seen of the Deployment so far, by another watch
    found = [each for each in scene.recording.latest(REPLICA_SET) if owner_uid(each) == uid(deployment)]
    everything = scene.recording.latest(REPLICA_SET)
    told = "; ".join(f"{name(each)} of {owner(each)}" for each in everything)
    demand(len(found) == len(everything) == 1, "one ReplicaSet, of the Deployment", told or "no ReplicaSet")
    return found[0]


@then(parsers.parse("that ReplicaSet owns all {count:d} Pods"))
def owns_pods(scene: Scene, deployment: Object, replicaset: Object, count: int) -> None:
    """The Pods that the Deployment selects have that ReplicaSet for their owner."""
    scene.recording.catch_up((POD,))
    pods = rollouts.pods_of(scene.recording.world(), deployment)
    owners = [owner_uid(pod) for pod in pods]
    told = "; ".join(f"Pod {name(pod)} of {owner(pod)}" for pod in pods)
    demand(owners == [uid(replicaset)] * count, f"{count} Pods, all of the ReplicaSet", told or "no Pod")


@then("a new ReplicaSet with the same Pod spec takes its place", target_fixture="replicaset")
def replicaset_is_back(
    scene: Scene, deployment: Object, deletion: Deletion, measurements: Measurements
) -> Object:
    """The Deployment has a ReplicaSet of another identity with the same template; gives it."""
    before = deletion.replicaset

    def found(view: View) -> list[Object]:
        return [
            each
            for each in owned(view, REPLICA_SET, uid(deployment))
            if uid(each) != uid(before) and each["spec"]["template"] == before["spec"]["template"]
        ]

    made = Check(
        "another ReplicaSet of the Deployment, with the same Pod template",
        frozenset({REPLICA_SET}),
        lambda view: bool(found(view)),
        lambda view: "; ".join(f"{name(each)} ({line(each)})" for each in view.all(REPLICA_SET)) or "none",
    )
    bound = deadlines.CONTROLLER
    seen = scene.recording.wait_until(made, bound, deletion.since)
    measurements.add("reaction", seen.at - deletion.since.at, bound.seconds, bound.origin)
    return found(seen.world)[0]


@then("the ReplicaSet of the Deployment is deleted too")
def replicaset_goes(scene: Scene, deletion: Deletion, measurements: Measurements) -> None:
    """It is gone."""
    bound = deadlines.CONTROLLER * 2
    gone = Gone(REPLICA_SET, uid(deletion.replicaset))
    seen = scene.recording.wait_until(gone, bound, deletion.since)
    measurements.add("ReplicaSet gone", seen.at - deletion.since.at, bound.seconds, bound.origin)


@then("all Pods of the Deployment are deleted too")
def pods_go(scene: Scene, deployment: Object, deletion: Deletion, measurements: Measurements) -> None:
    """All are gone, and none takes their place."""
    bound = _removal(deployment)

    def test(view: View) -> bool:
        return not rollouts.pods_of(view, deployment)

    none_left = Check(
        "no Pod of the Deployment",
        frozenset({POD}),
        test,
        lambda view: tell_pods(rollouts.pods_of(view, deployment)),
        several=True,
    )
    seen = scene.recording.wait_until(none_left, bound, deletion.since)
    measurements.add("Pods gone", seen.at - deletion.since.at, bound.seconds, bound.origin)


@then("the Deployment is gone", target_fixture="gone")
def deployment_gone(scene: Scene, deployment: Object, deletion: Deletion) -> Mark:
    """It does not exist any more; gives the moment."""
    return scene.recording.wait_until(
        Gone(DEPLOYMENT, uid(deployment)), deadlines.CONTROLLER * 2, deletion.since
    )


@then("its ReplicaSet belongs to nobody")
def replicaset_orphaned(scene: Scene, deletion: Deletion, gone: Mark) -> None:
    """It is there, without an owner, and has been since the Deployment was gone."""
    before = uid(deletion.replicaset)

    def there(view: View) -> Object | None:
        return view.one(REPLICA_SET, before)

    ownerless = Check(
        "the same ReplicaSet, without an owner",
        frozenset({REPLICA_SET}),
        lambda view: (known := there(view)) is not None and owner_uid(known) is None,
        lambda view: f"its owner is {owner_uid(known)}" if (known := there(view)) else "it is gone",
    )
    # Two watches show the two things, and the one that is a moment later may be either.
    since = scene.recording.wait_until(ownerless, deadlines.CONTROLLER, gone)
    scene.look_again(REPLICA_SET, deletion.replicaset)
    scene.recording.always(ownerless, since)


@then(parsers.parse("the same {count:d} Pods have been Ready all the time"))
def pods_stay(scene: Scene, deletion: Deletion, count: int) -> None:
    """None has gone, none has come, none has been unready."""
    demand(len(deletion.pods) == count, f"{count} Pods before", f"{len(deletion.pods)}")
    ready = OwnedPodsReady(uid(deletion.replicaset), count)
    scene.recording.always(SamePods(deletion.pods) & ready, deletion.since)


def _before(scene: Scene, deployment: Object) -> Deletion:
    replicaset = only_replicaset(scene, deployment)
    pods = frozenset(map(uid, scene.owned(POD, replicaset)))
    return Deletion(scene.recording.mark(), replicaset, pods)


def _delete(scene: Scene, deployment: Object, propagation: str) -> Deletion:
    deletion = _before(scene, deployment)
    scene.api.delete(
        DEPLOYMENT,
        scene.namespace.name,
        name(deployment),
        uid=uid(deployment),
        propagation=propagation,
    )
    return deletion


def _removal(deployment: Object) -> Deadline:
    """The garbage collector deletes the ReplicaSet, then its Pods; these end."""
    return deadlines.CONTROLLER * 2 + deadlines.termination(deployment["spec"]["template"])
