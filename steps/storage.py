"""Steps about what administrators provide: volumes, classes of volumes, and the storage behind them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from pytest_bdd import given, parsers, then, when

from podproof.cluster import bounds, capabilities
from podproof.cluster.base import Cluster
from podproof.cluster.share import Share
from podproof.errors import NotApplicable, TrialError
from podproof.kube import datasets, deadlines, files, storage
from podproof.kube.changes import Mark
from podproof.kube.conditions import Check, View, demand, preparing
from podproof.kube.kinds import CLAIM, DEPLOYMENT, EVENT, NODE, PERSISTENT_VOLUME, POD, Object, name, uid
from podproof.kube.node_directories import HOSTNAME, NodeDirectories
from podproof.kube.scene import Scene
from podproof.kube.states import Gone, events_about, is_ready, tell_pods
from podproof.kube.storage import ClaimBound, VolumePhase, node_path, phase
from podproof.kube.summary import line
from podproof.verdicts.measurements import Measurements
from steps.claims import Written, demand_files, ready_pods, start_app, the_claim, unschedulable
from steps.nodes import place, prefer_victim

_APP, _DATA = "app", "data"
_FITTING = "persistent_volumes/fitting-volume"


@dataclass(frozen=True)
class Storage:
    """Storage that an administrator has put behind a class.

    Attributes:
        is_behind: Whether a PersistentVolume is of this storage.
        read: Reads a file of a PersistentVolume from the storage itself, without the Pod that wrote it.
    """

    is_behind: Callable[[Object], bool]
    read: Callable[[Object, str], str | None]


@dataclass(frozen=True)
class Disk:
    """Where a PersistentVolume's data are on a Node, and a Pod that looks there."""

    volume: Object
    inspector: Object
    path: str


@pytest.fixture
def volumes(scene: Scene, cluster_objects: None) -> None:
    """PersistentVolumes of this scenario may be made, and what becomes of them is recorded."""
    del cluster_objects  # asked for: without leave nothing is made
    storage.record_volumes(scene.recording)


@pytest.fixture
def node_directories(scene: Scene, node_disk: None) -> Iterator[NodeDirectories]:
    """Directories of Nodes, which are removed from there in the end."""
    del node_disk  # asked for: without leave nothing is written
    directories = NodeDirectories(scene)
    yield directories
    directories.remove()


@pytest.fixture
def storage_node(scene: Scene) -> Object:
    """The Node whose disk storage is put on: one that takes any Pod."""
    return capabilities.ordinary_nodes(list(scene.recording.latest(NODE)))[0]


def on_node(thing: Object, node: Object) -> None:
    """Make a PersistentVolume's manifest, or a Pod's, name another Node than the one that it names."""
    spec = thing["spec"] if thing["kind"] in {PERSISTENT_VOLUME.name, POD.name} else {}
    if "nodeSelector" in spec:
        place(thing, node)
    for term in spec.get("nodeAffinity", {}).get("required", {}).get("nodeSelectorTerms", ()):
        for expression in term["matchExpressions"]:
            if expression["key"] == HOSTNAME:
                expression["values"] = [node["metadata"]["labels"][HOSTNAME]]


# What becomes of the data.


@given(
    parsers.parse("a Deployment of 1 Ready Pod with a claim under the reclaim policy {policy}"),
    target_fixture="deployment",
)
def app_under_policy(cluster: Cluster, scene: Scene, volumes: None, policy: str) -> Object:
    """Make a class with this policy, for the provisioner of the default class, and an app with a claim."""
    del volumes  # asked for: the class is an object of the whole cluster

    def change(thing: Object) -> None:
        if thing["kind"] == CLAIM.name:
            thing["spec"]["storageClassName"] = "storage"

    _make_dynamic_class(cluster, scene, policy)
    return start_app(scene, change)


@given("the files are on the disk of a Node", target_fixture="disk")
def on_disk(scene: Scene, written: Written, node_disk: None) -> Disk:
    """Find them where the PersistentVolume says that its data are."""
    del node_disk  # asked for: without leave this step is not taken
    disk = _look_at_disk(scene, _volume_of(scene, the_claim(scene)))
    found = _files_on(scene, disk)
    if found != written.files:
        told = datasets.differences(written.files, found)
        raise TrialError(f"the files are not on the disk where the PersistentVolume says: {told}")
    return disk


