"""Steps about what Containers find in their filesystems and Volumes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_bdd import given, parsers, then, when

from podproof.cluster import capabilities
from podproof.cluster.base import Cluster
from podproof.errors import TrialError
from podproof.faults.pods import Incident
from podproof.kube import deadlines, files
from podproof.kube.conditions import demand
from podproof.kube.kinds import NODE, POD, Object, name, uid
from podproof.kube.scene import Scene
from podproof.kube.states import Gone, PodReady, Replaced, SameInstance, container_status, is_ready
from podproof.verdicts.measurements import Measurements
from steps.faults import wait_for_replacement
from steps.nodes import node_of, other_node, place

_KINDS_OF_VOLUME = {
    "a Volume on disk": "volumes/shared-on-disk",
    "a Volume in memory": "volumes/shared-in-memory",
    "a claim": "volumes/shared-claim",
}
_DATA = "data"
_UNMOUNTED = "/tmp/a-file"  # noqa: S108 - in a container
_CHANGED = {"added": "added later", "changed": "second version"}


# Containers without a Volume.


@given("a Pod with two Containers and no Volume", target_fixture="pod")
def pod_without_volume(scene: Scene) -> Object:
    """Make a Pod of two containers of one image."""
    return scene.start_pod("volumes/separate")


@when("the first Container writes a file")
def write_unmounted(scene: Scene, pod: Object, word: str) -> None:
    """Write a file where no Volume is mounted."""
    files.write(scene.api, pod, "first", _UNMOUNTED, word)


@then("the first Container has the file")
def first_has(scene: Scene, pod: Object, word: str) -> None:
    """It is there with its content."""
    _demand_content(files.read(scene.api, pod, "first", _UNMOUNTED), word)


@then("the second Container does not have the file")
def second_has_not(scene: Scene, pod: Object) -> None:
    """There is no file at the same path."""
    found = files.read(scene.api, pod, "second", _UNMOUNTED)
    demand(found is None, "no such file in the second Container", otherwise=f"it reads {found!r}")


@when("each Container writes its own name to the same path")
def write_names(scene: Scene, pod: Object) -> None:
    """Write to both, one after the other."""
    for container in ("first", "second"):
        files.write(scene.api, pod, container, _UNMOUNTED, container)


@then("each Container finds its own name there")
def own_names(scene: Scene, pod: Object) -> None:
    """Neither has the other's."""
    for container in ("first", "second"):
        _demand_content(files.read(scene.api, pod, container, _UNMOUNTED), container)


# Containers that share a Volume.


@given(parsers.parse("a Pod whose first two Containers mount {volume}"), target_fixture="pod")
def sharing_pod(cluster: Cluster, scene: Scene, volume: str) -> Object:
    """Make a Pod of three containers, two of which mount a Volume."""
    patience = None
    if volume == "a claim":
        capabilities.require(cluster, scene.api, capabilities.DEFAULT_STORAGE_CLASS)
        patience = deadlines.VOLUME_PROVIDED
    pod = scene.start_pod(_KINDS_OF_VOLUME[volume], patience=patience)
    if volume == "a Volume in memory":
        _confirm_in_memory(scene, pod, "first", _DATA)
    return pod


@when("the first Container writes a file to the Volume")
def write_shared(scene: Scene, pod: Object, word: str) -> None:
    """Write a file of a unique name."""
    files.write(scene.api, pod, "first", _in_volume(pod, "first", word), word)


@then("the second Container finds the file in the Volume")
def second_finds(scene: Scene, pod: Object, word: str) -> None:
    """It is there with its content."""
    _demand_content(files.read(scene.api, pod, "second", _in_volume(pod, "second", word)), word)


@then("what the second Container changes in it the first Container sees")
def seen_by_first(scene: Scene, pod: Object, word: str) -> None:
    """The other direction."""
    files.write(scene.api, pod, "second", _in_volume(pod, "second", word), "changed by the second")
    found = files.read(scene.api, pod, "first", _in_volume(pod, "first", word))
    _demand_content(found, "changed by the second")


@then("the third Container has no such file anywhere")
def third_has_nothing(scene: Scene, pod: Object, word: str) -> None:
    """No path of its filesystem has that name; the same search finds it in the second."""
    demand_unseen(scene, pod, "third", word, seen_by="second")


# Containers that are restarted.


@given("a Pod with two Containers that share a Volume", target_fixture="pod")
def restarting_pod(scene: Scene) -> Object:
    """Make a Pod one container of which can be ended in several ways."""
    return scene.start_pod("volumes/restarts")


@given("the first Container has added, changed and removed files in the Volume")
def make_changes(scene: Scene, pod: Object) -> None:
    """Leave the Volume other than it was at any moment before."""
    script = (
        'cd "$1" && echo "first version" >changed && echo x >removed && printf %s "$2" >added && '
        'rm removed && printf %s "$3" >changed && sync'
    )
    path = files.mount_path(pod, "first", _DATA)
    files.must_run(scene.api, pod, "first", script, path, _CHANGED["added"], _CHANGED["changed"])


