"""Steps about what can be done to the containers of a Pod that runs."""

from __future__ import annotations

from pytest_bdd import given, then, when

from podproof.cluster import capabilities
from podproof.cluster.base import Cluster
from podproof.errors import TrialError
from podproof.faults.pods import Incident, before
from podproof.kube import cgroups, deadlines, files
from podproof.kube.conditions import Check, Condition, View, demand
from podproof.kube.kinds import POD, Object, name, uid
from podproof.kube.scene import Scene
from podproof.kube.states import PodReady, Replaced, container_status
from podproof.kube.summary import line
from podproof.verdicts.measurements import Measurements

_OTHER_IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.66.1"
_OTHER_IMAGES_FILE = "/agnhost"
"""What only the other image has."""
_TWICE = {"cpu": "400m", "memory": "64Mi"}


@given("a Ready Pod that starts all over when its first Container crashes", target_fixture="pod")
def pod_that_starts_over(cluster: Cluster, scene: Scene) -> Object:
    """Make a Pod with a rule to restart all of its containers when one exits."""
    capabilities.require(cluster, scene.api, capabilities.RESTART_ALL_CONTAINERS)
    return scene.start_pod("pods/restart-all")


@when("its image is changed", target_fixture="incident")
def change_image(scene: Scene, pod: Object) -> Incident:
    """Name another image for the container, and change nothing else."""
    incident = before(scene, pod)
    image = {"name": "app", "image": _OTHER_IMAGE}
    scene.api.request(
        "PATCH",
        POD.path(scene.namespace.name, name(pod)),
        body={"spec": {"containers": [image]}},
        content_type="application/strategic-merge-patch+json",
    )
    return incident


@then("its Container runs the new image in the same Pod")
def runs_new_image(scene: Scene, incident: Incident, measurements: Measurements) -> None:
    """Another instance of the container runs, and finds a file that only the new image has."""
    pod = incident.pod
    before_it = container_status(pod, "app")["containerID"]
    bound = deadlines.termination(pod) + deadlines.CONTAINER_RESTART
    seen = scene.recording.wait_until(
        Replaced(uid(pod), "app", before_it), bound, incident.since, incident.struck
    )
    measurements.add("recovery", seen.at - incident.since.at, bound.seconds, bound.origin)
    found = files.run(scene.api, pod, "app", '[ -e "$1" ]', _OTHER_IMAGES_FILE).ok
    demand(found, f"a container of image {_OTHER_IMAGE}", otherwise=f"{_OTHER_IMAGES_FILE} is not in it")


@when("its Container is allowed twice the resources", target_fixture="incident")
def resize(cluster: Cluster, scene: Scene, pod: Object) -> Incident:
    """Ask for twice the limits by the part of a Pod that is there for that."""
    capabilities.require(cluster, scene.api, capabilities.IN_PLACE_RESIZE)
    limits = cgroups.limits(scene.api, pod, "app")
    if limits != cgroups.wanted(pod["spec"]["containers"][0]["resources"]["limits"]):
        raise TrialError(f"the container does not even have the limits of its manifest: {limits}")
    incident = before(scene, pod)
    scene.api.request(
        "PATCH",
        POD.path(scene.namespace.name, name(pod), "resize"),
        body={"spec": {"containers": [{"name": "app", "resources": {"limits": _TWICE}}]}},
        content_type="application/strategic-merge-patch+json",
    )
    return incident


@then("the limits of its processes have changed")
def resized(scene: Scene, incident: Incident, measurements: Measurements) -> None:
    """Once the kubelet says so, the kernel's own account from inside the container agrees."""
    pod = uid(incident.pod)

    def told(view: View) -> Object:
        status = container_status(view.one(POD, pod) or {}, "app")
        return dict(status.get("resources", {}).get("limits", {}))

    granted = Check(
        f"the kubelet says that the container's limits are {_TWICE}",
        frozenset({POD}),
        lambda view: told(view) == _TWICE,
        lambda view: f"it says {told(view)}; {_resizing(view.one(POD, pod) or incident.pod)}",
    )
    bound = deadlines.RESIZED
    seen = scene.recording.wait_until(granted, bound, incident.since, incident.struck)
    measurements.add("reaction", seen.at - incident.since.at, bound.seconds, bound.origin)
    found, wanted = cgroups.limits(scene.api, incident.pod, "app"), cgroups.wanted(_TWICE)
    demand(found == wanted, f"the kernel's limits {wanted}", f"they are {found}")


@then("its Container was not restarted")
@then("its Container is not started again")
def not_restarted(scene: Scene, incident: Incident) -> None:
    """It has been the same instance all the time."""
    instance = container_status(incident.pod, "app")["containerID"]

    def same(view: View) -> bool:
        status = container_status(view.one(POD, uid(incident.pod)) or {}, "app")
        return (status.get("containerID"), status.get("restartCount")) == (instance, 0)

    scene.recording.always(
        Check(
            "the same instance of the container",
            frozenset({POD}),
            same,
            lambda view: line(view.one(POD, uid(incident.pod)) or incident.pod),
        ),
        incident.since,
    )


@then("all its Containers are started again in the same Pod")
def all_restarted(scene: Scene, incident: Incident, measurements: Measurements) -> None:
    """Another instance of each container runs in the Pod of the same identity, at the same time."""
    pod = incident.pod
    first, *rest = pod["status"]["containerStatuses"]
    all_new: Condition = Replaced(uid(pod), first["name"], first["containerID"])
    for each in rest:
        all_new = all_new & Replaced(uid(pod), each["name"], each["containerID"])
    bound = deadlines.termination(pod) + deadlines.CONTAINER_RESTART
    seen = scene.recording.wait_until(all_new, bound, incident.since, incident.struck)
    measurements.add("recovery", seen.at - incident.since.at, bound.seconds, bound.origin)


@then("the same Pod is Ready again")
def ready_again(scene: Scene, incident: Incident, measurements: Measurements) -> None:
    """It is Ready with another instance of its container."""
    pod = uid(incident.pod)
    anew = Replaced(pod, "app", container_status(incident.pod, "app")["containerID"]) & PodReady(pod)
    bound = deadlines.CONTAINER_RESTART + deadlines.pod_ready(incident.pod)
    seen = scene.recording.wait_until(anew, bound, incident.since, incident.struck)
    measurements.add("recovery", seen.at - incident.since.at, bound.seconds, bound.origin)


def _resizing(pod: Object) -> str:
    """What a Pod says of a resize that is not done."""
    told = [
        f"{each['type']}: {each.get('reason', '')} {each.get('message', '')}".strip()
        for each in pod.get("status", {}).get("conditions", ())
        if each["type"].startswith("PodResize")
    ]
    return "; ".join(told) or "nothing is said of a resize"
