"""A scenario's own namespace: made ready for use, and removed for certain."""

from __future__ import annotations

import re
import secrets
from contextlib import suppress

from podproof.errors import CleanupError, PodproofError, TrialError
from podproof.kube import deadlines, watch
from podproof.kube.client import Api, ApiError
from podproof.kube.cluster_objects import ClusterObjects
from podproof.kube.conditions import Check, Falsified, View
from podproof.kube.kinds import CLAIM, NAMESPACE, POD, SERVICE_ACCOUNT, Object
from podproof.kube.kinds import name as name_of
from podproof.kube.manifests import Applied
from podproof.kube.recording import Recording

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
        beyond: What was applied with it that no namespace holds.
    """

    def __init__(self, api: Api, name: str, run: str) -> None:
        """Describe a namespace; `create` makes it."""
        self.name = name
        self.run = run
        self.applied: list[Applied] = []
        self.beyond = ClusterObjects(api, name, {MANAGED_BY: "podproof", RUN: run})
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

    def apply(self, thing: Object, source: str, api: Api | None = None) -> Object:
        """Apply one object into the namespace; returns it as stored.

        One that no namespace holds gets a name of this namespace's own (`ClusterObjects.adapt`).

        Args:
            thing: The object.
            source: Where it comes from, for the evidence.
            api: The server as another user; by default as podproof itself.

        Raises:
            ApiError: The server refused it.
        """
        kind = self._api.kind(thing["apiVersion"], thing["kind"])
        thing = self.beyond.adapt(kind, thing)
        if not kind.namespaced:
            self.beyond.note(kind, thing)
        stored = (api or self._api).apply(kind, self.name if kind.namespaced else None, thing)
        self.applied.append(Applied(source, thing, stored))
        return stored

    def clear(self) -> None:
        """Delete the namespace and wait until nothing of it runs or holds storage any more.

        What is left then is a name: Kubernetes empties a namespace for good only 5 s after its deletion.
        `await_end` waits for that. What no namespace holds is removed for good, after the claims.

        Raises:
            CleanupError: A Pod, a claim or an object that no namespace holds was still there when time was
                up; the text names what holds it.
        """
        try:
            self._empty()
        finally:
            self.beyond.delete(
                claims=any(
                    "volumeClaimTemplates" in str(each.submitted) or each.stored["kind"] == CLAIM.name
                    for each in self.applied
                )
            )

    def _empty(self) -> None:
        with Recording(self._api, self.name, (POD, CLAIM)) as recording:
            if not self._ask_for_deletion():
                return
            try:
                recording.wait_until(_NOTHING_RUNS, deadlines.NAMESPACE_GONE)
            except (Falsified, TrialError) as error:
                raise CleanupError(
                    f"namespace {self.name} was not empty within {deadlines.NAMESPACE_GONE}: "
                    f"{_NOTHING_RUNS.observed(recording.world())}; "
                    f"{_what_is_stuck(self._api.find(NAMESPACE, None, self.name))}"
                ) from error

    def await_end(self) -> None:
        """Wait until a namespace that was asked to go is gone.

        Raises:
            CleanupError: It was still there when time was up; the text names what holds it.
        """
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

    def delete(self) -> None:
        """Delete the namespace and wait until it is gone; see `clear` and `await_end`."""
        self.clear()
        self.await_end()

    def _ask_for_deletion(self) -> bool:
        """Start the deletion of all that takes time to go; False if there is no namespace."""
        try:
            self._api.delete(NAMESPACE, None, self.name)
        except ApiError as error:
            if error.status == 404:
                return False
            if error.status != 409:  # being deleted already
                raise
        # Nothing can be made anew in a namespace that is being deleted, so what goes now is gone.
        for kind in (POD, CLAIM):
            self._api.request("DELETE", kind.path(self.name))
        return True


class Departing:
    """Namespaces that were asked to go and whose end nobody has waited for yet."""

    def __init__(self) -> None:
        self._namespaces: list[Namespace] = []

    def add(self, namespace: Namespace) -> None:
        """Remember a namespace that has been cleared."""
        self._namespaces.append(namespace)

    def await_end(self) -> None:
        """Wait until all of them are gone.

        Raises:
            CleanupError: Some were not in time; the text names them and what holds them.
        """
        stuck = []
        for namespace in self._namespaces:
            try:
                namespace.await_end()
            except CleanupError as error:
                stuck.append(str(error))
        self._namespaces.clear()
        if stuck:
            raise CleanupError("after the scenarios: " + "; ".join(stuck))


def _tell_running(view: View) -> str:
    left = [*view.all(POD), *view.all(CLAIM)]
    return ", ".join(f"{thing['kind']} {name_of(thing)} is there" for thing in left) or "there is none"


_NOTHING_RUNS = Check(
    "no Pod and no claim is left",
    frozenset({POD, CLAIM}),
    lambda view: not view.all(POD) and not view.all(CLAIM),
    _tell_running,
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
