"""Steps about apps whose Node is lost, or only out of sight."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from pytest_bdd import given, parsers, then, when

from podproof.cluster import bounds, capabilities
from podproof.cluster.base import Cluster
from podproof.errors import TrialError
from podproof.faults.injected import injected
from podproof.faults.nodes import Partitioned
from podproof.faults.pods import Incident, before
from podproof.kube import deadlines
from podproof.kube.conditions import Check, View, demand, preparing
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import DEPLOYMENT, ENDPOINT_SLICE, POD, STATEFUL_SET, Object, name, uid
from podproof.kube.rollouts import duration, finished
from podproof.kube.scene import Scene
from podproof.kube.states import Gone, PodReady
from podproof.kube.summary import line
from podproof.traffic.steady import Client
from podproof.verdicts.measurements import Measurements
from steps.nodes import place_on, prefer_victim
from steps.replicasets import served
from steps.requests import at_address, demand_answers
from steps.traffic import ended

_AWAY = "the control plane"
_STRAYS = 0.05
"""The share of requests that may still be lost once a Service has left a lost Pod out.

The kernel keeps in mind for two minutes where a connection went that was never answered. One that
is made from the same port by chance follows it, to the Pod that is not there: two of 400 were seen to.
"""


@given(
    parsers.parse(
        "a Deployment of {count:d} Ready Pods on different Nodes that gives up a lost Node after 5 seconds"
    ),
    target_fixture="deployment",
)
def gives_up_soon(scene: Scene, victim_node: str, count: int) -> Object:
    """Make it, one of its Pods on a Node that may be broken, and wait until its Service lists all."""

    def change(thing: Object) -> None:
        if thing["kind"] == DEPLOYMENT.name:
            thing["spec"]["replicas"] = count
            prefer_victim(thing["spec"]["template"], victim_node)

    since = scene.recording.mark()
    made = scene.apply("beyond/gives-up-soon", change)
    deployment = next(each for each in made if each["kind"] == DEPLOYMENT.name)
    with preparing("the Deployment is to be rolled out, and its Service to list its Pods"):
        scene.recording.wait_until(finished(deployment), duration(deployment), since)
        listed = Check(
            f"{count} Pods are listed",
            frozenset({ENDPOINT_SLICE}),
            lambda view: len(served(view)) == count,
            lambda view: f"{len(served(view))} are",
        )
        scene.recording.wait_until(listed, deadlines.CONTROLLER)
    return deployment


@given("a StatefulSet of 1 Ready Pod on a Node that may be broken", target_fixture="statefulset")
def statefulset_on_victim(scene: Scene, victim_node: str) -> Object:
    """Make it; gives the StatefulSet."""
    scene.recording.include(STATEFUL_SET, lambda _: True)
    [made] = scene.apply(
        "beyond/statefulset-alone", lambda thing: place_on(thing["spec"]["template"], victim_node)
    )
    ready = Check(
        "its Pod is Ready",
        frozenset({POD}),
        lambda view: any(PodReady(uid(pod)).holds(view) for pod in view.all(POD)),
        lambda _: "it is not",
    )
    with preparing("the StatefulSet is to have its Pod"):
        scene.recording.wait_until(ready, deadlines.replacement_ready(made["spec"]["template"]))
    return made


@when("the Node of one of its Pods is cut off from the control plane", target_fixture="incident")
def hide_node(
    cluster: Cluster, scene: Scene, replicaset: Object, victim_node: str, repairs: ExitStack
) -> Incident:
    """Drop what the Node and the control plane send each other, until a later step or the scenario's end."""
    capabilities.require(cluster, scene.api, capabilities.PARTITION_SWITCH)
    there = [pod for pod in scene.owned(POD, replicaset) if pod["spec"]["nodeName"] == victim_node]
    if not there:
        raise TrialError(f"no Pod of the app runs on Node {victim_node}, which may be broken")
    noticed = bounds.node_replaced(cluster.settings(), there[0])
    incident = replace(before(scene, there[0]), noticed=noticed)
    lasts = deadlines.FAULT_LASTS + noticed + deadlines.POD_STARTUP
    repairs.enter_context(injected(Partitioned(cluster, victim_node, _AWAY, lasts.patience), lasts))
    return replace(incident, struck=scene.recording.mark())


