"""Steps about Nodes that are drained, and budgets that say how much of an app may be missing meanwhile."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field

from pytest_bdd import given, parsers, then, when

from podproof.cluster.base import Cluster
from podproof.errors import TrialError
from podproof.faults.injected import injected
from podproof.faults.nodes import Cordoned
from podproof.faults.pods import request_eviction
from podproof.kube import deadlines, rollouts
from podproof.kube.changes import Mark
from podproof.kube.client import ApiError
from podproof.kube.conditions import Check, View, demand, preparing
from podproof.kube.kinds import DEPLOYMENT, POD, Kind, Object, name
from podproof.kube.scene import Scene
from podproof.kube.states import is_ready, tell_pods
from podproof.verdicts.measurements import Measurements
from steps.nodes import prefer_victim

_BUDGET = Kind("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets")
_REFUSED = 429
"""The API server's answer to an eviction that a budget does not allow: try again later."""


@dataclass
class Evictions:
    """What became of evictions that somebody asked for.

    Attributes:
        since: The moment just before the first.
        refused: What the API server said to each that it refused.
        granted: How many it granted.
    """

    since: Mark
    refused: list[str] = field(default_factory=list)
    granted: int = 0

    @property
    def told(self) -> str:
        """How many, in words."""
        return f"{len(self.refused)} refused, {self.granted} granted"


@given(
    parsers.parse(
        "a Deployment of {count:d} Ready Pods on one Node that may be broken, with a budget of {budget:d}"
    ),
    target_fixture="deployment",
)
def with_budget(scene: Scene, victim_node: str, count: int, budget: int) -> Object:
    """Make a Deployment all of whose Pods run on one Node, and say how many have to be available."""

    def change(thing: Object) -> None:
        if thing["kind"] == DEPLOYMENT.name:
            thing["spec"]["replicas"] = count
            prefer_victim(thing["spec"]["template"], victim_node)
        else:
            thing["spec"]["minAvailable"] = budget

    scene.recording.include(_BUDGET, lambda _: True)
    since = scene.recording.mark()
    made = scene.apply("beyond/budget", change)
    deployment = next(each for each in made if each["kind"] == DEPLOYMENT.name)
    with preparing("the Deployment is to be rolled out"):
        scene.recording.wait_until(rollouts.finished(deployment), rollouts.duration(deployment), since)
    elsewhere = [pod for pod in _pods(scene, deployment) if pod["spec"]["nodeName"] != victim_node]
    if elsewhere:
        raise TrialError(f"not all Pods run on Node {victim_node}: {tell_pods(elsewhere)}")
    counted = Check(
        f"the budget counts {count} healthy Pods",
        frozenset({_BUDGET}),
        lambda view: (
            all(each["status"].get("currentHealthy") == count for each in view.all(_BUDGET))
            and bool(view.all(_BUDGET))
        ),
        lambda view: ", ".join(f"{each['status'].get('currentHealthy')}" for each in view.all(_BUDGET)),
    )
    with preparing("the budget's controller is to look at the Pods"):
        scene.recording.wait_until(counted, deadlines.CONTROLLER, since)
    return deployment


@when("its Node is drained with patience", target_fixture="evictions")
def drain(
    cluster: Cluster, scene: Scene, deployment: Object, victim_node: str, repairs: ExitStack
) -> Evictions:
    """Close the Node and evict each Pod, as `kubectl drain` does: who is refused asks again later.

    Later is when there are more available Pods than before.
    """
    evictions = Evictions(scene.recording.mark())
    repairs.enter_context(injected(Cordoned(cluster, victim_node)))
    for pod in _pods(scene, deployment):
        while not _evict(scene, pod, evictions):
            enough = rollouts.available(deployment, deployment["spec"]["replicas"])
            bound = deadlines.replacement_ready(deployment["spec"]["template"])
            with preparing("the Pod that was evicted before is to be replaced"):
                scene.recording.wait_until(enough, bound)
            _await_leave(scene)
    return evictions


@when("somebody asks for the eviction of each Pod", target_fixture="evictions")
def evict_each(scene: Scene, deployment: Object) -> Evictions:
    """Ask for each, once."""
    evictions = Evictions(scene.recording.mark())
    for pod in _pods(scene, deployment):
        _evict(scene, pod, evictions)
    return evictions


