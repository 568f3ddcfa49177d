"""Steps about Jobs: work that has an end."""

from __future__ import annotations

from contextlib import suppress

from pytest_bdd import given, parsers, then, when

from podproof.errors import TrialError
from podproof.faults.pods import Incident
from podproof.kube import deadlines, files
from podproof.kube.conditions import Check, View, demand, preparing
from podproof.kube.kinds import JOB, POD, Object, owner_uid, uid
from podproof.kube.scene import Scene
from podproof.kube.states import OwnedPodsReady, is_ready, tell_pods
from podproof.verdicts.measurements import Measurements

_DONE = "echo done >/tmp/order"
_PROGRESS = "/tmp/progress"  # noqa: S108 - a container's own


@given(parsers.parse("a Job that needs {count:d} Pods to do their work"), target_fixture="replicaset")
def working_job(scene: Scene, count: int) -> Object:
    """Make a Job and wait until so many of its Pods are at work; gives it, as what owns the Pods."""
    scene.recording.include(JOB, lambda _: True)
    [job] = scene.apply("beyond/job")
    if job["spec"]["completions"] != count:
        raise TrialError(f"the Job needs {job['spec']['completions']} Pods, not {count}")
    with preparing("the Job's Pods are to be at work"):
        bound = deadlines.replacement_ready(job["spec"]["template"])
        scene.recording.wait_until(OwnedPodsReady(uid(job), count), bound)
    for pod in scene.owned(POD, job):
        files.write(scene.api, pod, "app", _PROGRESS, "half of it is done")
    return job


@when("a Job is created whose Pods always fail", target_fixture="job")
def failing_job(scene: Scene) -> Object:
    """Make a Job that can never be done."""
    scene.recording.include(JOB, lambda _: True)
    return scene.apply("beyond/job-that-fails")[0]


@then("the Job completes when its Pods have done their work")
def completes(scene: Scene, replicaset: Object, incident: Incident, measurements: Measurements) -> None:
    """As many Pods as it needs are at work again; told to finish, they do, and the Job says so."""
    job = replicaset
    count = job["spec"]["completions"]
    bound = deadlines.termination(incident.pod) + deadlines.JOB_TRIES_AGAIN
    bound = bound + deadlines.replacement_ready(job["spec"]["template"])
    at_work = OwnedPodsReady(uid(job), count)
    # From when it was lost: before, all were at work.
    seen = scene.recording.wait_until(at_work, bound, incident.struck or incident.since)
    measurements.add("recovery", seen.at - incident.since.at, bound.seconds, bound.origin)
    told = scene.recording.mark()
    for pod in scene.owned(POD, job):
        if is_ready(pod):
            with suppress(TrialError):  # the command may not outlive what it causes
                files.run(scene.api, pod, "app", _DONE)
    end = deadlines.POD_REMOVED + deadlines.CONTROLLER
    done = scene.recording.wait_until(_says(job, "Complete"), end, told)
    measurements.add("complete", done.at - told.at, end.seconds, end.origin)


@then(parsers.parse("{count:d} Pods have succeeded, and no more"))
def succeeded(scene: Scene, replicaset: Object, count: int) -> None:
    """The Job counts so many, and so many Pods say so."""
    scene.recording.catch_up((POD, JOB))
    world = scene.recording.world()
    counted = (world.one(JOB, uid(replicaset)) or replicaset)["status"].get("succeeded", 0)
    there = [pod for pod in world.all(POD) if pod["status"].get("phase") == "Succeeded"]
    demand(counted == len(there) == count, f"{count} counted, {count} Pods", f"{counted}, {tell_pods(there)}")


@then("another Pod begins its work from the beginning")
def begins_again(scene: Scene, replicaset: Object, incident: Incident, measurements: Measurements) -> None:
    """A Pod that was not there before is at work, and nothing of what the lost one did is with it."""
    job = replicaset

    def newcomers(view: View) -> list[Object]:
        return [pod for pod in view.all(POD) if owner_uid(pod) == uid(job) and uid(pod) not in incident.known]

    begun = Check(
        "a brand-new Pod of the Job is at work",
        frozenset({POD}),
        lambda view: any(is_ready(pod) for pod in newcomers(view)),
        lambda view: tell_pods(newcomers(view)),
    )
    bound = deadlines.termination(incident.pod) + deadlines.JOB_TRIES_AGAIN
    bound = bound + deadlines.replacement_ready(job["spec"]["template"])
    seen = scene.recording.wait_until(begun, bound, incident.since, incident.struck)
    measurements.add("recovery", seen.at - incident.since.at, bound.seconds, bound.origin)
    [newcomer] = [pod for pod in newcomers(seen.world) if is_ready(pod)]
    progress = files.read(scene.api, newcomer, "app", _PROGRESS)
    demand(progress is None, "nothing of what the lost Pod had done", otherwise=f"its file with {progress!r}")


@then("the Job has failed because its limit was reached")
def given_up(scene: Scene, job: Object, measurements: Measurements) -> None:
    """It says so, with the reason."""
    tries = job["spec"]["backoffLimit"] + 1
    bound = (deadlines.JOB_TRIES_AGAIN + deadlines.POD_STARTUP + deadlines.POD_REMOVED) * tries
    since = scene.recording.started
    seen = scene.recording.wait_until(_says(job, "Failed", "BackoffLimitExceeded"), bound, since)
    measurements.add("given up", seen.at - since.at, bound.seconds, bound.origin)


@then("it has tried as often as it may")
def tried(scene: Scene, job: Object) -> None:
    """One Pod for the first time, and one for each further try."""
    scene.recording.catch_up((POD,))
    there = [pod for pod in scene.recording.latest(POD) if owner_uid(pod) == uid(job)]
    wanted = job["spec"]["backoffLimit"] + 1
    demand(len(there) == wanted, f"{wanted} Pods", tell_pods(there))


def _says(job: Object, condition: str, reason: str = "") -> Check:
    def told(view: View) -> list[Object]:
        known = view.one(JOB, uid(job)) or job
        return list(known.get("status", {}).get("conditions") or ())

    def holds(view: View) -> bool:
        return any(
            (each["type"], each["status"]) == (condition, "True")
            and (not reason or each.get("reason") == reason)
            for each in told(view)
        )

    wanted = f"the Job says {condition}" + (f" ({reason})" if reason else "")
    return Check(
        wanted,
        frozenset({JOB}),
        holds,
        lambda view: (
            ", ".join(f"{each['type']} {each.get('reason', '')}" for each in told(view)) or "nothing"
        ),
    )
