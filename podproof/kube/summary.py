"""What a reader of a timeline wants to know of an object: in one line, and for a picture."""

from __future__ import annotations

from typing import Any

from podproof.kube.kinds import Object


def line(thing: Object) -> str:
    """The object's state in a few words, for example ``"Running, ready 1/1, restarts 0, on node-2"``."""
    tell = _TELL.get(thing.get("kind", ""))
    words = tell(thing) if tell else ""
    if thing["metadata"].get("deletionTimestamp"):
        words = f"being deleted, {words}" if words else "being deleted"
    return words


def facts(thing: Object) -> dict[str, Any]:
    """What a picture shows of a Pod or a Node; empty for any other kind.

    A Pod has a `state`, which is its phase in lower case but ``"ready"`` if it is that too, `leaving`, its
    `node` (or an empty string) and its `restarts`; a Node has a `state`, ``"ready"`` or ``"not ready"``.
    """
    status = thing.get("status", {})
    conditions = status.get("conditions", ())
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    if thing.get("kind") == "Node":
        return {"state": "ready" if ready else "not ready"}
    if thing.get("kind") != "Pod":
        return {}
    containers = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    return {
        "state": "ready" if ready else status.get("phase", "Pending").lower(),
        "leaving": "deletionTimestamp" in thing["metadata"],
        "node": thing["spec"].get("nodeName", ""),
        "restarts": sum(each.get("restartCount", 0) for each in containers),
    }


def pod(thing: Object) -> str:
    """A Pod in a few words."""
    status = thing.get("status", {})
    words = [status.get("phase", "new")]
    if status.get("reason"):
        words.append(status["reason"])
    containers = status.get("containerStatuses", [])
    if containers:
        ready = sum(each["ready"] for each in containers)
        words.append(f"ready {ready}/{len(containers)}")
        words.append(f"restarts {sum(each['restartCount'] for each in containers)}")
        for each in containers:
            waiting = each.get("state", {}).get("waiting")
            ended = each.get("state", {}).get("terminated")
            if waiting:
                words.append(f"{each['name']} waits: {waiting.get('reason', '')}")
            if ended:
                words.append(f"{each['name']} ended: {ended.get('reason', '')} ({ended.get('exitCode')})")
    if thing["spec"].get("nodeName"):
        words.append(f"on {thing['spec']['nodeName']}")
    return ", ".join(words)


def _replicas(thing: Object) -> str:
    status = thing.get("status", {})
    wanted = thing["spec"].get("replicas", 1)
    return (
        f"wants {wanted}, has {status.get('replicas', 0)}, ready {status.get('readyReplicas', 0)}, "
        f"available {status.get('availableReplicas', 0)}"
    )


def _claim(thing: Object) -> str:
    return str(thing.get("status", {}).get("phase", "new"))


def _volume(thing: Object) -> str:
    claim = thing["spec"].get("claimRef", {})
    words = str(thing.get("status", {}).get("phase", "new"))
    return f"{words}, of claim {claim.get('name')}" if claim else words


def _event(thing: Object) -> str:
    regarding = thing.get("regarding", {})
    about = f"{regarding.get('kind', '')} {regarding.get('name', '')}"
    return f"{about}: {thing.get('reason', '')}: {' '.join(thing.get('note', '').split())}"


def _node(thing: Object) -> str:
    conditions = thing.get("status", {}).get("conditions", [])
    ready = next((each["status"] for each in conditions if each["type"] == "Ready"), "Unknown")
    taints = [taint["key"] for taint in thing["spec"].get("taints", [])]
    words = "Ready" if ready == "True" else f"not Ready ({ready})"
    return f"{words}, tainted {', '.join(taints)}" if taints else words


def _endpoints(thing: Object) -> str:
    endpoints = thing.get("endpoints") or []
    ready = sum(bool(each.get("conditions", {}).get("ready")) for each in endpoints)
    return f"{ready} of {len(endpoints)} endpoints ready"


_TELL = {
    "Pod": pod,
    "ReplicaSet": _replicas,
    "Deployment": _replicas,
    "PersistentVolumeClaim": _claim,
    "PersistentVolume": _volume,
    "Event": _event,
    "Node": _node,
    "EndpointSlice": _endpoints,
}
