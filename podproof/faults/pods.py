"""Making Pods go, and making sure that they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from podproof.kube import deadlines
from podproof.kube.changes import Mark
from podproof.kube.conditions import Check, View
from podproof.kube.kinds import POD, Object, name, uid
from podproof.kube.scene import Scene
from podproof.kube.summary import line


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that befell a Pod.

    Attributes:
        pod: The Pod as it was before.
        since: The moment just before.
        known: The uids of all Pods that existed then.
        by_liveness: Whether it is the liveness check that ends the container, which takes its time.
    """

    pod: Object
    since: Mark
    known: frozenset[str]
    by_liveness: bool = False


def before(scene: Scene, pod: Object) -> Incident:
    """Take down how things are, just before something befalls a Pod."""
    now = scene.now(POD, uid(pod))
    known = frozenset(uid(each) for each in scene.recording.latest(POD))
    return Incident(now, scene.recording.mark(), known)


def delete(scene: Scene, pod: Object) -> Incident:
    """Delete a Pod, and confirm that the API server has marked it."""
    incident = before(scene, pod)
    scene.api.delete(POD, scene.namespace.name, name(pod), uid=uid(pod))
    _confirm(scene, incident, "marked for deletion", _is_leaving)
    return incident


def evict(scene: Scene, pod: Object) -> Incident:
    """Evict a Pod as `kubectl drain` does, and confirm that the Pod says so itself.

    Raises:
        ApiError: A disruption budget forbids it (status 429).
    """
    incident = before(scene, pod)
    scene.api.request(
        "POST",
        POD.path(scene.namespace.name, name(pod), "eviction"),
        body={
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name(pod), "namespace": scene.namespace.name},
            "deleteOptions": {"preconditions": {"uid": uid(pod)}},
        },
    )
    _confirm(scene, incident, "marked as evicted", _is_evicted)
    return incident


LOSSES: dict[str, Callable[[Scene, Object], Incident]] = {"deleted": delete, "evicted": evict}
"""How a Pod can be lost, by the word that features use."""


def _is_leaving(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _is_evicted(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return _is_leaving(pod) and any(
        each["type"] == "DisruptionTarget" and each.get("reason") == "EvictionByEvictionAPI"
        for each in conditions
    )


def _confirm(scene: Scene, incident: Incident, state: str, test: Callable[[Object], bool]) -> None:
    pod = uid(incident.pod)

    def as_known(view: View) -> Object:
        return view.one(POD, pod) or view.gone(POD, pod) or incident.pod

    scene.recording.wait_until(
        Check(
            f"Pod {name(incident.pod)} is {state}",
            frozenset({POD}),
            lambda view: test(as_known(view)),
            lambda view: line(as_known(view)),
        ),
        deadlines.FAULT_CONFIRMED,
        incident.since,
    )
