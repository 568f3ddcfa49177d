"""Steps about an app that is one Pod or several, and what these serve."""

from __future__ import annotations

from functools import partial

from kubernetes.utils import parse_quantity
from pytest_bdd import given, parsers, then, when

from podproof.kube import deadlines
from podproof.kube.conditions import Check, View, demand, preparing
from podproof.kube.kinds import DEPLOYMENT, ENDPOINT_SLICE, POD, REPLICA_SET, Object, name, uid
from podproof.kube.scene import Scene
from podproof.kube.states import OwnedPodsReady
from podproof.traffic import crowd as crowds
from podproof.traffic.crowd import Load
from podproof.traffic.scaled import TOLERANCE, Scaled, keeps
from podproof.verdicts.measurements import Measurements

_ANSWERS_OF_A_POD = 50
"""How many answers of each Pod are counted, in the mean: some seconds' worth."""


@given(parsers.parse("an app of {count:d} Ready Pod behind a Service"), target_fixture="deployment")
@given(parsers.parse("an app of {count:d} Ready Pods behind a Service"), target_fixture="deployment")
def app(scene: Scene, count: int) -> Object:
    """Make an app whose Pods each have a small CPU limit."""

    def resize(thing: Object) -> None:
        if thing["kind"] == DEPLOYMENT.name:
            thing["spec"]["replicas"] = count

    made = scene.apply("pods/busy", resize)
    deployment = next(each for each in made if each["kind"] == DEPLOYMENT.name)
    with preparing(f"the app is to have {count} Ready Pods"):
        _await_pods(scene, deployment, count)
    return deployment


@given("a crowd of clients that asks for more than it can serve", target_fixture="load_of_one")
def overload(scene: Scene, deployment: Object) -> Load:
    """Start the clients and measure what the one Pod serves; gives that."""
    limit = _cpu_limit(deployment)
    return crowds.measure(scene.api, _crowd(scene), _ANSWERS_OF_A_POD, lambda load: keeps(load, limit))


@when(parsers.parse("a crowd of clients sends {count:d} requests to the Service"), target_fixture="load")
def send_requests(scene: Scene, count: int) -> Load:
    """Start the clients and take down which Pods answer."""
    return crowds.collect(scene.api, _crowd(scene), count)


@then(parsers.parse("it has {count:d} Ready Pods"))
def has_pods(scene: Scene, deployment: Object, count: int, measurements: Measurements) -> None:
    """So many, no more and no fewer, and the Service knows them all."""
    since = scene.recording.mark()
    took = _await_pods(scene, deployment, count) - since.at
    bound = deadlines.replacement_ready(deployment["spec"]["template"])
    measurements.add("recovery", took, bound.seconds, bound.origin)


@then("each of them has a name, an identity and an address of its own")
def distinct(scene: Scene, deployment: Object) -> None:
    """No two share any of these."""
    found = _pods(scene, deployment)
    for what, values in {
        "names": {name(pod) for pod in found},
        "identities": {uid(pod) for pod in found},
        "addresses": {pod["status"]["podIP"] for pod in found},
    }.items():
        demand(len(values) == len(found), f"{len(found)} different {what}", ", ".join(sorted(values)))


@then("each Pod has answered some of them")
def all_reached(scene: Scene, deployment: Object, load: Load) -> None:
    """Every Pod's name is among the answers."""
    wanted = {name(pod) for pod in _pods(scene, deployment)}
    demand(set(load.by_pod) == wanted, f"answers of {', '.join(sorted(wanted))}", str(load))


@then(parsers.parse("it serves about {times:d} times as many requests as before"))
def serves_more(
    scene: Scene, deployment: Object, load_of_one: Load, times: int, measurements: Measurements
) -> None:
    """The same clients are answered that much faster, at the same cost, while limits hold each Pod back."""
    _await_pods(scene, deployment, times)
    scaled = partial(
        Scaled,
        load_of_one,
        pods=frozenset(map(name, _pods(scene, deployment))),
        limit=_cpu_limit(deployment),
    )
    crowd = next(pod for pod in scene.recording.latest(POD) if name(pod) == "crowd")
    load = crowds.measure(
        scene.api,
        crowd,
        _ANSWERS_OF_A_POD * times,
        lambda load: scaled(load).is_conclusive,
        compared_with=load_of_one,
    )
    all_reached(scene, deployment, load)
    found = scaled(load)
    measurements.add("100 answers, one Pod", 100 / load_of_one.per_second)
    measurements.add(f"100 answers, {times} Pods", 100 / load.per_second)
    demand(
        found.is_proportional,
        f"{times} times as many answers per second, give or take {TOLERANCE:.0%}, if each cost the same",
        str(found),
    )


def _cpu_limit(deployment: Object) -> float:
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    return float(parse_quantity(container["resources"]["limits"]["cpu"]))  # type: ignore[no-untyped-call]


def _crowd(scene: Scene) -> Object:
    return scene.start_pod("pods/crowd")


def _pods(scene: Scene, deployment: Object) -> list[Object]:
    [replicaset] = scene.owned(REPLICA_SET, deployment)
    return scene.owned(POD, replicaset)


def _await_pods(scene: Scene, deployment: Object, count: int) -> float:
    """Wait until an app has so many Ready Pods and its Service knows them; gives the moment."""
    since = scene.recording.mark()
    one = Check(
        "a ReplicaSet of the app",
        frozenset({REPLICA_SET}),
        lambda view: bool(view.all(REPLICA_SET)),
        lambda _: "there is none",
    )
    scene.recording.wait_until(one, deadlines.CONTROLLER, since)
    [replicaset] = scene.owned(REPLICA_SET, deployment)
    bound = deadlines.replacement_ready(deployment["spec"]["template"])
    scene.recording.wait_until(OwnedPodsReady(uid(replicaset), count), bound, since)
    known = Check(
        f"the Service knows {count} Pod{'s' * (count != 1)}",
        frozenset({ENDPOINT_SLICE}),
        lambda view: _known(view) == count,
        lambda view: f"it knows {_known(view)}",
    )
    return scene.recording.wait_until(known, deadlines.SERVICE_PROGRAMMED + bound, since).at


def _known(view: View) -> int:
    return sum(
        bool(endpoint.get("conditions", {}).get("ready"))
        for each in view.all(ENDPOINT_SLICE)
        for endpoint in each.get("endpoints") or ()
    )
