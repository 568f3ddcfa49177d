"""Steps of the lab in which NGINX serves from a PersistentVolume, as its reader takes them by hand."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from podproof.errors import TrialError
from podproof.faults import pods
from podproof.kube import deadlines, files
from podproof.kube.conditions import Check, View, demand, preparing
from podproof.kube.kinds import CLAIM, POD, Object, name, uid
from podproof.kube.node_directories import NodeDirectories
from podproof.kube.scene import Scene
from podproof.kube.states import Gone, tell_pods
from podproof.kube.storage import ClaimBound
from steps.storage import on_node

_PAGE, _VOLUME, _REQUEST, _NGINX = (
    f"persistent_volumes/lab-{part}" for part in ("page", "volume", "claim", "nginx")
)
_CONTAINER = "task-pv-container"


@given(parsers.parse('a page on a Node that reads "{text}"'))
def page(scene: Scene, node_directories: NodeDirectories, storage_node: Object, text: str) -> None:
    """Write the page to a directory of a Node, by a Pod that ends when it has done so."""
    node_directories.use(storage_node)
    writer = scene.apply(_PAGE, lambda thing: on_node(thing, storage_node))[0]
    if f"'{text}'" not in " ".join(writer["spec"]["containers"][0]["command"]):
        raise TrialError(f"the lab's page does not read {text!r}")

    def known(view: View) -> Object:
        return view.one(POD, uid(writer)) or writer

    written = Check(
        "the page is written",
        frozenset({POD}),
        lambda view: known(view).get("status", {}).get("phase") == "Succeeded",
        lambda view: tell_pods([known(view)]),
    )
    with preparing("the page is to be written"):
        scene.recording.wait_until(written, deadlines.pod_ready(writer))


@given(parsers.parse("a PersistentVolume of {size} on the directory of the page"), target_fixture="volume")
def volume(scene: Scene, volumes: None, storage_node: Object, size: str) -> Object:
    """Make the lab's PersistentVolume."""
    del volumes  # asked for: the volume is an object of the whole cluster
    made = scene.apply(_VOLUME, lambda thing: on_node(thing, storage_node))[0]
    _confirm(made["spec"]["capacity"]["storage"], size)
    return made


@given(parsers.parse("a claim of {size} that is bound to it"), target_fixture="claim")
def claim(scene: Scene, volume: Object, size: str) -> Object:
    """Make the lab's claim, and see that it has the whole PersistentVolume, which is larger."""
    made = scene.apply(_REQUEST)[0]
    _confirm(made["spec"]["resources"]["requests"]["storage"], size)
    with preparing("the claim is to be bound"):
        scene.recording.wait_until(ClaimBound(uid(made)), deadlines.VOLUME_BOUND)
    known = scene.now(CLAIM, uid(made))
    _confirm(known["spec"]["volumeName"], name(volume))
    _confirm(known["status"]["capacity"]["storage"], volume["spec"]["capacity"]["storage"])
    return known


@given("a Pod of NGINX that serves the page", target_fixture="pod")
@when("a Pod of NGINX with the claim is created", target_fixture="pod")
def nginx(scene: Scene) -> Object:
    """Make the lab's Pod and wait until it serves; gives it."""
    return scene.start_pod(_NGINX)


@when("the Pod is deleted and created anew", target_fixture="pod")
def recreate(scene: Scene, pod: Object) -> Object:
    """Delete the lab's Pod, wait until it is gone, and make it from the same file; gives the new one."""
    incident = pods.delete(scene, pod)
    with preparing("the Pod is to be gone"):
        scene.recording.wait_until(
            Gone(POD, uid(pod)), deadlines.termination(pod), incident.since, incident.struck
        )
    return scene.start_pod(_NGINX)


@then(parsers.parse('NGINX serves "{text}"'))
def serves(scene: Scene, pod: Object, text: str) -> None:
    """A request in the Pod, as the lab makes it, is answered with the page."""
    result = files.run(scene.api, pod, _CONTAINER, "wget -q -O - http://localhost/")
    demand(
        result.ok and result.stdout.strip() == text,
        f"a page that reads {text!r}",
        f"it reads {result.stdout.strip()!r}" if result.ok else result.stderr.strip(),
    )


def _confirm(found: object, wanted: object) -> None:
    if found != wanted:
        raise TrialError(f"the lab's way leads to {found}, not to {wanted}")