@then("its replacement finds all these changes in the Volume")
def finds_changes(scene: Scene, incident: Incident, measurements: Measurements) -> None:
    """The new instance of the container sees the Volume as the old one left it."""
    pod = wait_for_replacement(scene, incident, "first", measurements)
    path = files.mount_path(pod, "first", _DATA)
    found = {
        each: files.read(scene.api, pod, "first", f"{path}/{each}")
        for each in files.names(scene.api, pod, "first", path)
    }
    demand(found == _CHANGED, f"files {_CHANGED}", f"files {found}")


@then("the second Container was not restarted")
def second_untouched(scene: Scene, incident: Incident) -> None:
    """The same instance of it has been running all the time."""
    instance = container_status(incident.pod, "second")["containerID"]
    scene.recording.always(SameInstance(uid(incident.pod), "second", instance), incident.since)


# Pods that end.


@given("a Pod that has written a file to its Volume", target_fixture="pod")
def writing_pod(scene: Scene, word: str) -> Object:
    """Make a Pod with a Volume on disk and a file of a unique name in it."""
    pod = scene.start_pod("volumes/on-disk")
    files.write(scene.api, pod, "app", _in_volume(pod, "app", word), word)
    return pod


@given("its Pod has written a file to the Volume", target_fixture="pod")
def owned_pod_writes(scene: Scene, replicaset: Object, word: str) -> Object:
    """Write a file to the Volume of a ReplicaSet's Pod; gives the Pod."""
    pod = scene.owned(POD, replicaset)[0]
    files.write(scene.api, pod, "app", _in_volume(pod, "app", word), word)
    return pod


@given("the file is on the disk of the Pod's Node", target_fixture="inspector")
def on_disk(scene: Scene, pod: Object, word: str, node_disk: None) -> Object:
    """Look where the Node keeps the Volumes of its Pods; gives the Pod that looks there."""
    del node_disk  # asked for: without leave this step is not taken
    inspector = scene.start_pod("volumes/inspector", lambda thing: place(thing, node_of(scene, pod)))
    if not _search_disk(scene, inspector, word):
        raise TrialError(f"the file is not found on the disk of Node {pod['spec']['nodeName']}")
    return inspector


@then("the file is gone from that disk")
def gone_from_disk(scene: Scene, incident: Incident, inspector: Object, word: str) -> None:
    """Once the API has the Pod no more, neither has the Node its file."""
    bound = deadlines.termination(incident.pod)
    scene.recording.wait_until(Gone(POD, uid(incident.pod)), bound, incident.since, incident.struck)
    found = _search_disk(scene, inspector, word)
    demand(not found, "no file of the Pod on its Node's disk", otherwise=f"it still has {', '.join(found)}")


@then("its Volume is empty")
def empty_volume(scene: Scene, replacement: Object) -> None:
    """The Volume is mounted and has no file at all."""
    path = files.mount_path(replacement, "app", _DATA)
    mounted = files.run(scene.api, replacement, "app", 'grep -q " $1 " /proc/mounts', path).ok
    demand(mounted, f"a Volume mounted at {path}", otherwise="none is mounted there")
    found = files.names(scene.api, replacement, "app", path)
    demand(not found, "an empty Volume", otherwise=f"it has {', '.join(found)}")


# A Node that is rebooted.


@given("a Pod that has written a file to a Volume on disk", target_fixture="pod")
def pod_on_victim(scene: Scene, victim_node: str, word: str) -> Object:
    """Make a Pod on a Node that may be broken, and write to its Volume on disk."""
    node = next(each for each in scene.recording.latest(NODE) if name(each) == victim_node)
    pod = scene.start_pod("volumes/on-disk-and-in-memory", lambda thing: place(thing, node))
    files.write(scene.api, pod, "app", f"{files.mount_path(pod, 'app', 'disk')}/{word}", word)
    return pod


@given("it has written a file to a Volume in memory")
def write_to_memory(scene: Scene, pod: Object, word: str) -> None:
    """Write to its Volume in memory, and read it back."""
    _confirm_in_memory(scene, pod, "app", "memory")
    path = f"{files.mount_path(pod, 'app', 'memory')}/{word}"
    files.write(scene.api, pod, "app", path, word)
    if files.read(scene.api, pod, "app", path) != word:
        raise TrialError("the file in memory cannot be read back")


@then("the same Pod has the file on disk")
def still_on_disk(scene: Scene, incident: Incident, word: str) -> None:
    """The Pod's container runs again, and finds the file."""
    pod = _rebooted(scene, incident)
    _demand_content(files.read(scene.api, pod, "app", f"{files.mount_path(pod, 'app', 'disk')}/{word}"), word)


