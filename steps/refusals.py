"""Steps about what the API server refuses to do with a Pod."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pytest_bdd import parsers, then, when

from podproof.cluster import bounds, capabilities
from podproof.cluster.base import Cluster
from podproof.faults.pods import Incident, before
from podproof.kube.client import ApiError
from podproof.kube.conditions import Check, View, demand
from podproof.kube.kinds import HORIZONTAL_POD_AUTOSCALER, POD, REPLICA_SET, Object, name, uid
from podproof.kube.scene import Scene
from podproof.kube.states import PodReady
from steps.nodes import other_node

_REFUSALS = {
    422: "may not change fields",
    409: "already assigned to node",
}
"""How the API server refuses to change what is settled, by status and in a part of its own words."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something that the API server was asked for.

    Attributes:
        incident: The Pod that it is about, as it was before.
        refusal: What the server said to it, or None if it did as it was asked.
    """

    incident: Incident
    refusal: ApiError | None

    def __str__(self) -> str:
        said = self.refusal
        return f"it says {said.status} {said.reason}: {said.message}" if said else "it does as it is asked"


@when("somebody submits it with another command", target_fixture="attempt")
def resubmit(scene: Scene, pod: Object) -> Attempt:
    """Apply the Pod's own manifest with a change, as one does to update a Deployment."""

    def change(thing: Object) -> None:
        thing["spec"]["containers"][0]["args"] = ["exit 0"]

    return _attempt(scene, pod, lambda: scene.apply("pods/by-hand", change))


@when(parsers.parse("somebody tries to move it by {means}"), target_fixture="attempt")
def move(cluster: Cluster, scene: Scene, pod: Object, means: str) -> Attempt:
    """Ask for the Pod to be on another Node."""
    capabilities.require(cluster, scene.api, capabilities.TWO_NODES)
    elsewhere = name(other_node(scene, pod))
    path = POD.path(scene.namespace.name, name(pod), "binding")
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": name(pod)},
        "target": {"apiVersion": "v1", "kind": "Node", "name": elsewhere},
    }
    ways: dict[str, Callable[[], object]] = {
        "naming another Node": lambda: scene.api.merge(
            POD, scene.namespace.name, name(pod), {"spec": {"nodeName": elsewhere}}
        ),
        "binding it a second time": lambda: scene.api.request("POST", path, body=binding),
    }
    return _attempt(scene, pod, ways[means])


@when("somebody tries to scale it", target_fixture="attempt")
def scale_pod(scene: Scene, pod: Object) -> Attempt:
    """Ask for two replicas of the Pod, in the words in which any workload is scaled."""
    return _attempt(
        scene,
        pod,
        lambda: scene.api.merge(POD, scene.namespace.name, name(pod), {"spec": {"replicas": 2}}, "scale"),
    )


@then("the API server refuses that")
def refused(attempt: Attempt) -> None:
    """Its answer says that this cannot be changed of a Pod that exists."""
    said = attempt.refusal
    words = _REFUSALS.get(said.status, "") if said else ""
    demand(
        said is not None and bool(words) and words in said.message,
        "the API server refuses: " + " or ".join(f"{code} '{text}'" for code, text in _REFUSALS.items()),
        str(attempt),
    )


@then("the API server answers that there is nothing to scale")
def nothing_to_scale(scene: Scene, attempt: Attempt) -> None:
    """Pods have no such part: 404, although the Pod is there."""
    scene.now(POD, uid(attempt.incident.pod))
    demand(attempt.refusal is not None and attempt.refusal.status == 404, "404 Not Found", str(attempt))


@then("it would have scaled a ReplicaSet")
def scales_replicaset(scene: Scene) -> None:
    """The same request about a ReplicaSet is no error."""
    replicaset = scene.apply("replicasets/web", lambda thing: thing["spec"].update(replicas=0))[0]
    path = REPLICA_SET.path(scene.namespace.name, name(replicaset), "scale")
    scaled = scene.api.request(
        "PATCH",
        path,
        query={"dryRun": "All"},
        body={"spec": {"replicas": 2}},
        content_type="application/merge-patch+json",
    )
    found = scaled["spec"].get("replicas")
    demand(found == 2, "a ReplicaSet that would have 2 Pods", f"it would have {found}")


@then("the Pod runs on as it was")
def unchanged(scene: Scene, attempt: Attempt) -> None:
    """Its specification is the same, and it was Ready all the time."""
    pod = attempt.incident.pod
    now = scene.now(POD, uid(pod))
    demand(now["spec"] == pod["spec"], "the same specification", otherwise="it has changed")
    scene.recording.always(PodReady(uid(pod)), attempt.incident.since)


@when("an autoscaler is told to scale it", target_fixture="attempt")
def autoscale(scene: Scene, pod: Object) -> Attempt:
    """Make an autoscaler whose target is the Pod."""
    scene.recording.include(HORIZONTAL_POD_AUTOSCALER, lambda _: True)
    return _attempt(scene, pod, lambda: scene.apply("pods/pod-autoscaler"))


@then("the autoscaler cannot do that")
def cannot_autoscale(cluster: Cluster, scene: Scene, attempt: Attempt) -> None:
    """There is none, as the API server refuses a target without replicas, or it says that it is not able to.

    1.37 refuses it, and 1.33 does not: what can be scaled is never in the core group, where Pods are.
    """
    if attempt.refusal is not None:
        said = attempt.refusal
        wanted = said.status == 422 and "scaleTargetRef" in said.message
        demand(wanted, "422: a Pod is no target for an autoscaler", str(attempt))
        return

    def told(view: View) -> Object:
        for known in view.all(HORIZONTAL_POD_AUTOSCALER):
            for each in known.get("status", {}).get("conditions") or ():
                if each["type"] == "AbleToScale":
                    return dict(each)
        return {}

    unable = Check(
        "the autoscaler is not able to scale: FailedGetScale",
        frozenset({HORIZONTAL_POD_AUTOSCALER}),
        lambda view: (told(view).get("status"), told(view).get("reason")) == ("False", "FailedGetScale"),
        lambda view: f"it says {told(view).get('reason', 'nothing')}: {told(view).get('message', '')}",
    )
    scene.recording.wait_until(
        unable, bounds.autoscaler_looks(cluster.settings()), attempt.incident.since, attempt.incident.struck
    )


def _attempt(scene: Scene, pod: Object, ask: Callable[[], object]) -> Attempt:
    incident = before(scene, pod)
    try:
        ask()
    except ApiError as error:
        return Attempt(incident, error)
    return Attempt(incident, None)
