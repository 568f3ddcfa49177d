"""Steps about autoscalers, and about the load that makes them act."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from pytest_bdd import given, parsers, then, when

from podproof.cluster import bounds, capabilities, metrics
from podproof.cluster.base import Cluster
from podproof.errors import TrialError
from podproof.kube import deadlines
from podproof.kube.changes import Mark
from podproof.kube.conditions import Check, Falsified, View, preparing
from podproof.kube.kinds import POD, REPLICA_SET, Object, name, uid
from podproof.kube.scene import Scene
from podproof.kube.states import OwnedPodsReady
from podproof.kube.summary import line
from podproof.traffic.again import ask_until
from podproof.traffic.steady import Traffic
from podproof.verdicts.measurements import Measurements

_RATE = 4  # requests a second, each of which costs some 20 to 40 ms of CPU time
_WORK = "/cgi-bin/work"


@dataclass(frozen=True, slots=True)
class Cause:
    """What should make the autoscaler act, and the moment from which on it does."""

    since: Mark


@pytest.fixture
def measured(cluster: Cluster, scene: Scene) -> None:
    """A cluster that measures what Pods use."""
    capabilities.require(cluster, scene.api, capabilities.METRICS)


@given("a ReplicaSet of 1 Ready Pod with an autoscaler", target_fixture="replicaset")
def autoscaled(scene: Scene, measured: None) -> Object:
    """Make a ReplicaSet, and an autoscaler that looks after it."""
    del measured  # without which no autoscaler can act
    replicaset = _start(scene, "replicasets/work", 1)
    scene.apply("replicasets/autoscaler")
    return replicaset


@given("another ReplicaSet of 1 Ready Pod without one", target_fixture="alone")
def not_autoscaled(scene: Scene) -> Object:
    """Make another ReplicaSet of the same Pods, with no autoscaler."""
    return _start(scene, "replicasets/work-alone", 1)


@given(parsers.parse("a ReplicaSet of {count:d} Ready Pods without load"), target_fixture="replicaset")
def idle(scene: Scene, measured: None, count: int) -> Object:
    """Make a ReplicaSet that nobody asks for anything."""
    del measured  # without which no autoscaler can act
    return _start(scene, "replicasets/work", count)


@when("it comes under load", target_fixture="cause")
def load(scene: Scene, traffic: Traffic, replicaset: Object) -> Cause:
    """Send the ReplicaSet's Service requests that cost CPU time, steadily until the scenario is over."""
    traffic.start(_service_of(replicaset), rate=_RATE)
    return Cause(scene.recording.mark())


@when("both come under the same load", target_fixture="cause")
def load_both(scene: Scene, traffic: Traffic, replicaset: Object, alone: Object) -> Cause:
    """Send each one's Service the same requests at the same rate."""
    traffic.start(_service_of(alone), rate=_RATE)
    traffic.start(_service_of(replicaset), rate=_RATE)
    return Cause(scene.recording.mark())


@when("an autoscaler begins to look after it", target_fixture="cause")
def begin(scene: Scene, replicaset: Object) -> Cause:
    """Make an autoscaler for the ReplicaSet that there is."""
    del replicaset  # the manifest names it
    since = scene.recording.mark()
    scene.apply("replicasets/autoscaler")
    return Cause(since)


@then(
    parsers.re(r"the ReplicaSet (?:grows|shrinks) to (?P<count>\d+) Ready Pods?"),
    converters={"count": int},
    target_fixture="scaled",
)
def scales(
    cluster: Cluster,
    scene: Scene,
    replicaset: Object,
    cause: Cause,
    count: int,
    measurements: Measurements,
) -> Mark:
    """The autoscaler asks for so many Pods, and they are there; gives the moment."""

    def asked(view: View) -> int:
        return int((view.one(REPLICA_SET, uid(replicaset)) or replicaset)["spec"]["replicas"])

    decided = Check(
        f"the ReplicaSet is told to have {count} Pods",
        frozenset({REPLICA_SET}),
        lambda view: asked(view) == count,
        lambda view: line(view.one(REPLICA_SET, uid(replicaset)) or replicaset),
    )
    bound = bounds.autoscaled(cluster.settings())
    try:
        change = scene.recording.wait_until(decided, bound, cause.since)
    except Falsified as error:
        _demand_load(scene, replicaset, count, error)
        raise
    measurements.add("reaction", change.at - cause.since.at, bound.seconds, bound.origin)
    template = replicaset["spec"]["template"]
    settled = deadlines.replacement_ready(template) + deadlines.termination(template)
    reached = scene.recording.wait_until(OwnedPodsReady(uid(replicaset), count), settled, change)
    measurements.add("recovery", reached.at - change.at, settled.seconds, settled.origin)
    return reached


