"""A scenario's own namespace: made ready for use, and removed for certain."""

from __future__ import annotations

import re
import secrets

from podproof.errors import CleanupError, TrialError
from podproof.kube import deadlines, watch
from podproof.kube.client import Api, ApiError
from podproof.kube.kinds import NAMESPACE, SERVICE_ACCOUNT, Object

MANAGED_BY = "app.kubernetes.io/managed-by"
RUN = "podproof.dev/run"

_LONGEST_NAME = 63  # RFC 1123 label


def name_for(scenario: str) -> str:
    """A namespace name that tells of the scenario and is never taken: ``podproof-<scenario>-<random>``."""
    suffix = secrets.token_hex(3)
    slug = re.sub(r"[^a-z0-9]+", "-", scenario.lower()).strip("-")
    room = _LONGEST_NAME - len("podproof--") - len(suffix)
    return f"podproof-{slug[:room].strip('-')}-{suffix}"


def create(api: Api, name: str, run: str) -> Object:
    """Create a namespace and wait until Pods can be made in it.

    Args:
        api: The server.
        name: As `name_for` makes it.
        run: Identifies the run; its label finds what a lost run has left.

    Raises:
        TrialError: Its default ServiceAccount was not made in time.
    """
    made = api.create(
        NAMESPACE,
        None,
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {MANAGED_BY: "podproof", RUN: run}},
        },
    )
    watch.until(
        api,
        SERVICE_ACCOUNT,
        name,
        "default",
        lambda account: account is not None,
        deadlines.SERVICE_ACCOUNT_MADE,
        lambda _: TrialError(
            f"namespace {name} got no default ServiceAccount within {deadlines.SERVICE_ACCOUNT_MADE}: "
            "is the controller manager running?"
        ),
    )
    return made


def delete(api: Api, name: str) -> None:
    """Delete a namespace and wait until it is gone.

    Raises:
        CleanupError: It was still there when time was up; the text names what holds it.
    """
    try:
        api.delete(NAMESPACE, None, name)
    except ApiError as error:
        if error.status == 404:
            return
        if error.status != 409:  # being deleted already
            raise
    watch.until(
        api,
        NAMESPACE,
        None,
        name,
        lambda namespace: namespace is None,
        deadlines.NAMESPACE_GONE,
        lambda namespace: CleanupError(
            f"namespace {name} was not gone within {deadlines.NAMESPACE_GONE}: {_what_is_stuck(namespace)}"
        ),
    )


def _what_is_stuck(namespace: Object | None) -> str:
    """The server's own account of what keeps a namespace from going."""
    if namespace is None:
        return "the API server could not be watched"
    reasons = [
        f"{condition['type']}: {condition.get('message', '')}"
        for condition in namespace.get("status", {}).get("conditions", ())
        if condition["status"] == "True"
    ]
    finalizers = namespace["metadata"].get("finalizers", []) + namespace["spec"].get("finalizers", [])
    if finalizers:
        reasons.append(f"finalizers {', '.join(finalizers)}")
    return "; ".join(reasons) or "it does not say why"
