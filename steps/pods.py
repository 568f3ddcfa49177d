"""Steps about single Pods, and where they are."""

from __future__ import annotations

import pytest
from pytest_bdd import given, then, when

from podproof.errors import TrialError
from podproof.faults import containers
from podproof.faults.pods import Incident
from podproof.kube import deadlines
from podproof.kube.conditions import Check, View, demand, preparing
from podproof.kube.kinds import (
    NODE,
    POD,
    REPLICA_SET,
    Object,
    name,
    owner_uid,
    uid,
)
from podproof.kube.scene import Scene
from podproof.kube.states import OwnedPodsReady, PodReady, tell_pods
from podproof.kube.summary import line
from podproof.traffic import visitor as visits
from steps.nodes import place, prefer_victim

_CORDONED = "unschedulable"
"""What the scheduler calls a Node that is cordoned, in its account of why a Pod got none."""


@given("a Ready Pod that nobody owns", target_fixture="pod")
def a_pod_without_owner(scene: Scene) -> Object:
    """Make a bare Pod that a ReplicaSet of the features would adopt."""
    return scene.start_pod("replicasets/orphan")


@given("a Ready Pod made by hand", target_fixture="pod")
def pod_by_hand(scene: Scene) -> Object:
    """Make a bare Pod."""
    return scene.start_pod("pods/by-hand")


@given("a Ready Pod made by hand on a Node that may be broken", target_fixture="pod")
def pod_on_victim(scene: Scene, victim_node: str) -> Object:
    """Make a bare Pod on a Node that no other scenario uses meanwhile."""
    return scene.start_pod("pods/on-a-victim", lambda pod: place(pod, _node(scene, victim_node)))


@given("a ReplicaSet of 1 Ready Pod on a Node that may be broken", target_fixture="replicaset")
def replicaset_on_victim(scene: Scene, victim_node: str) -> Object:
    """Make a ReplicaSet whose Pod runs on such a Node as long as it can."""
    return _start_on_victim(scene, "pods/drained", victim_node)


@given("a Ready Pod made by hand beside one of a ReplicaSet", target_fixture="replicaset")
def pod_beside_replicaset(scene: Scene, victim_node: str) -> Object:
    """Make a bare Pod and a ReplicaSet's on one Node that may be broken; gives the ReplicaSet."""
    replicaset = _start_on_victim(scene, "pods/lost-with-its-node", victim_node)
    by_hand = next(each for each in scene.recording.latest(POD) if owner_uid(each) is None)
    with preparing("the Pod made by hand is to be started"):
        scene.recording.wait_until(PodReady(uid(by_hand)), deadlines.pod_ready(by_hand))
    return replicaset


@pytest.fixture
def pod(scene: Scene) -> Object:
    """The Pod that a scenario is about, where it is none of a kind that a step gives: the one there is."""
    there = scene.recording.latest(POD)
    by_hand = [each for each in there if owner_uid(each) is None]
    if len(there) != 1 and len(by_hand) != 1:
        raise TrialError(f"which Pod is meant is not clear: {tell_pods(list(there))}")
    return (by_hand or list(there))[0]


@pytest.fixture
def replicaset(scene: Scene, deployment: Object) -> Object:
    """The ReplicaSet that a scenario is about, where no step gives one: that of the Deployment."""
    [found] = scene.owned(REPLICA_SET, deployment)
    return found


# A Pod with one Container.


@pytest.fixture
def visitor(scene: Scene) -> Object:
    """A Pod that sends requests to others."""
    return scene.start_pod("pods/client")


@given("a Ready Pod with one Container", target_fixture="pod")
def pod_with_one_container(scene: Scene) -> Object:
    """Make a Pod with one container, which serves."""
    pod = scene.start_pod("pods/one-container")
    if len(pod["spec"]["containers"]) != 1:
        raise TrialError(f"the Pod has {len(pod['spec']['containers'])} Containers")
    return pod


@when("another Pod sends it a request", target_fixture="answer")
def send_request(scene: Scene, pod: Object, visitor: Object) -> str | None:
    """Ask for the name of the Pod that answers; gives the answer."""
    return visits.fetch(scene.api, visitor, visits.url(pod, "/hostname"))


@then("it answers the request")
def answered(pod: Object, answer: str | None) -> None:
    """The answer is what only this Pod can give: its name."""
    demand(answer == name(pod), f"the answer {name(pod)!r}", f"{answer!r}" if answer else "no answer")


@when("its Container ends without an error", target_fixture="incident")
def end_well(scene: Scene, pod: Object) -> Incident:
    """Tell the container that its work is done."""
    return containers.finish(scene, pod, "app")