@then("requests are answered again before the Node is back")
def answered_again(scene: Scene, steady: Client, incident: Incident, measurements: Measurements) -> None:
    """From a moment after the Service has left the lost Pod out, no more are lost than strays."""
    bound = incident.noticed + deadlines.ENDPOINT_REMOVED
    out = scene.recording.wait_until(_left_out(incident), bound, incident.since, incident.struck)
    learned = out.at + deadlines.SERVICE_PROGRAMMED.seconds
    record = ended(steady, measurements)
    after = record.since(learned)
    after.demand_steady()
    before_that = [each for each in record.lost if incident.since.at <= each.at < learned]
    if before_that:
        outage = before_that[-1].at - incident.since.at
        told = f"{len(before_that)} requests lost until the Service had left the Pod out"
        measurements.add("outage of the lost Pod", outage, bound.seconds, f"{told}; {bound.origin}")
    share = len(after.lost) / len(after.requests)
    demand(share <= _STRAYS, f"{_STRAYS:.0%} at most are lost from then on", f"{share:.0%}: {after}")


@then("the Service still lists the lost Pod until the Node's grace period is over")
def still_listed(cluster: Cluster, scene: Scene, incident: Incident, measurements: Measurements) -> None:
    """It is left out only when the silence has been noticed, and then it is."""
    noticed = bounds.node_noticed(cluster.settings())
    seen = scene.recording.wait_until(
        _left_out(incident), noticed + deadlines.ENDPOINT_REMOVED, incident.since, incident.struck
    )
    took = seen.at - incident.since.at
    measurements.add("reaction", took, noticed.seconds, noticed.origin)
    least = bounds.node_silent(cluster.settings())
    demand(took >= least.seconds, f"it is listed for {least.seconds:g} s at least", f"for {took:.1f} s")


@then("some requests were lost meanwhile")
def some_lost(steady: Client, incident: Incident, measurements: Measurements) -> None:
    """They were sent to the Pod that was not there any more."""
    record = ended(steady, measurements)
    lost = [each for each in record.lost if each.at >= incident.since.at]
    demand(bool(lost), "requests that are lost", f"none of {len(record.requests)}")
    share = len(lost) / max(len(record.since(incident.since.at).requests), 1)
    measurements.add("outage", lost[-1].at - lost[0].at, None, f"{share:.0%} of the requests were lost in it")


@then("the Pod is given up")
def given_up(scene: Scene, incident: Incident, measurements: Measurements) -> None:
    """It is told to end, by whoever watches over Nodes."""
    pod = uid(incident.pod)

    def told(view: View) -> bool:
        return "deletionTimestamp" in (view.one(POD, pod) or incident.pod)["metadata"]

    marked = Check(
        f"Pod {name(incident.pod)} is told to end",
        frozenset({POD}),
        told,
        lambda view: line(view.one(POD, pod) or incident.pod),
    )
    bound = incident.noticed
    seen = scene.recording.wait_until(marked, bound, incident.since, incident.struck)
    measurements.add("reaction", seen.at - incident.since.at, bound.seconds, bound.origin)


@then("no other Pod takes its name while the Node is silent")
def not_replaced(scene: Scene, statefulset: Object, incident: Incident, measurements: Measurements) -> None:
    """Its controller has looked again since, and there was only ever the one Pod."""
    scene.look_again(STATEFUL_SET, statefulset)
    another = Check(
        "another Pod",
        frozenset({POD}),
        lambda view: any(uid(each) != uid(incident.pod) for each in view.all(POD)),
        lambda view: "; ".join(line(each) for each in view.all(POD)),
    )
    seen = scene.recording.never(another, incident.since)
    measurements.add("watched without a replacement", seen.at - incident.since.at)


@then("the Pod that was given up still answers at its own address")
def still_answers(scene: Scene, client: Object, incident: Incident) -> None:
    """Although there is another one in its place, and the cluster counts it as lost."""
    demand_answers(at_address(scene, client, incident.pod), [incident.pod])


@then("the Pod that was given up is gone once the Node is back")
def gone_in_the_end(scene: Scene, incident: Incident, repairs: ExitStack, measurements: Measurements) -> None:
    """Its kubelet learns that it was told to end, and ends it."""
    pod = uid(incident.pod)
    if scene.recording.world().one(POD, pod) is None:
        raise TrialError("the Pod was gone before its Node was back, so nobody ended it")
    since = scene.recording.mark()
    repairs.close()
    bound: Deadline = deadlines.termination(incident.pod)
    seen = scene.recording.wait_until(Gone(POD, pod), bound, since, scene.recording.mark())
    measurements.add("ended", seen.at - since.at, bound.seconds, bound.origin)


def _left_out(incident: Incident) -> Check:
    return Check(
        f"the Service leaves Pod {name(incident.pod)} out",
        frozenset({ENDPOINT_SLICE}),
        lambda view: uid(incident.pod) not in served(view),
        lambda _: "it lists it",
    )
