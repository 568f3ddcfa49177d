"""Whether a cluster enforces NetworkPolicies, which it says nowhere: one is made, and it blocks or not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from podproof.cluster.base import Cluster
from podproof.errors import TrialError
from podproof.kube import deadlines, manifests, watch
from podproof.kube.client import Api
from podproof.kube.kinds import POD, Object
from podproof.kube.namespaces import Namespace
from podproof.kube.states import container_status, is_ready, is_started, why_not_started

_OBJECTS = Path(__file__).with_suffix(".yaml")
_RUN = "capability"
"""What the trial's namespace is labelled with instead of a run: its answer is about the cluster."""
_UNKNOWN = "whether NetworkPolicies are enforced is not known"


def is_enforced(_: Cluster, api: Api) -> bool:
    """Try whether a policy cuts a Pod off from another one that it did reach before.

    Raises:
        TrialError: It did not reach it before either, or the other one failed meanwhile.
    """
    namespace = Namespace.create(api, "NetworkPolicy trial", _RUN)
    try:
        return _try(api, namespace)
    finally:
        namespace.delete()


def _try(api: Api, namespace: Namespace) -> bool:
    server, client, policy = manifests.load(_OBJECTS)
    namespace.apply(server, _OBJECTS.name)
    server = _await(api, namespace, "server", is_ready)
    namespace.apply(_talking_to(server["status"]["podIP"], client), _OBJECTS.name)
    _await(api, namespace, "client", is_started)  # which it is only after it did reach the server
    namespace.apply(policy, _OBJECTS.name)
    try:
        watch.until(
            api, POD, namespace.name, "client", _has_ended, deadlines.POLICY_ENFORCED, lambda _: _StillThere()
        )
    except _StillThere:
        return False
    status = container_status(api.get(POD, namespace.name, "server"), "server")
    if "running" not in status["state"] or status["restartCount"]:
        raise TrialError(f"{_UNKNOWN}: the server that the other Pod was talking to has ended")
    return True


class _StillThere(Exception):  # noqa: N818 - nothing went wrong
    """Time is up and nothing was blocked."""


def _talking_to(address: str, client: Object) -> Object:
    """The client, told whom to talk to."""
    host = f"[{address}]" if ":" in address else address
    for container in (*client["spec"]["initContainers"], *client["spec"]["containers"]):
        container["env"] = [{"name": "SERVER", "value": f"{host}:8080"}]
    return client


def _await(api: Api, namespace: Namespace, pod: str, holds: Callable[[Object], bool]) -> Object:
    def stuck(seen: Object | None) -> TrialError:
        why = (seen and why_not_started(seen)) or "not as wanted"
        return TrialError(f"{_UNKNOWN}: Pod {pod}, within {deadlines.TRIAL_POD}: {why}")

    seen = watch.until(
        api,
        POD,
        namespace.name,
        pod,
        lambda thing: thing is not None and holds(thing),
        deadlines.TRIAL_POD,
        stuck,
    )
    assert seen is not None  # noqa: S101 - that is what was waited for
    return seen


def _has_ended(client: Object | None) -> bool:
    phase = (client or {}).get("status", {}).get("phase")
    if phase == "Failed":
        raise TrialError(f"{_UNKNOWN}: the Pod that is to be cut off has failed")
    return bool(phase == "Succeeded")
