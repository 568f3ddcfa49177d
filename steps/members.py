"""Steps about StatefulSets, whose Pods have names and storage of their own."""

from __future__ import annotations

from itertools import pairwise

from pytest_bdd import given, parsers, then, when

from podproof.cluster import capabilities
from podproof.cluster.base import Cluster
from podproof.faults import pods
from podproof.faults.pods import Incident
from podproof.kube import deadlines, files
from podproof.kube.changes import Mark
from podproof.kube.conditions import Check, View, demand, preparing
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import POD, Object, name, uid
from podproof.kube.scene import Scene
from podproof.kube.states import Gone, PodReady, is_ready, tell_pods
from podproof.verdicts.measurements import Measurements

_SET = "member"
_ON_CLAIM, _ELSEWHERE = "/data", "/tmp"  # noqa: S108 - a container's own


@given(parsers.parse("a StatefulSet of {count:d} Ready Pods with a claim each"), target_fixture="statefulset")
def ready_statefulset(cluster: Cluster, scene: Scene, count: int) -> Object:
    """Make a StatefulSet and wait until all of its Pods are Ready."""
    made = create(cluster, scene, count)
    with preparing(f"the StatefulSet is to have {count} Ready Pods"):
        scene.recording.wait_until(_all_ready(count), _start(made, count))
    return made


@given("its first Pod has written a file to its claim", target_fixture="pod")
def first_has_written(scene: Scene, statefulset: Object, word: str) -> Object:
    """Write a file on the claim of the Pod of number 0, and another one beside it; gives the Pod."""
    del statefulset  # asked for: it is the one
    pod = _member(scene, 0)
    for folder in (_ON_CLAIM, _ELSEWHERE):
        files.write(scene.api, pod, "app", f"{folder}/{word}", word)
    return pod


@when(
    parsers.parse("a StatefulSet of {count:d} Pods with a claim each is created"),
    target_fixture="statefulset",
)
def create(cluster: Cluster, scene: Scene, count: int) -> Object:
    """Make a StatefulSet; gives it."""
    capabilities.require(cluster, scene.api, capabilities.DEFAULT_STORAGE_CLASS)

    def resize(thing: Object) -> None:
        if thing["kind"] == "StatefulSet":
            thing["spec"]["replicas"] = count

    return next(each for each in scene.apply("beyond/statefulset", resize) if each["kind"] == "StatefulSet")


@when("its first Pod is deleted", target_fixture="incident")
def delete_first(scene: Scene, statefulset: Object, word: str) -> Incident:
    """Delete the Pod of number 0, which has a file that is not on its claim."""
    del statefulset  # asked for: it is the one
    pod = _member(scene, 0)
    files.write(scene.api, pod, "app", f"{_ELSEWHERE}/{word}", word)
    return pods.delete(scene, pod)


@when("the second Pod looks for the file", target_fixture="found")
def second_looks(scene: Scene, word: str) -> str | None:
    """Look where the first Pod has it; gives what is there."""
    return files.read(scene.api, _member(scene, 1), "app", f"{_ON_CLAIM}/{word}")


@when("the StatefulSet is scaled to 1 Pod", target_fixture="scaled")
def scale_down(scene: Scene, statefulset: Object) -> Mark:
    """Ask for one Pod; gives the moment just before."""
    since = scene.recording.mark()
    kind = scene.api.kind("apps/v1", "StatefulSet")
    scene.api.merge(kind, scene.namespace.name, name(statefulset), {"spec": {"replicas": 1}}, "scale")
    return since


@then("a Pod of the same name takes its place", target_fixture="replacement")
def same_name(scene: Scene, incident: Incident, measurements: Measurements) -> Object:
    """It is Ready, and not the one that was lost; gives it."""
    lost = incident.pod

    def newcomer(view: View) -> Object | None:
        there = [each for each in view.all(POD) if name(each) == name(lost) and uid(each) != uid(lost)]
        return next(iter(there), None)

    back = Check(
        f"another Pod of the name {name(lost)} is Ready",
        frozenset({POD}),
        lambda view: (there := newcomer(view)) is not None and is_ready(there),
        lambda view: tell_pods(list(view.all(POD))),
    )
    bound = deadlines.termination(lost) + deadlines.replacement_ready(lost)
    seen = scene.recording.wait_until(back, bound, incident.since, incident.struck)
    measurements.add("recovery", seen.at - incident.since.at, bound.seconds, bound.origin)
    return newcomer(seen.world) or lost


