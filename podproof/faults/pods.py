"""Making Pods go, and making sure that they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from podproof.kube import deadlines, files
from podproof.kube.changes import Mark
from podproof.kube.client import Api, ApiError
from podproof.kube.conditions import Check, View
from podproof.kube.deadlines import Deadline
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
        noticed: How long the Pod's controller may take to learn of it.
        struck: The moment at which it was there for certain: what is to follow is given time from then on.
        by_liveness: Whether it is the liveness check that ends the container, which takes its time.
        with_node: Whether the Pod is lost together with its Node.
    """

    pod: Object
    since: Mark
    known: frozenset[str]
    by_liveness: bool = False
    noticed: Deadline = deadlines.CONTROLLER
    with_node: bool = False
    struck: Mark | None = None


def before(scene: Scene, pod: Object) -> Incident:
    """Take down how things are, just before something befalls a Pod."""
    now = scene.now(POD, uid(pod))
    known = frozenset(uid(each) for each in scene.recording.latest(POD))
    return Incident(now, scene.recording.mark(), known)


def delete(scene: Scene, pod: Object) -> Incident:
    """Delete a Pod, and confirm that the API server has marked it."""
    incident = before(scene, pod)
    scene.api.delete(POD, scene.namespace.name, name(pod), uid=uid(pod))
    return replace(incident, struck=_confirm(scene, incident, "marked for deletion", is_leaving))


def delete_at_once(scene: Scene, pod: Object) -> Incident:
    """Delete a Pod without a grace period, as `kubectl delete --grace-period=0 --force` does."""
    incident = before(scene, pod)
    options = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid(pod)}}
    scene.api.request("DELETE", POD.path(scene.namespace.name, name(pod)), body=options)
    return replace(incident, struck=scene.recording.mark())


def request_eviction(api: Api, pod: Object) -> None:
    """Ask the API server to evict a Pod, if it is still the one of that uid; one that has gone is left alone.

    Raises:
        ApiError: A disruption budget forbids it (status 429).
    """
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name(pod), "namespace": pod["metadata"]["namespace"]},
        "deleteOptions": {"preconditions": {"uid": uid(pod)}},
    }
    try:
        api.request("POST", POD.path(pod["metadata"]["namespace"], name(pod), "eviction"), body=eviction)
    except ApiError as error:
        if error.status != 404:
            raise


def evict(scene: Scene, pod: Object) -> Incident:
    """Evict a Pod as `kubectl drain` does, and confirm that the Pod says so itself.

    Raises:
        ApiError: A disruption budget forbids it (status 429).
    """
    incident = before(scene, pod)
    request_eviction(scene.api, pod)
    return replace(incident, struck=_confirm(scene, incident, "marked as evicted", is_evicted))


def fail(scene: Scene, pod: Object) -> Incident:
    """Make a Pod fail for good: it fills more of its Node's disk than its limit, so the kubelet ends it.

    The incident is the failure itself, not the filling of the disk, which the kubelet takes its time to see.
    """
    incident = before(scene, pod)
    limit = pod["spec"]["containers"][0]["resources"]["limits"]["ephemeral-storage"]
    script = 'dd if=/dev/zero of=/tmp/filled bs=1M count="$1" 2>&1'
    megabytes = 2 * int(limit.removesuffix("Mi"))
    files.must_run(scene.api, pod, pod["spec"]["containers"][0]["name"], script, str(megabytes))
    failed = _confirm(scene, incident, "Failed", _has_failed, deadlines.EVICTED_FOR_DISK)
    return replace(incident, since=failed)


LOSSES: dict[str, Callable[[Scene, Object], Incident]] = {"deleted": delete, "evicted": evict, "fails": fail}
"""How a Pod can be lost, by the word that features use."""


def is_leaving(pod: Object) -> bool:
    """Whether a Pod is marked for deletion."""
    return "deletionTimestamp" in pod["metadata"]


def is_evicted(pod: Object) -> bool:
    """Whether a Pod is marked for deletion, and as evicted."""
    conditions = pod.get("status", {}).get("conditions", ())
    return is_leaving(pod) and any(
        each["type"] == "DisruptionTarget" and each.get("reason") == "EvictionByEvictionAPI"
        for each in conditions
    )


def _has_failed(pod: Object) -> bool:
    return bool(pod.get("status", {}).get("phase") == "Failed")


def _confirm(
    scene: Scene,
    incident: Incident,
    state: str,
    test: Callable[[Object], bool],
    within: Deadline = deadlines.FAULT_CONFIRMED,
) -> Mark:
    pod = uid(incident.pod)

    def as_known(view: View) -> Object:
        return view.one(POD, pod) or view.gone(POD, pod) or incident.pod

    return scene.recording.wait_until(
        Check(
            f"Pod {name(incident.pod)} is {state}",
            frozenset({POD}),
            lambda view: test(as_known(view)),
            lambda view: line(as_known(view)),
        ),
        within,
        incident.since,
    )