@then("the Pod has succeeded")
def succeeded(scene: Scene, incident: Incident) -> None:
    """Its phase says so, and that is for ever."""
    pod = uid(incident.pod)
    bound = deadlines.POD_REMOVED.named("a Pod to say that it has ended", "the kubelet looks at it again")
    phase = Check(
        "the Pod has succeeded",
        frozenset({POD}),
        lambda view: (view.one(POD, pod) or {}).get("status", {}).get("phase") == "Succeeded",
        lambda view: line(view.one(POD, pod) or incident.pod),
    )
    scene.recording.wait_until(phase, bound, incident.since, incident.struck)


@when("its Container crashes", target_fixture="incident")
def crash(scene: Scene, pod: Object) -> Incident:
    """End the Pod's container with an error."""
    return containers.crash(scene, pod, "app")


# Where a Pod is.


@then("no new Pod is put on that Node")
def nothing_new_there(scene: Scene, incident: Incident) -> None:
    """The scheduler finds no Node for a Pod that has to run there."""
    node = _node(scene, incident.pod["spec"]["nodeName"])

    def there(pod: Object) -> None:
        pod["metadata"]["name"] = "newcomer"
        place(pod, node)

    newcomer = uid(scene.apply("pods/on-a-victim", there)[0])

    def scheduled(view: View) -> Object:
        conditions = (view.one(POD, newcomer) or {}).get("status", {}).get("conditions") or ()
        return next((each for each in conditions if each["type"] == "PodScheduled"), {})

    turned_away = Check(
        "a new Pod for that Node cannot be scheduled, because the Node is unschedulable",
        frozenset({POD}),
        lambda view: (
            (scheduled(view).get("status"), scheduled(view).get("reason")) == ("False", "Unschedulable")
            and _CORDONED in scheduled(view).get("message", "")
        ),
        lambda view: (
            f"PodScheduled is {scheduled(view).get('status', 'not known')}: "
            f"{scheduled(view).get('message', 'nothing is said of it')}"
        ),
    )
    scene.recording.wait_until(turned_away, deadlines.UNSCHEDULABLE_NOTICED)


@then("the Pod was Ready all the time")
def ready_all_the_time(scene: Scene, incident: Incident) -> None:
    """Since the incident there was no moment at which it was not."""
    scene.recording.always(PodReady(uid(incident.pod)), incident.since)


@then("the Pod was on one Node all the time")
def on_one_node(scene: Scene, pod: Object) -> None:
    """From its start to now, or to its end, it was bound to the Node whose kubelet reports of it."""
    node, address = pod["spec"]["nodeName"], pod["status"]["hostIP"]

    def known(view: View) -> Object | None:
        return view.one(POD, uid(pod)) or view.gone(POD, uid(pod))

    def elsewhere(view: View) -> bool:
        there = known(view) or {"spec": {}}
        found = (there["spec"].get("nodeName", node), there.get("status", {}).get("hostIP", address))
        return found != (node, address)

    scene.recording.never(
        Check(
            f"Pod {name(pod)} is elsewhere than on Node {node}",
            frozenset({POD}),
            elsewhere,
            lambda view: line(known(view) or pod),
        ),
        scene.recording.started,
    )


@then("it runs on another Node")
def replacement_elsewhere(incident: Incident, replacement: Object) -> None:
    """The Pod that has come is not where the one was that has gone."""
    node = incident.pod["spec"]["nodeName"]
    demand(replacement["spec"]["nodeName"] != node, f"a Node other than {node}", line(replacement))


def _start_on_victim(scene: Scene, manifest: str, node: str) -> Object:
    """Apply a manifest with a ReplicaSet of one Pod, on a Node that may be broken; gives the ReplicaSet."""

    def change(thing: Object) -> None:
        if thing["kind"] == REPLICA_SET.name:
            prefer_victim(thing["spec"]["template"], node)
        else:
            place(thing, _node(scene, node))

    applied = scene.apply(manifest, change)
    replicaset = next(each for each in applied if each["kind"] == REPLICA_SET.name)
    bound = deadlines.replacement_ready(replicaset["spec"]["template"])
    with preparing("the ReplicaSet's Pod is to be started"):
        scene.recording.wait_until(OwnedPodsReady(uid(replicaset), 1), bound)
    [pod] = scene.owned(POD, replicaset)
    if pod["spec"]["nodeName"] != node:
        raise TrialError(f"the ReplicaSet's Pod runs on Node {pod['spec']['nodeName']}, not on {node}")
    return scene.now(REPLICA_SET, uid(replicaset))


def _node(scene: Scene, called: str) -> Object:
    return next(each for each in scene.recording.latest(NODE) if name(each) == called)
