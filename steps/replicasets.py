"""Steps about ReplicaSets and the Pods that they look after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_bdd import given, parsers, then, when

from podproof.faults import pods
from podproof.faults.pods import Incident
from podproof.kube import deadlines
from podproof.kube.conditions import Check, View, demand
from podproof.kube.kinds import ENDPOINT_SLICE, POD, REPLICA_SET, Object, name, owner, owner_uid, uid
from podproof.kube.scene import Scene
from podproof.kube.states import OwnedPodsReady, PodReady, SamePods, is_ready, is_started, owned, tell_pods
from podproof.kube.summary import line
from podproof.verdicts.measurements import Measurements
from steps.nodes import prefer_victim


@given(parsers.parse("a ReplicaSet of {count:d} Ready Pods"), target_fixture="replicaset")
def ready_replicaset(scene: Scene, count: int) -> Object:
    """Make a ReplicaSet and wait until it has its Pods."""
    return _start(scene, "replicasets/web", count)


@given(
    parsers.parse("a ReplicaSet of {count:d} Ready Pods with a liveness check"), target_fixture="replicaset"
)
def checked_replicaset(scene: Scene, count: int) -> Object:
    """Make a ReplicaSet whose Pods have a liveness check."""
    return _start(scene, "replicasets/web-liveness", count)


@given(parsers.parse("a ReplicaSet of {count:d} Ready Pods behind a Service"), target_fixture="replicaset")
def serving_replicaset(scene: Scene, count: int) -> Object:
    """Make a ReplicaSet behind a Service and wait until that sends requests to all of its Pods."""
    replicaset = _start(scene, "replicasets/web-readiness", count)
    wanted = {uid(pod) for pod in scene.owned(POD, replicaset)}
    scene.recording.wait_until(
        Check(
            "the Service sends requests to all Pods",
            frozenset({ENDPOINT_SLICE}),
            lambda view: served(view) == wanted,
            lambda view: f"to {len(served(view))} Pods",
            several=True,
        ),
        deadlines.POD_STARTUP,
    )
    return replicaset


@given(parsers.parse("a ReplicaSet of {count:d} Ready Pods on different Nodes"), target_fixture="replicaset")
def spread_replicaset(scene: Scene, victim_node: str, count: int) -> Object:
    """Make a ReplicaSet no two of whose Pods share a Node, one of them on a Node that may be broken."""

    def admit_victim(thing: Object) -> None:
        prefer_victim(thing["spec"]["template"], victim_node)

    return _start(scene, "replicasets/web-on-different-nodes", count, admit_victim)


@given("a ReplicaSet of 1 Ready Pod with a Volume", target_fixture="replicaset")
def replicaset_with_volume(scene: Scene) -> Object:
    """Make a ReplicaSet whose Pod has a Volume."""
    return _start(scene, "volumes/replicaset", 1)


@when(parsers.parse("a ReplicaSet of {count:d} Pods is created"), target_fixture="replicaset")
@when(
    parsers.parse("a ReplicaSet of {count:d} Pods is created whose labels match it"),
    target_fixture="replicaset",
)
def create_replicaset(scene: Scene, count: int) -> Object:
    """Make a ReplicaSet."""
    return _apply(scene, "replicasets/web", count)


@when("the label of one of its Pods is changed", target_fixture="incident")
def relabel(scene: Scene, replicaset: Object) -> Incident:
    """Change the label that the ReplicaSet knows its Pods by."""
    incident = pods.before(scene, scene.owned(POD, replicaset)[0])
    scene.api.merge(
        POD, scene.namespace.name, name(incident.pod), {"metadata": {"labels": {"app": "something-else"}}}
    )
    return incident


@when("one more Pod with the same labels is created", target_fixture="incident")
def add_surplus(scene: Scene, replicaset: Object) -> Incident:
    """Make a Pod that is one too many."""
    incident = pods.before(scene, scene.owned(POD, replicaset)[0])
    surplus = scene.apply("replicasets/orphan")[0]
    return Incident(surplus, incident.since, incident.known | {uid(surplus)})


@then(parsers.parse("the ReplicaSet has {count:d} Ready Pods"))
def has_ready_pods(scene: Scene, replicaset: Object, count: int) -> None:
    """It has so many Pods, no more and no fewer, all Ready."""
    bound = deadlines.replacement_ready(replicaset["spec"]["template"])
    scene.recording.wait_until(OwnedPodsReady(uid(replicaset), count), bound)


@then("each of them is as the template says")
def as_the_template(scene: Scene, replicaset: Object) -> None:
    """Each Pod has all that the template has."""
    template = replicaset["spec"]["template"]
    for pod in scene.owned(POD, replicaset):
        for part in ("spec", "metadata"):
            differing = _missing({**template[part], "creationTimestamp": None}, pod[part])
            demand(
                not differing,
                f"Pod {name(pod)} has all that the template has",
                otherwise=f"its {part} differs in {', '.join(differing)}",
            )


@then("they are identical in all that the template decides")
def identical(scene: Scene, replicaset: Object) -> None:
    """The Pods' specifications are equal but for the Node, which the scheduler decides."""
    owned_pods = scene.owned(POD, replicaset)
    specs = [{**pod["spec"], "nodeName": None} for pod in owned_pods]
    differing = {key for spec in specs for key in spec | specs[0] if spec.get(key) != specs[0].get(key)}
    demand(
        not differing, "equal Pod specifications", otherwise=f"they differ in {', '.join(sorted(differing))}"
    )


