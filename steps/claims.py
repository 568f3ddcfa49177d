"""Steps about apps that keep their files on claims."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

import pytest
from pytest_bdd import given, then, when

from podproof.cluster import bounds, capabilities
from podproof.cluster.base import Cluster
from podproof.errors import TrialError, UsageError
from podproof.faults import containers
from podproof.faults.pods import Incident
from podproof.kube import datasets, deadlines, files
from podproof.kube.changes import Mark
from podproof.kube.conditions import Check, View, demand, preparing
from podproof.kube.datasets import Dataset
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import CLAIM, DEPLOYMENT, NODE, POD, Object, name, uid
from podproof.kube.rollouts import pods_of
from podproof.kube.scene import Scene
from podproof.kube.states import Gone, container_status, is_ready, tell_pods
from podproof.verdicts.measurements import Measurements
from steps.nodes import VICTIM, place

_ANY_VICTIM = {"key": VICTIM, "operator": "Exists", "effect": "NoSchedule"}
"""The toleration of Pods on Nodes that are set aside to be broken."""

_APP, _DATA, _FILES = "app", "data", "files"
_OF_VOLUME = re.compile(r"[Vv]olume('s)? node affinity")
"""How all schedulers say that it is the volume that rules out a Node, and no wish of the Pod's."""


@dataclass
class Written:
    """What an app has written, and by which instance of its container.

    Attributes:
        files: The files with their checksums.
        instance: The container's id.
        node: The Node that it ran on.
    """

    files: Dataset = field(default_factory=dict)
    instance: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True)
class Happened:
    """When something befell an app: the moment just before, and the one at which it was there for certain."""

    since: Mark
    struck: Mark | None


@pytest.fixture
def happened(request: pytest.FixtureRequest) -> Happened:
    """When it befell the scenario's app, whether that was an incident or an update."""
    for noun in ("incident", "update"):
        with suppress(pytest.FixtureLookupError):
            told = request.getfixturevalue(noun)
            return Happened(told.since, getattr(told, "struck", None))
    raise UsageError("no step of this scenario gives an incident or an update")


@pytest.fixture
def written() -> Written:
    """What the scenario's app has written; nothing yet."""
    return Written()


def start_app(scene: Scene, change: Callable[[Object], None] | None = None, manifest: str = "app") -> Object:
    """Apply an app with its claim and wait until its Pod is Ready; gives the Deployment.

    Args:
        scene: Where.
        change: Changes the claim and the Deployment before they are applied.
        manifest: Its name in ``manifests/persistent_volumes``.
    """
    since = scene.recording.mark()
    applied = scene.apply(f"persistent_volumes/{manifest}", change)
    deployment = next(thing for thing in applied if thing["kind"] == DEPLOYMENT.name)
    bound = deadlines.VOLUME_PROVIDED + deadlines.replacement_ready(deployment["spec"]["template"])
    with preparing("the app is to be started"):
        scene.recording.wait_until(_runs_anew(deployment, Written()), bound, since)
    return deployment


@given("a Deployment of 1 Ready Pod with a claim", target_fixture="deployment")
def app_with_claim(cluster: Cluster, scene: Scene) -> Object:
    """Make an app with a claim to whatever the cluster gives by default."""
    capabilities.require(cluster, scene.api, capabilities.DEFAULT_STORAGE_CLASS)
    return start_app(scene)


@given(
    "a Deployment of 1 Ready Pod with a claim on a Node that may be broken",
    target_fixture="deployment",
)
def app_on_victim(cluster: Cluster, scene: Scene, victim_node: str) -> Object:
    """Make an app with a claim, on a Node that is set aside for that."""
    capabilities.require(cluster, scene.api, capabilities.DEFAULT_STORAGE_CLASS)
    node = next(each for each in scene.recording.latest(NODE) if name(each) == victim_node)

    def change(thing: Object) -> None:
        if thing["kind"] == DEPLOYMENT.name:
            place(thing["spec"]["template"], node)
            thing["spec"]["template"]["spec"]["tolerations"] = [_ANY_VICTIM]

    return start_app(scene, change)


@given("its Pod has written files to the claim", target_fixture="pod")
def write_files(scene: Scene, deployment: Object, written: Written, word: str) -> Object:
    """Write several files and take down their checksums; gives the Pod."""
    pod = _only_pod(scene, deployment)
    directory = f"{files.mount_path(pod, _APP, _DATA)}/{_FILES}"
    written.files = datasets.write(scene.api, pod, _APP, directory, word)
    written.instance = container_status(pod, _APP)["containerID"]
    written.node = pod["spec"]["nodeName"]
    return pod


@when("the Pod is killed on its Node", target_fixture="incident")
def kill_pod(scene: Scene, pod: Object) -> Incident:
    """End all processes of the Pod at once, without the API having a part in it."""
    return containers.kill_pod(scene, pod, _APP)


