"""Steps about how an app recovers: in the field's four times, reaction, repair, recovery and outage."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_bdd import given, parsers, then, when

from podproof.cluster import bounds
from podproof.cluster.base import Cluster
from podproof.cluster.bounds import UNREACHABLE, Recovery
from podproof.errors import TrialError
from podproof.faults import containers
from podproof.faults.pods import Incident
from podproof.faults.service import taints
from podproof.kube import deadlines, rollouts
from podproof.kube.conditions import Check, Condition, View, demand
from podproof.kube.kinds import ENDPOINT_SLICE, NODE, POD, Object, name, uid
from podproof.kube.scene import Scene
from podproof.kube.states import Replaced, container_status, is_ready, is_started, tell_pods
from podproof.kube.summary import line
from podproof.traffic.record import Impact, Record
from podproof.traffic.steady import Client
from podproof.verdicts.measurements import Measurements
from steps.deployments import start
from steps.nodes import VICTIM, prefer_victim

_APP = "app"
_MANIFESTS = {
    "default settings": "recovery/default",
    "short tolerations": "recovery/short",
    "the most responsive settings": "recovery/responsive",
}
_SETTINGS = f"(?P<settings>{'|'.join(_MANIFESTS)})"


@given(
    parsers.re(f"a Deployment of 1 Ready Pod behind a Service, with {_SETTINGS}"), target_fixture="deployment"
)
def one_pod(scene: Scene, settings: str) -> Object:
    """Make a Deployment of one Pod, on a Node that nobody breaks meanwhile."""
    return start(scene, _MANIFESTS[settings], 1, _keep_off_victims)


@given(
    parsers.re(
        f"a Deployment of 1 Ready Pod on a Node that may be broken behind a Service, with {_SETTINGS}"
    ),
    target_fixture="deployment",
)
def one_pod_on_victim(scene: Scene, victim_node: str, settings: str) -> Object:
    """Make a Deployment of one Pod on a Node that may be broken."""
    return start(scene, _MANIFESTS[settings], 1, _admitting(victim_node))


@given(
    parsers.re(f"a Deployment of 2 Ready Pods on different Nodes behind a Service, with {_SETTINGS}"),
    target_fixture="deployment",
)
def two_pods_apart(scene: Scene, victim_node: str, settings: str) -> Object:
    """Make a Deployment of two Pods, one of them on a Node that may be broken."""
    return start(scene, _MANIFESTS[settings], 2, _admitting(victim_node))


@when("its Container's process is killed", target_fixture="incident")
def kill_process(scene: Scene, replicaset: Object) -> Incident:
    """End the process of the Pod's Container by SIGKILL."""
    return containers.kill(scene, scene.owned(POD, replicaset)[0], _APP)


@when("its Pod's own process is killed", target_fixture="incident")
def kill_pods_process(scene: Scene, replicaset: Object) -> Incident:
    """End the process that holds the Pod together, and with it all others."""
    return containers.kill_pod(scene, scene.owned(POD, replicaset)[0], _APP)


@pytest.fixture
def recovery_bounds(cluster: Cluster, deployment: Object, incident: Incident) -> Recovery:
    """How long the app may take to recover from what befell its Pod, by the cluster's own settings."""
    if incident.with_node:
        alone = deployment["spec"]["replicas"] == 1
        return bounds.recovery_from_node_loss(cluster.settings(), incident.pod, alone=alone)
    return bounds.recovery_from_kill(incident.pod)