@then("the same Pod has no file in memory")
def not_in_memory(scene: Scene, incident: Incident) -> None:
    """The Volume in memory is there and empty."""
    pod = _rebooted(scene, incident)
    path = files.mount_path(pod, "app", "memory")
    demand(
        _is_memory(scene, pod, "app", path),
        f"a Volume in memory mounted at {path}",
        otherwise="none is there",
    )
    found = files.names(scene.api, pod, "app", path)
    demand(not found, "an empty Volume in memory", otherwise=f"it has {', '.join(found)}")


# Directories of Nodes.


@pytest.fixture
def node_file(scene: Scene, word: str, node_disk: None) -> Iterator[str]:
    """The name of a file in a directory of Nodes, which is removed from there in the end."""
    del node_disk  # asked for: without leave nothing is written
    yield word
    writers = scene.recording.history(POD, "node-directory")
    if not writers or "nodeName" not in writers[-1].thing["spec"]:
        return
    node = node_of(scene, writers[-1].thing)
    there = [pod for pod in scene.recording.latest(POD) if pod["spec"].get("nodeName") == name(node)]
    pod = next(filter(is_ready, there), None) or _pod_at(scene, node, "remover")
    files.must_run(scene.api, pod, "app", 'rm -f "$1"', _in_volume(pod, "app", word))


@given("a Pod that has written a file to a directory of its Node", target_fixture="pod")
def write_to_node(cluster: Cluster, scene: Scene, node_file: str) -> Object:
    """Make a Pod that sees a directory of its Node, and write a file there."""
    capabilities.require(cluster, scene.api, capabilities.TWO_NODES)
    pod = scene.start_pod("volumes/node-directory")
    files.write(scene.api, pod, "app", _in_volume(pod, "app", node_file), node_file)
    return pod


@then("a new Pod on the same Node finds the file")
def found_there(scene: Scene, incident: Incident, node_file: str) -> None:
    """It is there with its content."""
    bound = deadlines.termination(incident.pod)
    scene.recording.wait_until(Gone(POD, uid(incident.pod)), bound, incident.since, incident.struck)
    pod = _pod_at(scene, node_of(scene, incident.pod), "same-node")
    _demand_content(files.read(scene.api, pod, "app", _in_volume(pod, "app", node_file)), node_file)


@then("a new Pod on another Node does not find it")
def not_found_elsewhere(scene: Scene, incident: Incident, node_file: str) -> None:
    """The same path of another Node has no such file."""
    pod = _pod_at(scene, other_node(scene, incident.pod), "other-node")
    found = files.read(scene.api, pod, "app", _in_volume(pod, "app", node_file))
    demand(found is None, "no such file on another Node", otherwise=f"it reads {found!r}")


def _pod_at(scene: Scene, node: Object, called: str) -> Object:
    def change(pod: Object) -> None:
        pod["metadata"]["name"] = called
        place(pod, node)

    return scene.start_pod("volumes/node-directory", change)


def _rebooted(scene: Scene, incident: Incident) -> Object:
    """Wait until the Pod's container runs anew and the Node answers for it; gives the Pod."""
    pod, instance = uid(incident.pod), container_status(incident.pod, "app")["containerID"]
    anew = Replaced(pod, "app", instance) & PodReady(pod)
    bound = deadlines.CONTAINER_RESTART + deadlines.pod_ready(incident.pod)
    scene.recording.wait_until(anew, bound, incident.since, incident.struck)
    return scene.now(POD, pod)


def demand_unseen(scene: Scene, pod: Object, container: str, word: str, *, seen_by: str) -> None:
    """No path of a container has a file of that name, which the same search finds in another container."""
    if not files.search(scene.api, pod, seen_by, word):
        raise TrialError(f"the search does not even find the file in container {seen_by}, which has it")
    found = files.search(scene.api, pod, container, word)
    demand(not found, f"no such file in container {container}", otherwise=f"it has {', '.join(found)}")


def _in_volume(pod: Object, container: str, file: str) -> str:
    return f"{files.mount_path(pod, container, _DATA)}/{file}"


def _confirm_in_memory(scene: Scene, pod: Object, container: str, volume: str) -> None:
    path = files.mount_path(pod, container, volume)
    if not _is_memory(scene, pod, container, path):
        raise TrialError(f"what is mounted at {path} is no memory")


def _is_memory(scene: Scene, pod: Object, container: str, path: str) -> bool:
    return files.run(scene.api, pod, container, 'grep -q " $1 tmpfs " /proc/mounts', path).ok


def _search_disk(scene: Scene, inspector: Object, file: str) -> list[str]:
    path = files.mount_path(inspector, "inspector", "pods")
    # Other Pods come and go under the search.
    return files.must_run(
        scene.api, inspector, "inspector", 'find "$1" -name "$2" 2>/dev/null; :', path, file
    ).split()


def _demand_content(found: str | None, wanted: str) -> None:
    demand(
        found == wanted,
        f"a file that reads {wanted!r}",
        "no file" if found is None else f"it reads {found!r}",
    )
