"""Steps about updates of a Deployment while they are rolled out, and about those that go wrong."""

from __future__ import annotations

from collections.abc import Callable

from pytest_bdd import given, parsers, then, when

from podproof.kube import deadlines, rollouts
from podproof.kube.changes import Mark
from podproof.kube.conditions import Check
from podproof.kube.kinds import DEPLOYMENT, POD, Object, name, uid
from podproof.kube.scene import Scene
from podproof.kube.states import NEVER_STARTS, tell_pods
from podproof.verdicts.measurements import Measurements
from steps.deployments import NEW, OLD, Change, change_template, only_replicaset, start, version


@given(parsers.parse("a Deployment of {count:d} Ready Pods behind a Service"), target_fixture="deployment")
def served_deployment(scene: Scene, count: int) -> Object:
    """Make a Deployment whose Pods answer requests to a Service."""
    return start(scene, "deployments/served", count)


@given(
    parsers.parse("a Deployment of {count:d} Ready Pods behind a Service that replaces all of them at once"),
    target_fixture="deployment",
)
def recreated_deployment(scene: Scene, count: int) -> Object:
    """Make one with strategy Recreate."""
    return start(scene, "deployments/recreate", count)


@given("its Pod spec was updated to a version whose image cannot be had", target_fixture="update")
def was_updated_badly(scene: Scene, deployment: Object) -> Change:
    """Update the Pod spec and wait until the Deployment reports that the update does not progress."""
    change = update_badly(scene, deployment, "whose image cannot be had")
    scene.recording.wait_until(_stuck(scene, deployment), rollouts.given_up(deployment), change.since)
    return change


@when(
    parsers.re(
        "its Pod spec is updated to a version (?P<fault>whose image cannot be had|that is never Ready)"
    ),
    target_fixture="update",
)
def update_badly(scene: Scene, deployment: Object, fault: str) -> Change:
    """Update the Pod spec to one that does not work."""
    change = Change(scene.recording.mark(), only_replicaset(scene, deployment))
    change_template(scene, deployment, NEW, _FAULTS[fault])
    return change


@then("the update is complete", target_fixture="completed")
def complete(scene: Scene, deployment: Object, update: Change, measurements: Measurements) -> Mark:
    """It has been rolled out, and no Pod of the old version is left; gives the moment."""
    return _await_only(scene, deployment, NEW, update.since, measurements)


@then("the rollback is complete")
def rolled_back(scene: Scene, deployment: Object, rollback: Mark, measurements: Measurements) -> None:
    """The old version has been rolled out again, and no Pod of the new one is left."""
    _await_only(scene, deployment, OLD, rollback, measurements)


@then("at no time were fewer Pods available than allowed")
def enough_available(scene: Scene, deployment: Object, update: Change, measurements: Measurements) -> None:
    """From the update until now there were always as many as the Deployment's own fields demand."""
    fewest = rollouts.fewest_available(deployment)
    end = scene.recording.always(rollouts.available(deployment, fewest), update.since)
    origin = f"at least {fewest} of {deployment['spec']['replicas']}, after every change of a Pod"
    measurements.add("availability watched", end.at - update.since.at, None, origin)


@then("the Deployment reports that the update does not progress")
def reported(scene: Scene, deployment: Object, update: Change, measurements: Measurements) -> None:
    """It says ProgressDeadlineExceeded, and that of this update."""
    bound = rollouts.given_up(deployment)
    seen = scene.recording.wait_until(_stuck(scene, deployment), bound, update.since)
    measurements.add("update given up", seen.at - update.since.at, bound.seconds, bound.origin)


def _await_only(
    scene: Scene, deployment: Object, wanted: str, since: Mark, measurements: Measurements
) -> Mark:
    def only(pods: list[Object]) -> bool:
        return {version(pod["spec"]) for pod in pods} == {wanted}

    only_wanted = Check(
        f"no Pods but of version {wanted}",
        frozenset({POD}),
        lambda view: only(rollouts.pods_of(view, deployment)),
        lambda view: tell_pods(rollouts.pods_of(view, deployment)),
    )
    bound = rollouts.duration(deployment)
    current = scene.api.get(DEPLOYMENT, scene.namespace.name, name(deployment))
    seen = scene.recording.wait_until(rollouts.finished(current), bound, since)
    measurements.add("rollout", seen.at - since.at, bound.seconds, bound.origin)
    until_gone = bound + deadlines.termination(deployment["spec"]["template"])
    return scene.recording.wait_until(only_wanted, until_gone, since)


def _stuck(scene: Scene, deployment: Object) -> Check:
    return rollouts.stuck(scene.now(DEPLOYMENT, uid(deployment)))


def _without_image(template: Object) -> None:
    container = template["spec"]["containers"][0]
    container["image"] = container["image"].rpartition(":")[0] + ":there-is-no-such-tag"
    template["metadata"]["annotations"] = {NEVER_STARTS: "its image cannot be had"}


def _never_ready(template: Object) -> None:
    container = template["spec"]["containers"][0]
    container["readinessProbe"]["httpGet"]["port"] = 9  # where nothing listens


_FAULTS: dict[str, Callable[[Object], None]] = {
    "whose image cannot be had": _without_image,
    "that is never Ready": _never_ready,
}