@when("the app is deleted with its claim")
def delete_app(scene: Scene, deployment: Object) -> None:
    """Delete the Deployment and the claim, as `kubectl delete -f` does."""
    claim = the_claim(scene)
    scene.api.delete(DEPLOYMENT, scene.namespace.name, name(deployment))
    since = scene.recording.mark()
    scene.api.delete(CLAIM, scene.namespace.name, name(claim))
    bound = deadlines.CONTROLLER + deadlines.termination(deployment["spec"]["template"])
    with preparing("the claim is to go once its Pod has"):
        scene.recording.wait_until(Gone(CLAIM, uid(claim)), bound, since)


@then("the app runs anew", target_fixture="app")
def runs_anew(
    scene: Scene,
    deployment: Object,
    written: Written,
    happened: Happened,
    measurements: Measurements,
) -> Object:
    """Another instance of the app's container is Ready, in whatever Pod."""
    template = deployment["spec"]["template"]
    bound = deadlines.termination(template) + deadlines.replacement_ready(template)
    return _await_anew(scene, deployment, written, happened, bound, measurements)


@then("the app runs anew on that Node", target_fixture="app")
def runs_anew_there(
    scene: Scene,
    deployment: Object,
    written: Written,
    happened: Happened,
    measurements: Measurements,
) -> Object:
    """The Node runs another instance of the app's container."""
    bound = deadlines.CONTAINER_RESTART + deadlines.replacement_ready(deployment["spec"]["template"])
    pod = _await_anew(scene, deployment, written, happened, bound, measurements)
    node = pod["spec"]["nodeName"]
    demand(node == written.node, f"the app on Node {written.node}", f"it is on {node}")
    return pod


@then("the app runs anew on another Node", target_fixture="app")
def runs_anew_elsewhere(
    cluster: Cluster,
    scene: Scene,
    deployment: Object,
    written: Written,
    happened: Happened,
    measurements: Measurements,
) -> Object:
    """Another Node runs the app, once the cluster has given up the one that is lost."""
    template = deployment["spec"]["template"]
    bound = bounds.node_replaced(cluster.settings(), template) + deadlines.replacement_ready(template)
    pod = _await_anew(scene, deployment, written, happened, bound, measurements)
    node = pod["spec"]["nodeName"]
    demand(node != written.node, f"the app on another Node than {written.node}", f"it is on {node}")
    return pod


@then("it finds every file unchanged")
def finds_files(scene: Scene, app: Object, written: Written) -> None:
    """All files are there, with the checksums that they had, and no others."""
    directory = f"{files.mount_path(app, _APP, _DATA)}/{_FILES}"
    demand_files(written.files, datasets.read(scene.api, app, _APP, directory))


@then("its replacement waits for that Node because of the volume", target_fixture="replacement")
def waits_for_node(
    cluster: Cluster, scene: Scene, deployment: Object, incident: Incident, written: Written
) -> Object:
    """The scheduler says of the new Pod that no other Node has its volume."""
    template = deployment["spec"]["template"]

    def waiting(view: View) -> list[Object]:
        return [
            pod
            for pod in pods_of(view, deployment)
            if uid(pod) not in incident.known and _OF_VOLUME.search(unschedulable(pod))
        ]

    refused = Check(
        "a new Pod that no Node takes, because its volume's node affinity excludes all that are up",
        frozenset({POD}),
        lambda view: bool(waiting(view)),
        lambda view: _tell_unschedulable(pods_of(view, deployment)),
    )
    bound = bounds.node_replaced(cluster.settings(), template) + deadlines.CONTROLLER
    seen = scene.recording.wait_until(refused, bound, incident.since, incident.struck)
    elsewhere = Check(
        f"a new Pod has a Node while {written.node} is down",
        frozenset({POD}),
        lambda view: any(
            pod["spec"].get("nodeName") for pod in pods_of(view, deployment) if uid(pod) not in incident.known
        ),
        lambda view: tell_pods(pods_of(view, deployment)),
    )
    scene.recording.never(elsewhere, incident.since)
    return waiting(seen.world)[0]


@then("it finds every file unchanged once the Node is back")
def finds_files_later(
    scene: Scene,
    deployment: Object,
    written: Written,
    repairs: ExitStack,
    measurements: Measurements,
) -> None:
    """Give the Node its power back; the app runs there again and has all its files."""
    since = scene.recording.mark()
    repairs.close()
    back = Happened(since, scene.recording.mark())
    bound = deadlines.replacement_ready(deployment["spec"]["template"])
    finds_files(scene, _await_anew(scene, deployment, written, back, bound, measurements), written)


# Containers that do not know what they write to.


@given("two Pods with the same Container, one with a claim as its Volume", target_fixture="pair")
def two_alike(cluster: Cluster, scene: Scene) -> list[Object]:
    """Make both Pods and wait until they are Ready."""
    capabilities.require(cluster, scene.api, capabilities.DEFAULT_STORAGE_CLASS)
    return ready_pods(scene, scene.apply("persistent_volumes/accessed"), deadlines.VOLUME_PROVIDED)


