"""Steps about Nodes that are cut off from a part of the network."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest
from pytest_bdd import given, parsers, then, when

from podproof.cluster import bounds
from podproof.cluster.base import Cluster
from podproof.cluster.bounds import UNREACHABLE
from podproof.faults.injected import Injection, injected
from podproof.faults.node_carrier import cut_off_from
from podproof.faults.pods import Incident, before
from podproof.faults.service import taints
from podproof.kube import deadlines
from podproof.kube.changes import Mark
from podproof.kube.conditions import Check, View, demand, preparing
from podproof.kube.kinds import NODE, POD, Object, name, uid
from podproof.kube.scene import Scene
from podproof.kube.states import Gone, is_ready
from podproof.kube.summary import line
from podproof.traffic.steady import Client
from podproof.verdicts.measurements import Measurements
from steps.nodes import on_victim
from steps.recovery import add_outage, ended
from steps.replicasets import wait_for_brand_new
from steps.requests import at_address, demand_answers

_AWAY = "(?P<away>the control plane|the other Nodes|all that comes in|all that goes out)"
_MOST = 0.8
"""The part of a partition over which requests must have been lost, by the first and the last that was.

Not all of it: with two Pods chance chooses which one is asked, and confirming the partition takes a while.
"""


@dataclass(frozen=True, slots=True)
class Partition:
    """A Node that was cut off.

    Attributes:
        incident: Its Pod.
        injection: The fault.
    """

    incident: Incident
    injection: Injection


@pytest.fixture
def incident(partition: Partition) -> Incident:
    """What befell the Pod behind the partition, for steps that ask who replaces it."""
    return partition.incident


@when(parsers.re(f"the Node of one of its Pods is cut off from {_AWAY}"), target_fixture="partition")
def cut_off(
    cluster: Cluster, scene: Scene, replicaset: Object, victim_node: str, repairs: ExitStack, away: str
) -> Partition:
    """Cut the Node of one of the Pods off until the scenario is over."""
    pod = on_victim(scene, replicaset, victim_node)
    noticed = bounds.node_replaced(cluster.settings(), pod)
    lasts = deadlines.FAULT_LASTS + noticed + deadlines.POD_STARTUP
    fault = cut_off_from(cluster, victim_node, away, scene.namespace.name, lasts.patience)
    fault.prepare()
    incident = replace(before(scene, pod), noticed=noticed, with_node=True)
    injection = repairs.enter_context(injected(fault, lasts))
    return Partition(replace(incident, struck=scene.recording.mark()), injection)


@given(
    "the Node of one of its Pods was cut off from the control plane until its Pod was replaced",
    target_fixture="partition",
)
def was_cut_off(
    cluster: Cluster,
    scene: Scene,
    replicaset: Object,
    victim_node: str,
    repairs: ExitStack,
    measurements: Measurements,
) -> Partition:
    """Cut it off and wait until a brand-new Pod has taken the place of its Pod."""
    partition = cut_off(cluster, scene, replicaset, victim_node, repairs, "the control plane")
    with preparing("the Pod is to be replaced"):
        wait_for_brand_new(scene, replicaset, partition.incident, measurements)
    return partition


@when("the partition ends", target_fixture="over")
def end_partition(scene: Scene, partition: Partition) -> Mark:
    """Undo it; gives the moment just before."""
    partition.injection.demand_lasting()
    since = scene.recording.mark()
    partition.injection.undo()
    return since


@then("the cluster counts the Node as lost")
def counted_as_lost(cluster: Cluster, scene: Scene, partition: Partition, measurements: Measurements) -> None:
    """It is not Ready any more, and has the taint of a Node that nothing is heard of."""
    bound = bounds.node_noticed(cluster.settings())
    since = partition.incident.since
    seen = scene.recording.wait_until(_lost(partition.incident), bound, since, partition.incident.struck)
    measurements.add("Node counted as lost", seen.at - since.at, bound.seconds, bound.origin)


@then("the Pod that was replaced still answers at its own address")
def old_answers(scene: Scene, client: Object, partition: Partition) -> None:
    """It serves as before, to whoever reaches it, while its successor does the same."""
    demand_answers(at_address(scene, client, partition.incident.pod), [partition.incident.pod])
    partition.injection.demand_lasting()


@then("the Pod that was replaced is ended")
def old_ended(scene: Scene, partition: Partition, over: Mark, measurements: Measurements) -> None:
    """Its Node learns that it was deleted, and ends it."""
    pod = partition.incident.pod
    bound = deadlines.NODE_BOOT + deadlines.termination(pod)
    seen = scene.recording.wait_until(Gone(POD, uid(pod)), bound, over)
    measurements.add("old Pod gone", seen.at - over.at, bound.seconds, bound.origin)


@then("it was there until the partition ended")
def old_was_there(scene: Scene, partition: Partition, over: Mark, measurements: Measurements) -> None:
    """Although it had been deleted, it was not gone as long as its Node was cut off."""
    pod = partition.incident.pod
    seen = scene.recording.never(Gone(POD, uid(pod)), partition.incident.since, over)
    measurements.add("two instances watched", seen.at - partition.incident.since.at)


@then("the cluster never counts the Node as lost for as long as it would take")
def never_lost(cluster: Cluster, scene: Scene, partition: Partition, measurements: Measurements) -> None:
    """Over the whole time in which the loss of a Node is noticed, it stays Ready."""
    partition.injection.hold(bounds.node_noticed(cluster.settings()))
    since = partition.incident.since
    seen = scene.recording.never(_lost(partition.incident), since)
    measurements.add("watched without a loss", seen.at - since.at)


@then("requests to its Pod were lost all the while")
def lost_all_the_while(
    scene: Scene, steady: Client, partition: Partition, measurements: Measurements
) -> None:
    """From its beginning to its end, requests that went to the Pod behind the partition were not answered."""
    held = scene.recording.mark().at - partition.incident.since.at
    record, impact = ended(steady, partition.incident)
    add_outage(measurements, record, impact)
    demand(
        impact is not None and impact.seconds > _MOST * held,
        f"requests are lost for most of {held:.1f} s",
        str(record) if impact is None else f"for {impact.seconds:.1f} s; {record}",
    )


def _lost(incident: Incident) -> Check:
    """The Node of a Pod counts as lost."""
    node = incident.pod["spec"]["nodeName"]

    def known(view: View) -> Object:
        return next(each for each in view.all(NODE) if name(each) == node)

    return Check(
        f"Node {node} counts as lost",
        frozenset({NODE}),
        lambda view: not is_ready(known(view)) and UNREACHABLE in taints(known(view)),
        lambda view: line(known(view)),
    )