@then("the PersistentVolume is deleted")
def volume_deleted(scene: Scene, disk: Disk, measurements: Measurements) -> None:
    """The API has it no more."""
    since, bound = scene.recording.mark(), deadlines.VOLUME_RECLAIMED
    seen = scene.recording.wait_until(Gone(PERSISTENT_VOLUME, uid(disk.volume)), bound, since)
    measurements.add("reclaimed", seen.at - since.at, bound.seconds, bound.origin)


@then("the files are gone from that disk")
def files_gone(scene: Scene, disk: Disk) -> None:
    """Where they were nothing is."""
    found = _files_on(scene, disk)
    demand(not found, f"no files in {disk.path} of the Node", otherwise=f"there are {', '.join(found)}")


@then("the PersistentVolume is kept as released")
def volume_released(cluster: Cluster, scene: Scene, disk: Disk) -> None:
    """It is released, and stays so until one that is released later, but under Delete, has been deleted."""
    released = VolumePhase(uid(disk.volume), "Released")
    seen = scene.recording.wait_until(released, deadlines.VOLUME_RECLAIMED)
    _reclaim_another(cluster, scene)
    scene.recording.always(released, seen)


@then("every file is still on that disk unchanged")
def files_kept(scene: Scene, disk: Disk, written: Written) -> None:
    """They are where they were, with the checksums that they had."""
    demand_files(written.files, _files_on(scene, disk))


@given("a Deployment of 1 Ready Pod with a claim to a Node's own disk", target_fixture="deployment")
def app_on_disk(
    cluster: Cluster, scene: Scene, volumes: None, node_directories: NodeDirectories, victim_node: str
) -> Object:
    """Make a volume on the disk of a Node that may be broken, and an app with a claim to it."""
    del volumes  # asked for: the volume is an object of the whole cluster
    node = next(each for each in scene.recording.latest(NODE) if name(each) == victim_node)
    _make_disk(scene, node_directories, node)

    def change(thing: Object) -> None:
        if thing["kind"] == CLAIM.name:
            thing["spec"]["accessModes"] = ["ReadWriteOnce"]
        if thing["kind"] == DEPLOYMENT.name:
            # Its Pod goes back to that Node as soon as it can, and would be evicted until the Node's taint is
            # removed. Twice the time that this takes, for a machine that is busy.
            tainted = bounds.taint_removed(cluster.settings()).seconds
            for each in thing["spec"]["template"]["spec"]["tolerations"]:
                if each["key"] == bounds.UNREACHABLE:
                    each["tolerationSeconds"] = math.ceil(2 * tainted)

    return start_app(scene, change, "app-that-moves")


@given("a Deployment of 1 Ready Pod with a claim to the share", target_fixture="deployment")
def app_on_share(scene: Scene, share: Share, victim_node: str) -> Object:
    """Make an app with a claim to the share, on a Node that may be broken."""
    del share  # asked for: its volume is there by now

    def change(thing: Object) -> None:
        if thing["kind"] == DEPLOYMENT.name:
            prefer_victim(thing["spec"]["template"], victim_node)

    deployment = start_app(scene, change, "app-that-moves")
    nodes = {
        pod["spec"]["nodeName"] for pod in scene.recording.latest(POD) if "app" in pod["metadata"]["labels"]
    }
    if victim_node not in nodes:
        raise TrialError(f"the app did not start on Node {victim_node}, which is to be lost")
    return deployment


# Any storage.


@given(parsers.parse("an administrator has put {what} behind a class"), target_fixture="storage_behind")
def put_behind(what: str, volumes: None, request: pytest.FixtureRequest) -> Storage:
    """Provide storage by whatever way it takes, always under the same name of a class."""
    del volumes  # asked for: what is made are objects of the whole cluster
    provided: Storage = request.getfixturevalue(_WAYS[what])
    return provided


@pytest.fixture
def storage_in_directory(scene: Scene, node_directories: NodeDirectories, storage_node: Object) -> Storage:
    """A directory of a Node."""
    node_directories.use(storage_node)
    scene.apply("persistent_volumes/host-path", lambda thing: on_node(thing, storage_node))
    return Storage(
        lambda volume: "hostPath" in volume["spec"],
        lambda volume, file: node_directories.read(storage_node, f"{node_path(volume)}/{file}"),
    )