@when("somebody asks for the deletion of one Pod", target_fixture="evictions")
def ask_for_deletion(scene: Scene, deployment: Object) -> Evictions:
    """Delete a Pod, as somebody does who does not care for budgets."""
    evictions = Evictions(scene.recording.mark())
    try:
        scene.api.delete(POD, scene.namespace.name, name(_pods(scene, deployment)[0]))
    except ApiError as error:
        evictions.refused.append(str(error))
    else:
        evictions.granted += 1
    return evictions


@then("that is granted although the budget allows no disruption")
def granted(scene: Scene, evictions: Evictions) -> None:
    """The API server takes the deletion, and the budget said just before that it allows none."""
    [budget] = scene.recording.world(evictions.since).all(_BUDGET)
    if budget["status"].get("disruptionsAllowed") != 0:
        raise TrialError(f"the budget allowed {budget['status'].get('disruptionsAllowed')} disruptions")
    demand(bool(evictions.granted), "a deletion that is granted", otherwise="; ".join(evictions.refused))


@then("an eviction was refused meanwhile")
def one_refused(evictions: Evictions) -> None:
    """The API server said that it would violate the budget."""
    _demand_budget(evictions)


@then("every eviction is refused because of the budget")
def all_refused(evictions: Evictions) -> None:
    """The API server said so each time."""
    _demand_budget(evictions)
    demand(not evictions.granted, "no eviction is granted", evictions.told)


@then(parsers.re(r"at no time was less than (?P<count>\d+) Pods? available"), converters={"count": int})
def never_fewer(
    scene: Scene, deployment: Object, evictions: Evictions, count: int, measurements: Measurements
) -> None:
    """After every change of a Pod there were so many that are Ready and not told to end."""
    end = scene.recording.always(rollouts.available(deployment, count), evictions.since)
    measurements.add("availability watched", end.at - evictions.since.at)


@then(parsers.parse("for a while less than {count:d} Pods were available"))
def fewer(scene: Scene, deployment: Object, evictions: Evictions, count: int) -> None:
    """There was a moment with fewer: nobody kept the Pod from being deleted."""
    scene.recording.wait_until(~rollouts.available(deployment, count), deadlines.CONTROLLER, evictions.since)


@then("all its Pods are on other Nodes")
def elsewhere(
    scene: Scene, deployment: Object, victim_node: str, evictions: Evictions, measurements: Measurements
) -> None:
    """As many as it is to have are Ready, and none is on the Node that was drained."""
    count = deployment["spec"]["replicas"]

    def moved(view: View) -> bool:
        there = rollouts.pods_of(view, deployment)
        ready = [pod for pod in there if is_ready(pod)]
        return len(ready) == count and all(pod["spec"].get("nodeName") != victim_node for pod in there)

    bound = deadlines.termination(deployment["spec"]["template"])
    bound = bound + deadlines.replacement_ready(deployment["spec"]["template"])
    seen = scene.recording.wait_until(
        Check(
            f"{count} Ready Pods, none of them on Node {victim_node}",
            frozenset({POD}),
            moved,
            lambda view: tell_pods(rollouts.pods_of(view, deployment)),
        ),
        bound,
    )
    measurements.add("drained", seen.at - evictions.since.at)


def _evict(scene: Scene, pod: Object, evictions: Evictions) -> bool:
    try:
        request_eviction(scene.api, pod)
    except ApiError as error:
        if error.status != _REFUSED:
            raise
        evictions.refused.append(error.message)
        return False
    evictions.granted += 1
    return True


def _await_leave(scene: Scene) -> None:
    """Wait until the budget's controller allows a disruption again."""
    allowed = Check(
        "the budget allows a disruption",
        frozenset({_BUDGET}),
        lambda view: all(each["status"].get("disruptionsAllowed", 0) > 0 for each in view.all(_BUDGET)),
        lambda _: "it allows none",
    )
    with preparing("the budget is to allow a disruption again"):
        scene.recording.wait_until(allowed, deadlines.CONTROLLER)


def _demand_budget(evictions: Evictions) -> None:
    demand(bool(evictions.refused), "an eviction that is refused", evictions.told)
    wrong = [said for said in evictions.refused if "disruption budget" not in said]
    said = "; ".join(dict.fromkeys(wrong or evictions.refused))
    demand(not wrong, "refusals because of the disruption budget", said)


def _pods(scene: Scene, deployment: Object) -> list[Object]:
    scene.recording.catch_up((POD,))
    there = rollouts.pods_of(scene.recording.world(), deployment)
    return sorted((pod for pod in there if "deletionTimestamp" not in pod["metadata"]), key=name)