@then("the app is whole again within the time that the settings give")
def whole_again(
    scene: Scene,
    deployment: Object,
    incident: Incident,
    recovery_bounds: Recovery,
    measurements: Measurements,
) -> None:
    """The cluster reacts, a successor of the lost Pod or container starts, and all are Ready and served."""
    within = recovery_bounds
    since, struck = incident.since, incident.struck
    ask = scene.recording.wait_until
    succeeded = _succeeded(deployment, incident)
    reaction = ask(_reacted(incident), within.reaction, since, struck)
    repair = ask(succeeded, within.reaction + within.repair, since, struck)
    recovery = ask(succeeded & _whole(deployment), within.reaction + within.recovery, since, struck)
    for called, took, bound in (
        ("reaction", reaction.at - since.at, within.reaction),
        ("repair", repair.at - reaction.at, within.repair),
        ("recovery", recovery.at - reaction.at, within.recovery),
    ):
        measurements.add(called, took, bound.seconds, bound.origin)


@then("its clients lose no request after that time")
def service_restored(
    steady: Client, incident: Incident, recovery_bounds: Recovery, measurements: Measurements
) -> None:
    """Requests were lost for a while that the settings give, and for no longer."""
    bound = recovery_bounds.outage
    answered = steady.await_answers(deadlines.SERVICE_PROGRAMMED)
    record, impact = ended(steady, incident)
    if impact is None:
        record.demand_steady()
    demand(answered, "requests are answered again in the end", otherwise=str(record))
    add_outage(measurements, record, impact, bound.seconds, bound.origin)
    took = impact.seconds if impact else 0.0
    demand(took <= bound.patience, f"requests are lost for {bound} at most", f"{took:.3f} s; {record}")


@then("some of the requests were answered all the time")
def never_all_lost(steady: Client, incident: Incident) -> None:
    """The Pod that is left went on answering its share while the loss was not noticed."""
    record, impact = ended(steady, incident)
    demand(impact is not None, "requests that went to the lost Pod are lost", str(record))
    longest = max(each.seconds for each in record.outages())
    demand(
        impact is not None and impact.share < 1 and longest < impact.seconds,
        "some requests are answered while others are lost",
        f"none was for {longest:.3f} s at most; {record}",
    )


@then("until the loss was noticed the Service went on sending requests to the lost Pod")
def sent_to_the_dead(
    scene: Scene,
    incident: Incident,
    steady: Client,
    recovery_bounds: Recovery,
    measurements: Measurements,
) -> None:
    """Requests are lost from the fault until the cluster reacts, and the other Pod answers the rest."""
    seen = scene.recording.wait_until(
        _reacted(incident), recovery_bounds.reaction, incident.since, incident.struck
    )
    measurements.add(
        "reaction",
        seen.at - incident.since.at,
        recovery_bounds.reaction.seconds,
        recovery_bounds.reaction.origin,
    )
    answered = steady.await_answers(recovery_bounds.outage)
    record, impact = ended(steady, incident)
    add_outage(measurements, record, impact, recovery_bounds.outage.seconds, recovery_bounds.outage.origin)
    demand(
        impact is not None and impact.end >= seen.at - _LAST_LOSS,
        f"requests are lost until the loss is noticed {seen.at - incident.since.at:.1f} s after it, "
        f"or for {_LAST_LOSS:g} s less",
        str(record)
        if impact is None
        else f"the last {impact.end - incident.since.at:.1f} s after it; {record}",
    )
    demand(answered, "every request is answered before long once the loss was noticed", otherwise=str(record))


_LAST_LOSS = 6.0
"""Seconds before the loss was noticed by which the last request may have been lost.

A client gives a request up after 5 s. What was sent to the lost Pod less than that before is answered after
all: its connection is tried again, and goes to the other Pod then. And chance chooses the Pod: of twenty
requests in a second all go to the other one once in a million.
"""


def ended(steady: Client, incident: Incident) -> tuple[Record, Impact | None]:
    """The client's whole record, and what the fault cost; None if that is nothing.

    Raises:
        TrialError: It was no steady one, or requests were lost before the fault.
    """
    if steady.running:
        steady.go_on()
    record = steady.stop()
    record.demand_steady()
    if record.lost_before(incident.since.at):
        raise TrialError(f"requests were lost before anything was broken: {record}")
    return record, record.impact(incident.since.at)