@pytest.fixture
def storage_on_disk(scene: Scene, node_directories: NodeDirectories, storage_node: Object) -> Storage:
    """A disk of a Node."""
    _make_disk(scene, node_directories, storage_node)
    return Storage(
        lambda volume: "local" in volume["spec"],
        lambda volume, file: node_directories.read(storage_node, f"{node_path(volume)}/{file}"),
    )


@pytest.fixture
def storage_on_demand(cluster: Cluster, scene: Scene, node_disk: None) -> Storage:
    """Volumes that a provisioner makes."""
    del node_disk  # asked for: the file is looked for on a Node's disk

    def read(volume: Object, file: str) -> str | None:
        disk = _look_at_disk(scene, volume)
        return files.read(scene.api, disk.inspector, "inspector", f"{disk.path}/{file}")

    provisioner = _make_dynamic_class(cluster, scene, "Delete")["provisioner"]
    by = "pv.kubernetes.io/provisioned-by"
    return Storage(lambda volume: volume["metadata"].get("annotations", {}).get(by) == provisioner, read)


@pytest.fixture
def storage_on_share(share: Share) -> Storage:
    """A share that every Node mounts."""
    return Storage(share.is_behind, lambda _, file: share.read(file))


_WAYS = {
    "a directory of a Node": "storage_in_directory",
    "a disk of a Node": "storage_on_disk",
    "storage that is divided on demand": "storage_on_demand",
    "a share that every Node mounts": "storage_on_share",
}
"""The fixture that provides each, by the words that features use."""


@when("a Pod with a claim for that class is created", target_fixture="pod")
def create_pod(scene: Scene) -> Object:
    """Make the Pod and the claim, which are the same for all storage; gives the Pod."""
    return next(each for each in scene.apply("persistent_volumes/pod") if each["kind"] == POD.name)


@then(parsers.re(f"the claim is bound to (?P<what>{'|'.join(_WAYS)})"), target_fixture="volume")
def bound_to_storage(scene: Scene, storage_behind: Storage, what: str) -> Object:
    """The claim's volume is of that storage; gives the volume."""
    volume = _await_volume(scene, the_claim(scene), deadlines.VOLUME_PROVIDED)
    expected = f"a PersistentVolume on {what}"
    demand(storage_behind.is_behind(volume), expected, otherwise=f"its spec is {volume['spec']}")
    return volume


@then("what the Pod writes is found on that storage")
def found_on_storage(scene: Scene, pod: Object, volume: Object, storage_behind: Storage, word: str) -> None:
    """A file that the Pod writes is read from the storage itself."""
    [ready] = ready_pods(scene, [pod], deadlines.VOLUME_PROVIDED)
    files.write(scene.api, ready, _APP, f"{files.mount_path(ready, _APP, _DATA)}/{word}", word)
    found = storage_behind.read(volume, word)
    demand(found == word, f"a file on the storage that reads {word!r}", f"it reads {found!r}")


# Several classes.


@given("two classes of volumes", target_fixture="classes")
def two_classes(
    scene: Scene, volumes: None, node_directories: NodeDirectories, storage_node: Object, word: str
) -> dict[str, str]:
    """Make a volume of each class with a file in it; gives the file's content by the class's plain name."""
    del volumes  # asked for: volumes are objects of the whole cluster
    made = scene.apply("persistent_volumes/two-classes", lambda thing: on_node(thing, storage_node))
    contents = {}
    for volume, plain in zip(made, ("fast", "large"), strict=True):
        contents[plain] = f"{plain} {word}"
        node_directories.write(storage_node, f"{node_path(volume)}/{word}", contents[plain])
    return contents


@when("two Pods are created that claim a class each", target_fixture="pair")
def two_pods(scene: Scene) -> list[Object]:
    """Make two claims and two Pods, named after the class that they want; gives all of them."""
    return scene.apply("persistent_volumes/two-pods")


@then("each claim is bound to a volume of its own class")
def own_class(scene: Scene, pair: list[Object]) -> None:
    """The class of each claim is that of its volume."""
    for claim in (thing for thing in pair if thing["kind"] == CLAIM.name):
        volume = _await_volume(scene, claim, deadlines.VOLUME_BOUND)
        wanted, got = claim["spec"]["storageClassName"], volume["spec"]["storageClassName"]
        demand(wanted == got, f"a volume of class {wanted} for claim {name(claim)}", f"one of class {got}")


