"""The kinds of object that podproof records, and the shape in which it handles objects."""

from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
"""One object of the API: its JSON, decoded, untouched but for what a docstring says."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Where the API serves a kind.

    Attributes:
        name: As manifests write it, for example ``"ReplicaSet"``.
        api_version: For example ``"apps/v1"``, ``"v1"``.
        plural: As paths write it, for example ``"replicasets"``.
        namespaced: False for kinds of the whole cluster, such as Node.
    """

    name: str
    api_version: str
    plural: str
    namespaced: bool = True

    def path(
        self, namespace: str | None = None, name: str | None = None, subresource: str | None = None
    ) -> str:
        """The path of the collection, of one object, or of a part of it such as ``"status"``."""
        parts = ["/api" if "/" not in self.api_version else "/apis", self.api_version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        parts += [part for part in (name, subresource) if part]
        return "/".join(parts)


NAMESPACE = Kind("Namespace", "v1", "namespaces", namespaced=False)
NODE = Kind("Node", "v1", "nodes", namespaced=False)
LEASE = Kind("Lease", "coordination.k8s.io/v1", "leases")
POD = Kind("Pod", "v1", "pods")
SERVICE_ACCOUNT = Kind("ServiceAccount", "v1", "serviceaccounts")
SERVICE = Kind("Service", "v1", "services")
CLAIM = Kind("PersistentVolumeClaim", "v1", "persistentvolumeclaims")
PERSISTENT_VOLUME = Kind("PersistentVolume", "v1", "persistentvolumes", namespaced=False)
REPLICA_SET = Kind("ReplicaSet", "apps/v1", "replicasets")
DEPLOYMENT = Kind("Deployment", "apps/v1", "deployments")
STATEFUL_SET = Kind("StatefulSet", "apps/v1", "statefulsets")
JOB = Kind("Job", "batch/v1", "jobs")
ENDPOINT_SLICE = Kind("EndpointSlice", "discovery.k8s.io/v1", "endpointslices")
HORIZONTAL_POD_AUTOSCALER = Kind("HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers")
EVENT = Kind("Event", "events.k8s.io/v1", "events")

RECORDED = (POD, REPLICA_SET, DEPLOYMENT, ENDPOINT_SLICE, CLAIM, EVENT, NODE)
"""What a scenario's recording watches: its own namespace, and the Nodes of the cluster."""


def uid(thing: Object) -> str:
    """The identity that no other object ever has, before or after."""
    return str(thing["metadata"]["uid"])


def name(thing: Object) -> str:
    """The object's name, which a later object may have again."""
    return str(thing["metadata"]["name"])


def owner(thing: Object) -> str:
    """The controller that owns the object in words, such as ``"ReplicaSet web-5d4"``, or ``"nobody"``."""
    reference = _controller(thing)
    return f"{reference['kind']} {reference['name']}" if reference else "nobody"


def owner_uid(thing: Object) -> str | None:
    """The identity of the controller that owns the object, or None."""
    reference = _controller(thing)
    return str(reference["uid"]) if reference else None


def _controller(thing: Object) -> Object | None:
    references = thing["metadata"].get("ownerReferences", ())
    return next((each for each in references if each.get("controller")), None)