def add_outage(
    measurements: Measurements,
    record: Record,
    impact: Impact | None,
    bound: float | None = None,
    origin: str = "",
) -> None:
    """Keep how long a client lost requests, and which share of them."""
    known = f"to {record.interval + record.uncertainty:.3f} s"
    if impact is None:
        measurements.add(
            "outage", 0.0, bound, "; ".join(filter(None, (origin, f"no request was lost, {known}")))
        )
        return
    told = f"{impact.lost} of {impact.sent} requests, {impact.share:.0%}, were lost meanwhile, {known}"
    told += f"; {impact.strays} strays after that" if impact.strays else ""
    measurements.add("outage", impact.seconds, bound, "; ".join(filter(None, (origin, told))))


def _admitting(node: str) -> Callable[[Object], None]:
    def change(thing: Object) -> None:
        prefer_victim(thing["spec"]["template"], node)

    return change


def _keep_off_victims(thing: Object) -> None:
    spec = thing["spec"]["template"]["spec"]
    spec["tolerations"] = [each for each in spec["tolerations"] if each["key"] != VICTIM]


def _reacted(incident: Incident) -> Check:
    """The first that shows in the cluster of what befell a Pod: its Node's state, or its own."""
    pod, node = incident.pod, incident.pod["spec"]["nodeName"]
    instance = container_status(pod, _APP)["containerID"]

    def node_of(view: View) -> Object:
        return next(each for each in view.all(NODE) if name(each) == node)

    def noticed(view: View) -> bool:
        known, machine = view.one(POD, uid(pod)), node_of(view)
        if known is None or not is_ready(known) or not is_started(known):
            return True
        return (
            container_status(known, _APP)["containerID"] != instance
            or not is_ready(machine)
            or UNREACHABLE in taints(machine)
        )

    def tell(view: View) -> str:
        return f"Node {node}: {line(node_of(view))}; {tell_pods(list(view.all(POD)))}"

    return Check("the cluster notices it", frozenset({POD, NODE}), noticed, tell)


def _succeeded(deployment: Object, incident: Incident) -> Condition:
    """Another Pod of the Deployment is started, or another instance of the container in the same Pod."""

    def newcomers(view: View) -> list[Object]:
        return [pod for pod in rollouts.pods_of(view, deployment) if uid(pod) not in incident.known]

    another = Check(
        "a brand-new Pod is started",
        frozenset({POD}),
        lambda view: any(is_started(pod) for pod in newcomers(view)),
        lambda view: tell_pods(newcomers(view)),
    )
    if incident.with_node:
        return another
    instance = container_status(incident.pod, _APP)["containerID"]
    return another | Replaced(uid(incident.pod), _APP, instance)


def _whole(deployment: Object) -> Check:
    """As many Pods as the Deployment wants are Ready, and the Service sends requests to these."""
    wanted = deployment["spec"]["replicas"]

    def ready(view: View) -> list[Object]:
        return [pod for pod in rollouts.pods_of(view, deployment) if is_ready(pod)]

    def served(view: View) -> set[tuple[str, str]]:
        return {
            (endpoint["targetRef"]["uid"], address)
            for each in view.all(ENDPOINT_SLICE)
            for endpoint in each.get("endpoints") or ()
            if endpoint.get("conditions", {}).get("ready") and "targetRef" in endpoint
            for address in endpoint["addresses"]
        }

    def whole(view: View) -> bool:
        pods = {(uid(pod), pod["status"].get("podIP", "")) for pod in ready(view)}
        return len(pods) == wanted and served(view) == pods

    return Check(
        f"{wanted} Ready Pods, to which the Service sends requests",
        frozenset({POD, ENDPOINT_SLICE}),
        whole,
        lambda view: f"{tell_pods(rollouts.pods_of(view, deployment))}; requests go to {len(served(view))}",
        several=True,
    )