@then("each Pod finds in its Volume what was put there")
def own_content(scene: Scene, pair: list[Object], classes: dict[str, str], word: str) -> None:
    """Each Pod, named after its class, reads the file of that class's volume."""
    for pod in ready_pods(scene, pair, deadlines.VOLUME_BOUND):
        found = files.read(scene.api, pod, _APP, f"{files.mount_path(pod, _APP, _DATA)}/{word}")
        wanted = classes[name(pod)]
        demand(found == wanted, f"a file in Pod {name(pod)} that reads {wanted!r}", f"it reads {found!r}")


@when("a Pod is created that claims a class that nobody provides", target_fixture="made")
def unprovided(scene: Scene) -> list[Object]:
    """Make a Pod and its claim; gives the claim and the Pod."""
    return scene.apply("persistent_volumes/unprovided")


@then("its claim stays Pending", target_fixture="looked")
def claim_stays_pending(scene: Scene, made: list[Object]) -> Mark:
    """Its controller has looked for volumes, twice, and has bound it to none; gives the moment after."""
    return _demand_pending(scene, made[0], scene.recording.started)


@then("the Pod stays Pending too")
def pod_stays_pending(scene: Scene, made: list[Object]) -> None:
    """The scheduler has looked at it and says that its claim is not bound; it never had a Node."""
    pod = made[1]

    refused = _not_scheduled(pod, "the Pod waits for its claim to be bound", "PersistentVolumeClaim")
    scene.recording.wait_until(refused, deadlines.CONTROLLER)
    has_node = Check(
        "the Pod has a Node",
        frozenset({POD}),
        lambda view: "nodeName" in _known(view, pod)["spec"],
        lambda view: tell_pods([_known(view, pod)]),
    )
    scene.recording.never(has_node, scene.recording.started)


# Claims that wait.


@given("a claim that waits for a volume", target_fixture="claim")
def waiting_claim(scene: Scene, volumes: None) -> Object:
    """Make a claim that no volume fits, and wait until its controller has said so."""
    del volumes  # asked for: what becomes of volumes is recorded
    claim = scene.apply("persistent_volumes/waiting-claim")[0]
    with preparing("the controller of claims is to look for a volume"):
        scene.recording.wait_until(_looked(claim, 0), deadlines.VOLUME_BOUND, scene.recording.started)
    return claim


@when("a volume is provided that fits the claim", target_fixture="provided")
def provide_fitting(scene: Scene) -> Object:
    """Make a PersistentVolume of the claim's size, access mode and class."""
    return scene.apply(_FITTING)[0]


@when(
    parsers.re("a volume is provided that (?P<how>is too small|has another access mode)"),
    target_fixture="provided",
)
def provide_unfit(scene: Scene, how: str) -> Object:
    """Make a PersistentVolume that fits the claim but for one thing, and wait until it is Available."""

    def change(volume: Object) -> None:
        if how == "is too small":
            volume["spec"]["capacity"]["storage"] = "63Mi"
        else:
            volume["spec"]["accessModes"] = ["ReadWriteOnce"]

    volume = scene.apply(_FITTING, change)[0]
    with preparing("the volume is to be available"):
        scene.recording.wait_until(VolumePhase(uid(volume), "Available"), deadlines.VOLUME_BOUND)
    return volume


@then("the claim is bound to that volume")
def bound_to_it(scene: Scene, claim: Object, provided: Object, measurements: Measurements) -> None:
    """The claim is Bound, its volume is the one that was provided, and that says the same."""
    since, bound = scene.recording.mark(), deadlines.VOLUME_BOUND
    volume = _await_volume(scene, claim, bound)
    measurements.add("bound", scene.recording.mark().at - since.at, bound.seconds, bound.origin)
    demand(
        uid(volume) == uid(provided),
        f"claim {name(claim)} bound to PersistentVolume {name(provided)}",
        f"it is bound to {name(volume)}",
    )
    scene.recording.wait_until(VolumePhase(uid(volume), "Bound"), deadlines.CONTROLLER)


@then("the claim stays Pending")
def stays_pending(scene: Scene, claim: Object) -> None:
    """Its controller has looked again, with the volume there, and has not bound it."""
    _demand_pending(scene, claim, scene.recording.started)


# A claim for one Pod alone.


