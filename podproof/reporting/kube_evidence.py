"""Evidence that only the cluster has: events, logs, objects; and what was applied to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from podproof.reporting.pieces import Piece

if TYPE_CHECKING:
    from podproof.kube.client import Api
    from podproof.kube.manifests import Applied

LOG_LINES = 500
"""How much of each container's log is kept: the newest lines, enough for what happened in a scenario."""
_YAML = "application/yaml"


def applied_manifests(applied: Sequence[Applied]) -> list[Piece]:
    """The manifests as they were sent, with the file that each came from."""
    documents = [f"# {each.source}\n{_dump(each.submitted)}" for each in applied]
    return [Piece("Manifests as applied", "manifests.yaml", "---\n".join(documents), _YAML)]


def events(api: Api, namespace: str) -> Iterator[Piece]:
    """The namespace's events, oldest first."""
    from podproof.kube.kinds import EVENT

    found = api.list(EVENT, namespace)["items"]
    # Older events have whole seconds only: within one, the order of writing decides.
    found.sort(key=lambda event: (_when(event), int(event["metadata"]["resourceVersion"])))
    text = "\n".join(f"{_when(event):<27}  {_told(event)}" for event in found) or "none"
    yield Piece("Events", "events.txt", f"{text}\n")


def pod_logs(api: Api, namespace: str) -> Iterator[Piece]:
    """The logs of every container of every Pod that still exists, and of its previous run if it had one."""
    from podproof.kube.kinds import POD

    for pod in api.list(POD, namespace)["items"]:
        name = pod["metadata"]["name"]
        for container in _containers(pod):
            path = f"{POD.path(namespace, name)}/log"
            current = _log(api, path, container, previous=False)
            yield Piece(f"Log of {name}/{container}", f"logs/{name}.{container}.log", current)
            if _restarted(pod, container):
                text = _log(api, path, container, previous=True)
                title = f"Log of {name}/{container}, run before"
                yield Piece(title, f"logs/{name}.{container}.previous.log", text)


def namespace_objects(api: Api, namespace: str) -> Iterator[Piece]:
    """All objects of the kinds that scenarios use, as they are now."""
    from podproof.kube.kinds import EVENT, RECORDED, Kind

    service, config = Kind("Service", "v1", "services"), Kind("ConfigMap", "v1", "configmaps")
    documents = []
    for kind in (*(each for each in RECORDED if each.namespaced and each != EVENT), service, config):
        for thing in api.list(kind, namespace)["items"]:
            # Lists leave these two out of their items.
            whole = {"apiVersion": kind.api_version, "kind": kind.name, **thing}
            whole["metadata"] = {k: v for k, v in thing["metadata"].items() if k != "managedFields"}
            documents.append(_dump(whole))
    yield Piece("Objects of the namespace", "objects.yaml", "---\n".join(documents), _YAML)


def _log(api: Api, path: str, container: str, *, previous: bool) -> str:
    from podproof.kube.client import ApiError

    query: dict[str, str | int | bool] = {"container": container, "tailLines": LOG_LINES, "timestamps": True}
    if previous:
        query["previous"] = True
    try:
        return api.text(path, query=query) or "(empty)\n"
    except ApiError as error:
        return f"(no log: {error.message})\n"


def _containers(pod: dict[str, Any]) -> Iterator[str]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        yield from (each["name"] for each in pod["spec"].get(field, ()))


def _restarted(pod: dict[str, Any], container: str) -> bool:
    status = pod.get("status", {})
    statuses = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    return any(each["name"] == container and each.get("restartCount", 0) > 0 for each in statuses)


def _when(event: dict[str, Any]) -> str:
    series = event.get("series") or {}
    moments = (
        series.get("lastObservedTime"),
        event.get("eventTime"),
        event.get("deprecatedLastTimestamp"),
        event["metadata"].get("creationTimestamp"),
    )
    return next((moment for moment in moments if moment), "")


def _told(event: dict[str, Any]) -> str:
    about = event.get("regarding", {})
    count = (event.get("series") or {}).get("count") or event.get("deprecatedCount") or 1
    times = f" ({count} times)" if count > 1 else ""
    note = " ".join(event.get("note", "").split())
    what = f"{about.get('kind', '')} {about.get('name', '')}: {event.get('reason', '')}"
    return f"{event.get('type', ''):<7}  {what}: {note}{times}"


def _dump(thing: Any) -> str:
    return yaml.safe_dump(thing, sort_keys=False, allow_unicode=True)