@when("both Containers add, change, rename and remove files")
def do_alike(scene: Scene, pair: list[Object], word: str) -> None:
    """Do the same in both, one after the other."""
    script = (
        'set -e; cd "$1"; mkdir -p sub/dir; echo "$2" >added; echo first >changed; echo second >>changed; '
        "echo x >sub/old; mv sub/old sub/dir/renamed; echo x >removed; rm removed; ln -s added link; "
        "chmod 750 sub; truncate -s 0 changed; echo third >changed; sync"
    )
    for pod in pair:
        files.must_run(scene.api, pod, _APP, script, files.mount_path(pod, _APP, _DATA), word)


@then("both Containers find the same files in their Volumes")
def found_alike(scene: Scene, pair: list[Object], word: str) -> None:
    """Names, kinds, rights and contents are the same in both, and what was written."""
    attributes = 'find . -exec stat -c "%n %F %a" {} + | grep -v "^[.] "'
    script = f'cd "$1"; {attributes}; cat added changed link sub/dir/renamed'
    found = []
    for pod in pair:
        path = files.mount_path(pod, _APP, _DATA)
        mounted = files.run(scene.api, pod, _APP, 'grep -q " $1 " /proc/mounts', path).ok
        demand(mounted, f"a Volume mounted at {path} in Pod {name(pod)}", otherwise="none is mounted there")
        listed = files.must_run(scene.api, pod, _APP, script, path)
        found.append("; ".join(sorted(listed.splitlines())))
    demand(found[0].count(word) == 2, f"files that read {word!r}", found[0])
    demand(found[0] == found[1], f"in Pod {name(pair[1])}: {found[0]}", found[1])


@then("the specification of both Containers is the same")
def specified_alike(pair: list[Object]) -> None:
    """What the API server has of them differs in nothing."""
    one, other = (pod["spec"]["containers"] for pod in pair)
    demand(one == other, f"containers {one}", otherwise=f"containers {other}")


# Used by other modules.


def ready_pods(scene: Scene, applied: list[Object], patience: Deadline) -> list[Object]:
    """Wait until all Pods among some objects are Ready; gives them as they are then."""
    made = [thing for thing in applied if thing["kind"] == POD.name]
    bound = patience + deadlines.pod_ready(made[0])
    all_ready = Check(
        "all Pods are Ready",
        frozenset({POD}),
        lambda view: all(is_ready(view.one(POD, uid(pod)) or {"metadata": {}}) for pod in made),
        lambda view: tell_pods(list(view.all(POD))),
    )
    with preparing("the Pods are to be started"):
        scene.recording.wait_until(all_ready, bound)
    return [scene.now(POD, uid(pod)) for pod in made]


def the_claim(scene: Scene) -> Object:
    """The scenario's only claim, as it is now.

    Raises:
        TrialError: There is none, or another one.
    """
    scene.recording.catch_up((CLAIM,))
    claims = scene.recording.latest(CLAIM)
    if len(claims) != 1:
        raise TrialError(f"there should be one claim, not {len(claims)}")
    return claims[0]


def demand_files(wanted: Dataset, found: Dataset) -> None:
    """Say that the sentence is false unless all files are there with their checksums."""
    demand(
        found == wanted,
        f"all {len(wanted)} files with the checksums that they had",
        otherwise=datasets.differences(wanted, found),
    )


def unschedulable(pod: Object) -> str:
    """What the scheduler says about a Pod that no Node takes; empty if it does not say that."""
    for each in pod.get("status", {}).get("conditions", ()):
        if each["type"] == "PodScheduled" and each.get("reason") == "Unschedulable":
            return str(each.get("message", ""))
    return ""


def _await_anew(
    scene: Scene,
    deployment: Object,
    written: Written,
    happened: Happened,
    bound: Deadline,
    measurements: Measurements,
) -> Object:
    condition = _runs_anew(deployment, written)
    seen = scene.recording.wait_until(condition, bound, happened.since, happened.struck)
    measurements.add("recovery", seen.at - happened.since.at, bound.seconds, bound.origin)
    return _anew(seen.world, deployment, written)[0]


def _runs_anew(deployment: Object, written: Written) -> Check:
    return Check(
        "a Ready Pod of the app with a new instance of its container",
        frozenset({POD}),
        lambda view: bool(_anew(view, deployment, written)),
        lambda view: tell_pods(pods_of(view, deployment)),
    )


def _anew(view: View, deployment: Object, written: Written) -> list[Object]:
    return [
        pod
        for pod in pods_of(view, deployment)
        if is_ready(pod) and container_status(pod, _APP).get("containerID") != written.instance
    ]


def _only_pod(scene: Scene, deployment: Object) -> Object:
    scene.recording.catch_up((POD,))
    found = pods_of(scene.recording.world(), deployment)
    if len(found) != 1:
        raise TrialError(f"the app should have one Pod; there are {tell_pods(found)}")
    return found[0]


def _tell_unschedulable(there: list[Object]) -> str:
    told = [words for pod in there if (words := unschedulable(pod))]
    return "; ".join((tell_pods(there), *told))