@given("a Ready Pod with a claim for one Pod alone", target_fixture="pod")
def pod_alone(
    cluster: Cluster,
    scene: Scene,
    volumes: None,
    node_directories: NodeDirectories,
    storage_node: Object,
) -> Object:
    """Make a claim of the access mode ReadWriteOncePod and a Pod that uses it."""
    del volumes  # asked for: the volume is an object of the whole cluster
    capabilities.require(cluster, scene.api, capabilities.READ_WRITE_ONCE_POD)
    node_directories.use(storage_node)
    made = scene.apply("persistent_volumes/one-pod-alone", lambda thing: on_node(thing, storage_node))
    return ready_pods(scene, made, deadlines.VOLUME_BOUND)[0]


@when("a second Pod with the same claim is created", target_fixture="second")
def second_pod(scene: Scene) -> Object:
    """Make one more Pod that uses the claim."""
    return scene.apply("persistent_volumes/second-pod")[0]


@then("the second Pod waits because the claim is in use")
def second_waits(scene: Scene, pod: Object, second: Object) -> None:
    """The scheduler names the claim's access mode; the first Pod is Ready all the time."""
    refused = _not_scheduled(
        second, "the second Pod waits because the claim is for one Pod alone", "ReadWriteOncePod"
    )
    since = scene.recording.mark()
    scene.recording.wait_until(refused, deadlines.CONTROLLER)
    first_ready = Check(
        "the first Pod is Ready and the second has no Node",
        frozenset({POD}),
        lambda view: (
            is_ready(view.one(POD, uid(pod)) or {"metadata": {}})
            and "nodeName" not in _known(view, second)["spec"]
        ),
        lambda view: tell_pods(list(view.all(POD))),
    )
    scene.recording.always(first_ready, since)


# Used by steps of other modules.


def make_dynamic_class(cluster: Cluster, scene: Scene, policy: str = "Delete") -> Callable[[Object], None]:
    """What turns the manifest of a class into one like the cluster's default class, with a policy.

    Raises:
        NotApplicable: There is no default class.
    """
    capabilities.require(cluster, scene.api, capabilities.DEFAULT_STORAGE_CLASS)
    default = storage.default_class(scene.api)
    if default is None:
        raise TrialError("the default StorageClass has just gone")

    def change(thing: Object) -> None:
        for part in ("provisioner", "parameters", "mountOptions", "volumeBindingMode", "allowedTopologies"):
            thing.pop(part, None)
            if part in default:
                thing[part] = default[part]
        thing["reclaimPolicy"] = policy

    return change


def _make_dynamic_class(cluster: Cluster, scene: Scene, policy: str) -> Object:
    return scene.apply("persistent_volumes/dynamic", make_dynamic_class(cluster, scene, policy))[0]