@then("the other one never changed its count meanwhile")
def unchanged(scene: Scene, alone: Object, cause: Cause, scaled: Mark, measurements: Measurements) -> None:
    """In all the time that it took the one with an autoscaler to grow, the other one's count stayed."""

    def asked(view: View) -> int | None:
        known = view.one(REPLICA_SET, uid(alone))
        return known["spec"]["replicas"] if known else None

    wanted = alone["spec"]["replicas"]
    same = Check(
        f"it is told to have {wanted} Pod",
        frozenset({REPLICA_SET}),
        lambda view: asked(view) == wanted,
        lambda view: f"it is told to have {asked(view)}",
    )
    scene.recording.catch_up(same.kinds)
    scene.recording.always(same, cause.since, scaled)
    measurements.add("watched without an autoscaler", scaled.at - cause.since.at)


@then("its Pod was as busy as makes an autoscaler act")
def busy(scene: Scene, alone: Object) -> None:
    """What it uses is above the autoscaler's goal, or nothing was tried: with one it would have grown too."""
    [pod] = scene.owned(POD, alone)
    goal = _goal(scene, pod)
    with preparing("what the Pod uses is to be measured"):
        ask_until(
            lambda: metrics.cpu_of(scene.api, scene.namespace.name, name(pod)) or 0.0,
            lambda used: used > goal,
            f"Pod {name(pod)} uses more than {goal:g} CPUs, as would make an autoscaler act",
            lambda used: f"it uses {used:g}",
            deadlines.METRICS_MEASURED,
        )


def _demand_load(scene: Scene, replicaset: Object, count: int, error: Falsified) -> None:
    """Make sure that so many Pods were needed: on a fast machine the same requests may cost too little.

    Raises:
        TrialError: They were not, so that it is no fault of the cluster's.
    """
    pods = scene.owned(POD, replicaset)
    used = sum(metrics.cpu_of(scene.api, scene.namespace.name, name(pod)) or 0.0 for pod in pods)
    goal = _goal(scene, replicaset["spec"]["template"])
    if count > 1 and used <= goal * (count - 1):
        raise TrialError(f"the load was too small for {count} Pods: {used:g} CPUs, {goal:g} each") from error


def _goal(scene: Scene, pod: Object) -> float:
    """How many CPUs each Pod is to use at most in the mean, by the autoscaler's own words."""
    applied = [each.stored for each in scene.namespace.applied]
    [autoscaler] = [each for each in applied if each["kind"] == "HorizontalPodAutoscaler"]
    [metric] = autoscaler["spec"]["metrics"]
    requested = metrics.quantity(pod["spec"]["containers"][0]["resources"]["requests"]["cpu"])
    return requested * float(metric["resource"]["target"]["averageUtilization"]) / 100


def _start(scene: Scene, manifest: str, count: int) -> Object:
    def resize(thing: Object) -> None:
        if thing["kind"] == REPLICA_SET.name:
            thing["spec"]["replicas"] = count

    replicaset = next(each for each in scene.apply(manifest, resize) if each["kind"] == REPLICA_SET.name)
    bound = deadlines.replacement_ready(replicaset["spec"]["template"])
    scene.recording.wait_until(OwnedPodsReady(uid(replicaset), count), bound)
    return scene.now(REPLICA_SET, uid(replicaset))


def _service_of(replicaset: Object) -> str:
    """Where its Service is asked for work: the two have one name."""
    return f"http://{name(replicaset)}{_WORK}"