@then("the Pod that nobody owned is one of them")
def adopted(scene: Scene, pod: Object, replicaset: Object) -> None:
    """The ReplicaSet is the Pod's owner now."""
    now = scene.now(POD, uid(pod))
    expected = f"Pod {name(pod)} is owned by ReplicaSet {name(replicaset)}"
    demand(owner_uid(now) == uid(replicaset), expected, f"it is owned by {owner(now)}")


@then(parsers.parse("there were never more than {count:d} Pods"))
def never_more(scene: Scene, count: int) -> None:
    """At no moment of the scenario were there more Pods in its namespace."""
    more = Check(
        f"more than {count} Pods",
        frozenset({POD}),
        lambda view: len(view.all(POD)) > count,
        lambda view: tell_pods(list(view.all(POD))),
    )
    scene.recording.never(more, scene.recording.started)


@then("a brand-new Pod takes its place", target_fixture="replacement")
def brand_new_pod(scene: Scene, replicaset: Object, incident: Incident, measurements: Measurements) -> Object:
    """A Pod of another identity and another name is made and becomes Ready; gives it."""
    return wait_for_brand_new(scene, replicaset, incident, measurements)


@then(parsers.parse("a brand-new Pod takes its place on {where}"), target_fixture="replacement")
def brand_new_pod_there(
    scene: Scene, replicaset: Object, incident: Incident, destination: Object, measurements: Measurements
) -> Object:
    """The same, on the Node where it must run; gives the Pod."""
    pod = wait_for_brand_new(scene, replicaset, incident, measurements)
    node = pod["spec"]["nodeName"]
    demand(node == name(destination), f"it runs on Node {name(destination)}", f"it runs on Node {node}")
    return pod


@then("the relabelled Pod runs on without an owner")
def runs_on(scene: Scene, incident: Incident) -> None:
    """The Pod is owned by nobody and has been Ready all the time."""
    pod = uid(incident.pod)
    ownerless = Check(
        f"Pod {name(incident.pod)} has no owner",
        frozenset({POD}),
        lambda view: owner_uid(view.one(POD, pod) or incident.pod) is None,
        lambda view: f"its owner is {owner_uid(view.one(POD, pod) or incident.pod)}",
    )
    scene.recording.wait_until(ownerless, deadlines.CONTROLLER, incident.since, incident.struck)
    scene.recording.always(PodReady(pod), incident.since)


@then(parsers.parse("one of these {count:d} Pods is deleted"))
def surplus_deleted(scene: Scene, replicaset: Object, incident: Incident, count: int) -> None:
    """Exactly one of the Pods goes."""
    candidates = incident.known
    demand(len(candidates) == count, f"{count} Pods", f"{len(candidates)} Pods")

    def gone(view: View) -> list[str]:
        return [pod for pod in candidates if view.gone(POD, pod)]

    one_gone = Check(
        f"one of the {count} Pods is gone",
        frozenset({POD}),
        lambda view: len(gone(view)) == 1,
        lambda view: tell_pods(list(view.all(POD))),
        several=True,
    )
    bound = deadlines.CONTROLLER + deadlines.termination(incident.pod)
    scene.recording.wait_until(one_gone, bound, incident.since, incident.struck)
    since = scene.look_again(REPLICA_SET, replicaset)
    scene.recording.always(one_gone, since)


@then("the ReplicaSet still has the same Pods")
def same_pods(scene: Scene, replicaset: Object, incident: Incident) -> None:
    """No Pod was added or lost since, although the controller has looked at what happened."""
    scene.look_again(REPLICA_SET, replicaset)
    scene.recording.always(SamePods(incident.known), incident.since)