def _reclaim_another(cluster: Cluster, scene: Scene) -> None:
    """Have the provisioner make a volume under the policy Delete, and delete it again."""

    def change(thing: Object) -> None:
        thing["metadata"]["name"] = "another"
        if thing["kind"] == CLAIM.name:
            thing["spec"]["storageClassName"] = "another"
        if thing["kind"] == POD.name:
            thing["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] = "another"
        if thing["kind"] == "StorageClass":
            make_dynamic_class(cluster, scene, "Delete")(thing)

    scene.apply("persistent_volumes/dynamic", change)
    [pod] = ready_pods(scene, scene.apply("persistent_volumes/pod", change), deadlines.VOLUME_PROVIDED)
    scene.recording.catch_up((CLAIM,))
    volume = _volume_of(
        scene, next(each for each in scene.recording.latest(CLAIM) if name(each) == "another")
    )
    since = scene.recording.mark()
    scene.api.delete(POD, scene.namespace.name, name(pod))
    scene.api.delete(CLAIM, scene.namespace.name, "another")
    with preparing("a volume under the policy Delete is to be deleted"):
        bound = deadlines.termination(pod) + deadlines.VOLUME_RECLAIMED
        scene.recording.wait_until(Gone(PERSISTENT_VOLUME, uid(volume)), bound, since)


def _make_disk(scene: Scene, directories: NodeDirectories, node: Object) -> None:
    made = scene.apply("persistent_volumes/local", lambda thing: on_node(thing, node))
    directories.make(node, str(node_path(made[0])))


def _await_volume(scene: Scene, claim: Object, bound: deadlines.Deadline) -> Object:
    """Wait until a claim is bound; gives its PersistentVolume."""
    scene.recording.wait_until(ClaimBound(uid(claim)), bound)
    return _volume_of(scene, scene.now(CLAIM, uid(claim)))


def _volume_of(scene: Scene, claim: Object) -> Object:
    scene.recording.catch_up((PERSISTENT_VOLUME,))
    for volume in scene.recording.latest(PERSISTENT_VOLUME):
        if name(volume) == claim["spec"].get("volumeName"):
            return volume
    raise TrialError(f"claim {name(claim)} has no PersistentVolume: it is {line(claim)}")


def _look_at_disk(scene: Scene, volume: Object) -> Disk:
    """Have a Pod look at the directory that a volume is in, on its Node.

    Raises:
        NotApplicable: The volume is in no directory of a Node.
    """
    path = node_path(volume)
    hosts = [
        value
        for term in volume["spec"].get("nodeAffinity", {}).get("required", {}).get("nodeSelectorTerms", ())
        for expression in term.get("matchExpressions", ())
        if expression["key"] == HOSTNAME
        for value in expression["values"]
    ]
    if path is None or len(hosts) != 1:
        raise NotApplicable("a provisioner whose volumes are directories of a Node")
    node = next(
        each for each in scene.recording.latest(NODE) if each["metadata"]["labels"][HOSTNAME] == hosts[0]
    )
    above, _, own = path.rstrip("/").rpartition("/")

    def change(pod: Object) -> None:
        place(pod, node)
        pod["spec"]["volumes"][0]["hostPath"]["path"] = above

    inspector = scene.start_pod("volumes/inspector", change)
    return Disk(volume, inspector, f"{files.mount_path(inspector, 'inspector', 'pods')}/{own}")


def _files_on(scene: Scene, disk: Disk) -> datasets.Dataset:
    """What is on the disk where the app has its files."""
    return datasets.read(scene.api, disk.inspector, "inspector", f"{disk.path}/files")


def _demand_pending(scene: Scene, claim: Object, since: Mark) -> Mark:
    """Make the controller look at a claim again and check that it never bound it; gives the moment after.

    It is made to look by a label, which changes nothing for it, and says with an Event that it found nothing.
    """
    scene.recording.catch_up((EVENT,))
    before = _looks(scene.recording.world(), claim)
    # Twice, since word of a look before the first one may still be on its way.
    for looked in (before, before + 1):
        label = {"metadata": {"labels": {"look": f"after-{looked}"}}}
        scene.api.merge(CLAIM, scene.namespace.name, name(claim), label)
        # Events may be dropped: that its controller says nothing is no word against it.
        with preparing("the controller of claims is to say that it has looked"):
            scene.recording.wait_until(
                _looked(claim, looked) | ClaimBound(uid(claim)), deadlines.VOLUME_BOUND
            )
    pending = Check(
        "the claim is Pending",
        frozenset({CLAIM}),
        lambda view: phase(view.one(CLAIM, uid(claim)) or claim) in {"", "Pending"},
        lambda view: line(view.one(CLAIM, uid(claim)) or claim),
    )
    scene.recording.always(pending, since)
    return scene.recording.mark()


_FOUND_NOTHING = ("FailedBinding", "ProvisioningFailed")
"""The reasons of the Events by which the controller of claims says that there is no volume for one."""


def _looks(view: View, claim: Object) -> int:
    """How often the controller has said that it found no volume for a claim."""
    return sum(
        (event.get("series") or {}).get("count") or event.get("deprecatedCount") or 1
        for event in events_about(view, claim, *_FOUND_NOTHING)
    )


def _known(view: View, pod: Object) -> Object:
    """The Pod as the recording has it; as it was made if that has nothing of it."""
    return view.one(POD, uid(pod)) or pod


def _not_scheduled(pod: Object, text: str, reason: str) -> Check:
    """The scheduler says of the Pod that it has no Node, with a word that tells why."""
    return Check(
        text,
        frozenset({POD}),
        lambda view: reason in unschedulable(_known(view, pod)),
        lambda view: unschedulable(_known(view, pod)) or tell_pods([_known(view, pod)]),
    )


def _looked(claim: Object, before: int) -> Check:
    return Check(
        "the controller of claims says that it finds no volume for the claim",
        frozenset({EVENT, CLAIM}),
        lambda view: _looks(view, claim) > before,
        lambda view: (
            f"it has said so {_looks(view, claim)} times; the claim is "
            + line(view.one(CLAIM, uid(claim)) or claim)
        ),
    )
