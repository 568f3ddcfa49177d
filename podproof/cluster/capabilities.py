"""What a cluster can do, found by asking it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from podproof.cluster import metrics, network_policy
from podproof.cluster.base import Cluster
from podproof.cluster.once import once
from podproof.errors import NotApplicable, TrialError
from podproof.kube.client import Api, ApiError
from podproof.kube.kinds import CLAIM, NODE, POD, Object
from podproof.kube.storage import default_class


@dataclass(frozen=True, slots=True)
class Capability:
    """Something that not every cluster offers.

    Attributes:
        name: As a report names what a cluster lacks.
        present: Asks the cluster.
        comes_with: Whether an embedded cluster must offer it: without, that is broken.
    """

    name: str
    present: Callable[[Cluster, Api], bool]
    comes_with: Callable[[Cluster], bool] = lambda _: False


answers: dict[str, bool] = {}
"""What has been asked for in this process, by name, and whether the cluster offers it."""


def ordinary_nodes(nodes: list[Object]) -> list[Object]:
    """The Nodes that take any Pod: Ready, not cordoned, without taints that keep Pods away."""
    return [
        node
        for node in nodes
        if not node["spec"].get("unschedulable")
        and not any(
            taint["effect"] in {"NoSchedule", "NoExecute"} for taint in node["spec"].get("taints", ())
        )
        and any(
            each["type"] == "Ready" and each["status"] == "True"
            for each in node.get("status", {}).get("conditions", ())
        )
    ]


def _has_default_storage_class(_: Cluster, api: Api) -> bool:
    return default_class(api) is not None


def _has_two_nodes(_: Cluster, api: Api) -> bool:
    return len(ordinary_nodes(api.list(NODE, None)["items"])) > 1


def _has_victims(cluster: Cluster, _: Api) -> bool:
    return bool(cluster.victims)


def _has_power_switch(cluster: Cluster, _: Api) -> bool:
    return hasattr(cluster, "power_off") and hasattr(cluster, "power_on") and bool(cluster.victims)


def _has_program_switch(cluster: Cluster, _: Api) -> bool:
    return hasattr(cluster, "programs")


def _has_partition_switch(cluster: Cluster, _: Api) -> bool:
    return hasattr(cluster, "partition") and bool(cluster.victims)


def _serves_resize(_: Cluster, api: Api) -> bool:
    return any(each["name"] == "pods/resize" for each in api.request("GET", "/api/v1")["resources"])


def _restarts_all_containers(_: Cluster, api: Api) -> bool:
    """Whether a Pod that is created in a dry run, which stores nothing, keeps such a rule."""
    rule = {"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [3]}}
    container = {"name": "none", "image": "none", "restartPolicy": "Never", "restartPolicyRules": [rule]}
    pod: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "podproof-dry-run"},
        "spec": {"containers": [container]},
    }
    try:
        kept = api.request("POST", POD.path("default"), query={"dryRun": "All"}, body=pod)
    except ApiError as error:
        if error.status == 422:
            return False
        raise
    return bool(kept["spec"]["containers"][0].get("restartPolicyRules"))


def _takes_claims_for_one_pod(_: Cluster, api: Api) -> bool:
    """Whether a claim of that access mode is taken in a dry run, which stores nothing."""
    claim: Object = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "podproof-dry-run"},
        "spec": {"accessModes": ["ReadWriteOncePod"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    try:
        api.request("POST", CLAIM.path("default"), query={"dryRun": "All"}, body=claim)
    except ApiError as error:
        if error.status == 422:
            return False
        raise
    return True


def _is_podproofs_own(cluster: Cluster, _: Api) -> bool:
    return cluster.provider == "embedded"


DEFAULT_STORAGE_CLASS = Capability("a default StorageClass", _has_default_storage_class, lambda _: True)
TWO_NODES = Capability("two Nodes that take any Pod", _has_two_nodes)
NODE_DISK = Capability("leave to use the Nodes' disks (--allow-node-disk gives it)", _is_podproofs_own)
CLUSTER_OBJECTS = Capability(
    "leave to make objects of the whole cluster (--allow-cluster-objects gives it)", _is_podproofs_own
)
VICTIMS = Capability("Nodes that may be broken (--allow-node-faults names them)", _has_victims)
POWER_SWITCH = Capability("Nodes whose power can be switched", _has_power_switch)
IN_PLACE_RESIZE = Capability("Pods that can be resized in place", _serves_resize)
RESTART_ALL_CONTAINERS = Capability(
    "restart rules that restart all Containers of a Pod", _restarts_all_containers
)
PARTITION_SWITCH = Capability("Nodes that can be cut off from a part of the network", _has_partition_switch)
PROGRAM_SWITCH = Capability(
    "programs of Nodes and of the control plane that can be stopped", _has_program_switch
)
NETWORK_POLICY = Capability(
    "NetworkPolicies that are enforced",
    once("network-policy", network_policy.is_enforced),
    lambda _: True,
)

METRICS = Capability(
    "the metrics API, with values (metrics.k8s.io)", once("metrics", metrics.are_given), lambda _: True
)
READ_WRITE_ONCE_POD = Capability("claims for one Pod alone (ReadWriteOncePod)", _takes_claims_for_one_pod)


def require(cluster: Cluster, api: Api, capability: Capability) -> None:
    """End the scenario as NOT APPLICABLE if the cluster lacks a capability.

    Raises:
        NotApplicable: It does.
        TrialError: It is podproof's own and should not.
    """
    present = capability.present(cluster, api)
    answers[capability.name] = present
    if present:
        return
    if cluster.provider == "embedded" and capability.comes_with(cluster):
        raise TrialError(f"the embedded cluster brings along, and was found to lack, {capability.name}")
    raise NotApplicable(capability.name)