@then("the Service no longer lists that Pod")
def left_out(scene: Scene, incident: Incident) -> None:
    """The Pod is no longer among those that Nodes are told to send its requests to."""
    left = Check(
        f"the Service leaves Pod {name(incident.pod)} out",
        frozenset({ENDPOINT_SLICE}),
        lambda view: uid(incident.pod) not in served(view),
        lambda _: "it still sends requests there",
    )
    scene.recording.wait_until(left, deadlines.ENDPOINT_REMOVED, incident.since, incident.struck)


@then(parsers.parse("the ReplicaSet counts {count:d} Ready Pod"))
def counts_ready(scene: Scene, replicaset: Object, incident: Incident, count: int) -> None:
    """The controller has noticed."""

    def counted(view: View) -> int:
        known = view.one(REPLICA_SET, uid(replicaset)) or replicaset
        return int(known.get("status", {}).get("readyReplicas", 0))

    noticed = Check(
        f"the ReplicaSet counts {count} Ready Pod",
        frozenset({REPLICA_SET}),
        lambda view: counted(view) == count,
        lambda view: f"it counts {counted(view)}",
    )
    scene.recording.wait_until(noticed, deadlines.CONTROLLER, incident.since, incident.struck)


def wait_for_brand_new(
    scene: Scene, replicaset: Object, incident: Incident, measurements: Measurements
) -> Object:
    """Wait for a Pod that did not exist before the incident, and measure its coming; gives the Pod, Ready."""

    def coming(text: str, far_enough: Callable[[Object], bool]) -> Check:
        return Check(
            text,
            frozenset({POD}),
            lambda view: any(far_enough(pod) for pod in newcomers(view, replicaset, incident)),
            lambda view: (
                tell_pods(there) if (there := newcomers(view, replicaset, incident)) else "no brand-new Pod"
            ),
        )

    noticed = incident.noticed
    start = deadlines.pod_ready(replicaset["spec"]["template"])
    bound = deadlines.replacement_ready(replicaset["spec"]["template"], noticed)
    ask = scene.recording.wait_until
    made = ask(coming("a brand-new Pod is made", lambda _: True), bound, incident.since, incident.struck)
    started = ask(coming("a brand-new Pod is started", is_started), bound, incident.since, incident.struck)
    ready = ask(coming("a brand-new Pod is Ready", is_ready), bound, incident.since, incident.struck)
    measurements.add("reaction", made.at - incident.since.at, noticed.seconds, noticed.origin)
    measurements.add(
        "repair", started.at - made.at, deadlines.POD_STARTUP.seconds, deadlines.POD_STARTUP.origin
    )
    measurements.add("recovery", ready.at - made.at, start.seconds, start.origin)
    pod = next(pod for pod in newcomers(ready.world, replicaset, incident) if is_ready(pod))
    demand(
        name(pod) != name(incident.pod),
        f"a Pod of another name than {name(incident.pod)}",
        f"it is called {name(pod)}, and is {line(pod)}",
    )
    return pod


def _start(scene: Scene, manifest: str, count: int, change: Callable[[Object], None] | None = None) -> Object:
    replicaset = _apply(scene, manifest, count, change)
    bound = deadlines.replacement_ready(replicaset["spec"]["template"])
    scene.recording.wait_until(OwnedPodsReady(uid(replicaset), count), bound)
    return scene.now(REPLICA_SET, uid(replicaset))


def _apply(scene: Scene, manifest: str, count: int, change: Callable[[Object], None] | None = None) -> Object:
    def resize(thing: Object) -> None:
        if thing["kind"] == REPLICA_SET.name:
            thing["spec"]["replicas"] = count
            if change:
                change(thing)

    return scene.apply(manifest, resize)[0]


def newcomers(view: View, replicaset: Object, incident: Incident) -> list[Object]:
    """The Pods of a ReplicaSet that were not there before something befell one of them."""
    return [pod for pod in owned(view, POD, uid(replicaset)) if uid(pod) not in incident.known]


def served(view: View) -> set[str]:
    """The uids of the Pods that Services send requests to."""
    return {
        endpoint["targetRef"]["uid"]
        for each in view.all(ENDPOINT_SLICE)
        for endpoint in each.get("endpoints") or ()
        if endpoint.get("conditions", {}).get("ready") and "targetRef" in endpoint
    }


def _missing(wanted: Any, found: Any, path: str = "") -> list[str]:
    """Where `found` lacks something that `wanted` has; lists must match item by item."""
    if wanted is None:
        return []
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [
            each for key, value in wanted.items() for each in _missing(value, found.get(key), f"{path}.{key}")
        ]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        pairs = enumerate(zip(wanted, found, strict=True))
        return [each for index, (left, right) in pairs for each in _missing(left, right, f"{path}[{index}]")]
    return [] if wanted == found else [path.lstrip(".")]
