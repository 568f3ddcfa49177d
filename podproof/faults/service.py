"""Whether a Node is in service: Ready, and taking Pods."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import tenacity

from podproof.cluster.base import Cluster
from podproof.errors import CleanupError
from podproof.kube import deadlines, watch
from podproof.kube.client import Api, ApiError
from podproof.kube.kinds import LEASE, NODE, Object
from podproof.kube.summary import line

_UNUSABLE = "node.kubernetes.io/"
"""What the taints begin with by which Kubernetes itself keeps Pods off a Node that is not well."""
_CONFLICT = 409
"""The API server's answer to a change of what somebody else has changed meanwhile."""
_LEASES = "kube-node-lease"
"""The namespace in which each Node renews a lease of its own as a sign of life."""
CORDONED = f"{_UNUSABLE}unschedulable"
"""The taint of a Node that is closed for new Pods."""


def await_service(api: Api, node: str) -> None:
    """Wait until nothing keeps Pods off a Node that is back.

    Raises:
        CleanupError: Something does.
    """

    def stuck(thing: Object | None) -> CleanupError:
        told = line(thing) if thing else "there is no such Node"
        return CleanupError(f"Node {node} is not in service again within {deadlines.NODE_BOOT}: {told}")

    watch.until(
        api,
        NODE,
        None,
        node,
        lambda there: there is not None and _is_usable(there),
        deadlines.NODE_BOOT,
        stuck,
    )


def last_heard_of(cluster: Cluster, node: str) -> str:
    """When a Node renewed its lease, which it does every few seconds as a sign of life, by its own clock."""
    with api_of(cluster) as api:
        return f"its lease was renewed at {api.get(LEASE, _LEASES, node)['spec']['renewTime']}"


def change_taint(api: Api, node: str, key: str, *taint: Object) -> None:
    """Set a Node's taint of a key or take it away; leaves all else, which others may change meanwhile."""

    def attempt() -> None:
        thing = api.get(NODE, None, node)
        others = [each for each in thing["spec"].get("taints", ()) if each["key"] != key]
        version = {"resourceVersion": thing["metadata"]["resourceVersion"]}
        api.merge(NODE, None, node, {"metadata": version, "spec": {"taints": [*others, *taint]}})

    tenacity.Retrying(
        retry=tenacity.retry_if_exception(
            lambda error: isinstance(error, ApiError) and error.status == _CONFLICT
        ),
        stop=tenacity.stop_after_delay(deadlines.FAULT_CONFIRMED.seconds),
        wait=tenacity.wait_random(0, 0.1),
        reraise=True,
    )(attempt)


@contextmanager
def api_of(cluster: Cluster) -> Iterator[Api]:
    """The cluster's API server, for one question: whoever undoes a fault has no other connection."""
    api = Api.from_kubeconfig(cluster.kubeconfig, cluster.context)
    try:
        yield api
    finally:
        api.close()


def taints(node: Object) -> list[str]:
    """The keys of a Node's taints."""
    return [taint["key"] for taint in node["spec"].get("taints", ())]


def _is_usable(node: Object) -> bool:
    conditions = node.get("status", {}).get("conditions", ())
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and not any(key.startswith(_UNUSABLE) for key in taints(node))