@then("it finds the file on its claim")
def finds_file(scene: Scene, replacement: Object, word: str) -> None:
    """What the Pod of its name has written is there."""
    found = files.read(scene.api, replacement, "app", f"{_ON_CLAIM}/{word}")
    demand(found == word, f"the file with {word!r}", f"{found!r}" if found else "no such file")


@then("it has another identity, and its Container nothing of what was not on the claim")
def another_pod(scene: Scene, incident: Incident, replacement: Object, word: str) -> None:
    """Its uid is another one, and a file that the lost Pod had elsewhere is not there."""
    before, after = uid(incident.pod), uid(replacement)
    demand(after != before, f"another uid than {before}", after)
    found = files.read(scene.api, replacement, "app", f"{_ELSEWHERE}/{word}")
    demand(found is None, "no file that was not on the claim", otherwise=f"the file with {found!r}")


@then("it is not there")
def not_there(found: str | None) -> None:
    """No such file is on the claim."""
    demand(found is None, "no such file", otherwise=f"a file with {found!r}")


@then(parsers.parse("it has {count:d} Ready Pods named in order"))
def named_in_order(scene: Scene, statefulset: Object, count: int, measurements: Measurements) -> None:
    """Their names end with the numbers from 0 on."""
    bound = _start(statefulset, count)
    since = scene.recording.started
    seen = scene.recording.wait_until(_all_ready(count), bound, since)
    measurements.add("all Ready", seen.at - since.at, bound.seconds, bound.origin)


@then("none was made before the one before it was Ready")
def one_after_the_other(scene: Scene) -> None:
    """The recording saw each Pod first when the one before it had been Ready."""
    made: dict[str, float] = {}
    ready: dict[str, float] = {}
    for change in scene.recording.history(POD):
        made.setdefault(name(change.thing), change.at)
        if is_ready(change.thing):
            ready.setdefault(name(change.thing), change.at)
    for before, after in pairwise(sorted(made)):
        began = scene.recording.started.at
        was_ready = f"at {ready[before] - began:+.3f} s" if before in ready else "at no time"
        demand(
            before in ready and ready[before] <= made[after],
            f"{after} is made when {before} is Ready",
            f"it was made at {made[after] - began:+.3f} s, and {before} was Ready {was_ready}",
        )


@then("the Pod of the highest number is gone")
def last_is_gone(scene: Scene, statefulset: Object, scaled: Mark, measurements: Measurements) -> None:
    """Which is the one that was started last."""
    known = scene.recording.world(scaled).all(POD)
    last = max(known, key=name)
    bound = deadlines.CONTROLLER + deadlines.termination(statefulset["spec"]["template"])
    seen = scene.recording.wait_until(Gone(POD, uid(last)), bound, scaled)
    measurements.add("Pod gone", seen.at - scaled.at, bound.seconds, bound.origin)


@then("its first Pod was Ready all the time")
def first_stayed(scene: Scene, scaled: Mark) -> None:
    """From just before until now."""
    first = min(scene.recording.world(scaled).all(POD), key=name)
    scene.recording.always(PodReady(uid(first)), scaled)


def _member(scene: Scene, number: int) -> Object:
    scene.recording.catch_up((POD,))
    return next(each for each in scene.recording.latest(POD) if name(each) == f"{_SET}-{number}")


def _all_ready(count: int) -> Check:
    wanted = {f"{_SET}-{number}" for number in range(count)}
    return Check(
        f"the Pods {', '.join(sorted(wanted))} and no others, all Ready",
        frozenset({POD}),
        lambda view: {name(each) for each in view.all(POD)} == wanted and all(map(is_ready, view.all(POD))),
        lambda view: tell_pods(list(view.all(POD))),
        several=True,
    )


def _start(statefulset: Object, count: int) -> Deadline:
    """How long so many Pods may take, one after the other, each with a volume of its own."""
    template = statefulset["spec"]["template"]
    return (deadlines.VOLUME_PROVIDED + deadlines.replacement_ready(template)) * count
