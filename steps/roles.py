"""Steps about what developers and administrators may do, as they themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pytest_bdd import given, parsers, then, when

from podproof.cluster.base import Cluster
from podproof.kube import deadlines, manifests
from podproof.kube.client import Api, ApiError
from podproof.kube.conditions import demand
from podproof.kube.kinds import CLAIM, PERSISTENT_VOLUME, POD, Object, name, uid
from podproof.kube.node_directories import NodeDirectories
from podproof.kube.scene import Scene
from podproof.kube.states import PodReady
from podproof.kube.storage import ClaimBound
from podproof.kube.users import as_service_account, await_role
from steps.storage import make_dynamic_class, on_node

_ACCOUNTS = {"a developer": "developer", "an administrator": "administrator"}
_MANIFESTS = {
    "claim": "persistent_volumes/waiting-claim",
    "PersistentVolume": "persistent_volumes/fitting-volume",
    "StorageClass": "persistent_volumes/dynamic",
}
Accounts = dict[str, Api]


@pytest.fixture
def accounts(scene: Scene, volumes: None) -> Iterator[Accounts]:
    """The API server as a developer and as an administrator, each by a token of an account of its own."""
    del volumes  # asked for: an administrator's role is an object of the whole cluster
    scene.apply("persistent_volumes/roles")
    with ExitStack() as stack:
        opened = {}
        for who, account in _ACCOUNTS.items():
            opened[who] = as_service_account(scene.api, scene.namespace.name, account)
            stack.callback(opened[who].close)
        # Rights that come with the roles and that no scenario is about.
        await_role(opened["a developer"], "list", "pods", scene.namespace.name)
        await_role(opened["an administrator"], "list", "persistentvolumes")
        yield opened


@given("a developer's and an administrator's accounts")
def two_accounts(accounts: Accounts) -> None:
    """Make them with their roles."""
    del accounts  # asked for: they are there by now


@given(parsers.re("an administrator has provided a (?P<what>PersistentVolume|StorageClass)"))
def provide(
    cluster: Cluster,
    scene: Scene,
    accounts: Accounts,
    node_directories: NodeDirectories,
    storage_node: Object,
    what: str,
) -> None:
    """Make storage as the administrator."""
    administrator = accounts["an administrator"]
    if what == "StorageClass":
        change = make_dynamic_class(cluster, scene)
        scene.apply("persistent_volumes/dynamic", change, administrator)
    else:
        node_directories.use(storage_node)
        scene.apply("persistent_volumes/host-path", lambda thing: on_node(thing, storage_node), administrator)


@when(
    parsers.re(
        "(?P<who>a developer|an administrator) creates a (?P<thing>claim|PersistentVolume|StorageClass)"
    ),
    target_fixture="answer",
)
def create(scene: Scene, accounts: Accounts, who: str, thing: str) -> ApiError | Object:
    """Try it as that user; gives what the server answers."""
    [wanted] = manifests.load(scene.manifests / f"{_MANIFESTS[thing]}.yaml")
    kind = scene.api.kind(wanted["apiVersion"], wanted["kind"])
    wanted = scene.namespace.beyond.adapt(kind, wanted)
    if not kind.namespaced:
        scene.namespace.beyond.note(kind, wanted)
    try:
        return accounts[who].create(kind, scene.namespace.name if kind.namespaced else None, wanted)
    except ApiError as error:
        if error.status != 403:
            raise
        return error


@when("a developer creates a Pod with a claim", target_fixture="made")
def create_pod(scene: Scene, accounts: Accounts) -> list[Object]:
    """Make a claim and a Pod as the developer; gives both."""
    return scene.apply("persistent_volumes/pod", api=accounts["a developer"])


@then(parsers.re("the API server has (?P<answered>accepted|refused) it"))
def answered(scene: Scene, answer: ApiError | Object, answered: str) -> None:
    """It is there, or it is forbidden and not there."""
    expected = "403 Forbidden" if answered == "refused" else "an object that is made"
    if isinstance(answer, ApiError):
        demand(answered == "refused", expected, f"it is forbidden: {answer.message}")
        kind, thing = scene.namespace.beyond.made[-1]
        there = scene.api.find(kind, None, thing)
        demand(there is None, f"no {kind.name} {thing}", otherwise="it is there although it was refused")
    else:
        demand(answered == "accepted", expected, f"{answer['kind']} {name(answer)} was made")


@then(
    parsers.re("the developer's claim is bound to a volume that (?P<which>was there before|is made for it)")
)
def bound(scene: Scene, made: list[Object], which: str) -> None:
    """Its volume is the administrator's own, or comes from the administrator's class."""
    claim = next(thing for thing in made if thing["kind"] == CLAIM.name)
    scene.recording.wait_until(ClaimBound(uid(claim)), deadlines.VOLUME_PROVIDED)
    volume_name = scene.now(CLAIM, uid(claim))["spec"]["volumeName"]
    ours = {each for kind, each in scene.namespace.beyond.made if kind == PERSISTENT_VOLUME}
    demand(
        (volume_name in ours) == (which == "was there before"),
        f"a volume that {which}",
        f"it is {volume_name}; the administrator made {', '.join(ours) or 'a class and no volume'}",
    )
    wanted = claim["spec"]["storageClassName"]
    got = scene.api.get(PERSISTENT_VOLUME, None, volume_name)["spec"].get("storageClassName")
    demand(got == wanted, f"a volume of the administrator's class {wanted}", f"it is of class {got}")


@then("the developer's Pod is Ready")
def pod_ready(scene: Scene, made: list[Object]) -> None:
    """It runs with the volume."""
    pod = next(thing for thing in made if thing["kind"] == POD.name)
    scene.recording.wait_until(PodReady(uid(pod)), deadlines.VOLUME_PROVIDED + deadlines.pod_ready(pod))
