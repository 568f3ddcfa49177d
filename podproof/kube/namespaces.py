"""A scenario's own namespace: made ready for use, and removed for certain."""

from __future__ import annotations

import re
import secrets
from contextlib import suppress

from podproof.errors import CleanupError, PodproofError, TrialError
from podproof.kube import deadlines, watch
from podproof.kube.client import Api, ApiError
from podproof.kube.kinds import CLAIM, NAMESPACE, POD, SERVICE_ACCOUNT, Object
from podproof.kube.manifests import Applied

MANAGED_BY = "app.kubernetes.io/managed-by"
RUN = "podproof.dev/run"

_LONGEST_NAME = 63  # RFC 1123 label


def name_for(scenario: str) -> str:
    """A namespace name that tells of the scenario and is never taken: ``podproof-<scenario>-<random>``."""
    suffix = secrets.token_hex(3)
    slug = re.sub(r"[^a-z0-9]+", "-", scenario.lower()).strip("-")
    room = _LONGEST_NAME - len("podproof--") - len(suffix)
    return f"podproof-{slug[:room].strip('-')}-{suffix}"


class Namespace:
    """A namespace of podproof's own, and what was applied into it.

    Attributes:
        name: Its name.
        run: The run that made it.
        applied: Everything that was applied into it, in order.
    """

    def __init__(self, api: Api, name: str, run: str) -> None:
        """Describe a namespace; `create` makes it."""
        self.name = name
        self.run = run
        self.applied: list[Applied] = []
        self._api = api

    @classmethod
    def create(cls, api: Api, scenario: str, run: str) -> Namespace:
        """Make a namespace for a scenario and wait until Pods can be made in it.

        Args:
            api: The server.
            scenario: Its title; the namespace's name tells of it.
            run: Identifies the run; its label finds what a lost run has left.

        Raises:
            TrialError: Its default ServiceAccount was not made in time.
        """
        namespace = cls(api, name_for(scenario), run)
        labels = {MANAGED_BY: "podproof", RUN: run}
        api.create(
            NAMESPACE,
            None,
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace.name, "labels": labels}},
        )
        try:
            watch.until(
                api,
                SERVICE_ACCOUNT,
                namespace.name,
                "default",
                lambda account: account is not None,
                deadlines.SERVICE_ACCOUNT_MADE,
                lambda _: TrialError(
                    f"namespace {namespace.name} got no default ServiceAccount within "
                    f"{deadlines.SERVICE_ACCOUNT_MADE}: is the controller manager running?"
                ),
            )
        except BaseException:
            # Nobody else knows of it yet. Its end is not waited for: whoever interrupts wants an end now.
            with suppress(PodproofError):
                api.delete(NAMESPACE, None, namespace.name)
            raise
        return namespace

    def apply(self, thing: Object, source: str) -> Object:
        """Apply one object into the namespace; returns it as stored.

        Args:
            thing: The object.
            source: Where it comes from, for the evidence.

        Raises:
            ApiError: The server refused it.
        """
        kind = self._api.kind(thing["apiVersion"], thing["kind"])
        stored = self._api.apply(kind, self.name if kind.namespaced else None, thing)
        self.applied.append(Applied(source, thing, stored))
        return stored

    def delete(self) -> None:
        """Delete the namespace and wait until it is gone.

        Raises:
            CleanupError: It was still there when time was up; the text names what holds it.
        """
        try:
            self._api.delete(NAMESPACE, None, self.name)
            # Kubernetes empties a namespace 5 s after its deletion. What takes time to go can go meanwhile:
            # nothing can be made anew in a namespace that is being deleted.
            for kind in (POD, CLAIM):
                self._api.request("DELETE", kind.path(self.name))
        except ApiError as error:
            if error.status == 404:
                return
            if error.status != 409:  # being deleted already
                raise
        watch.until(
            self._api,
            NAMESPACE,
            None,
            self.name,
            lambda namespace: namespace is None,
            deadlines.NAMESPACE_GONE,
            lambda namespace: CleanupError(
                f"namespace {self.name} was not gone within {deadlines.NAMESPACE_GONE}: "
                f"{_what_is_stuck(namespace)}"
            ),
        )


def _what_is_stuck(namespace: Object | None) -> str:
    """The server's own account of what keeps a namespace from going."""
    if namespace is None:
        return "the API server could not be watched"
    reasons = [f"it is {namespace.get('status', {}).get('phase')}"]
    reasons += [
        f"{condition['type']}: {condition.get('message', '')}"
        for condition in namespace.get("status", {}).get("conditions", ())
        if condition["status"] == "True"
    ]
    finalizers = namespace["metadata"].get("finalizers", []) + namespace["spec"].get("finalizers", [])
    if finalizers:
        reasons.append(f"finalizers {', '.join(finalizers)}")
    return "; ".join(reasons)
