"""Where a scenario takes place: its namespace, its recording, and the manifests that are applied there."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from podproof.errors import TrialError, UsageError
from podproof.kube import deadlines, manifests
from podproof.kube.changes import Mark
from podproof.kube.client import Api
from podproof.kube.conditions import preparing
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import POD, Kind, Object, name, uid
from podproof.kube.namespaces import Namespace
from podproof.kube.recording import Recording
from podproof.kube.states import Noticed, PodReady, owned


@dataclass(frozen=True, slots=True)
class Scene:
    """What steps act in and look at.

    Attributes:
        api: The server.
        namespace: The scenario's own.
        recording: What happens there.
        manifests: The directory of the manifests.
    """

    api: Api
    namespace: Namespace
    recording: Recording
    manifests: Path

    def apply(
        self, manifest: str, change: Callable[[Object], None] | None = None, api: Api | None = None
    ) -> list[Object]:
        """Apply a manifest; gives its objects as stored.

        Args:
            manifest: Its path below `manifests` without ``.yaml``.
            change: Changes each object before it is applied, as a user would edit the file.
            api: The server as another user; by default as podproof itself.
        """
        path = self.manifests / f"{manifest}.yaml"
        stored = []
        for thing in manifests.load(path):
            if change:
                change(thing)
            stored.append(self.namespace.apply(thing, f"manifests/{manifest}.yaml", api))
        return stored

    def start_pod(
        self,
        manifest: str,
        change: Callable[[Object], None] | None = None,
        patience: Deadline | None = None,
    ) -> Object:
        """Apply a manifest with one Pod and wait until that is Ready; gives the Pod as it is then.

        Args:
            manifest: See `apply`.
            change: Changes the Pod before it is applied.
            patience: What the Pod has to wait for before it can start, if anything.

        Raises:
            TrialError: It did not become Ready in time.
        """

        def change_pod(thing: Object) -> None:
            if change and thing["kind"] == POD.name:
                change(thing)

        pods = [thing for thing in self.apply(manifest, change_pod) if thing["kind"] == POD.name]
        if len(pods) != 1:
            raise UsageError(f"manifests/{manifest}.yaml should have one Pod, not {len(pods)}")
        bound = deadlines.pod_ready(pods[0])
        with preparing(f"Pod {name(pods[0])} is to be started"):
            self.recording.wait_until(PodReady(uid(pods[0])), patience + bound if patience else bound)
        return self.now(POD, uid(pods[0]))

    def now(self, kind: Kind, uid: str) -> Object:
        """An object as it is now.

        Raises:
            TrialError: It does not exist.
        """
        self.recording.catch_up((kind,))
        thing = self.recording.world().one(kind, uid)
        if thing is None:
            raise TrialError(f"the {kind.name} of uid {uid} does not exist any more")
        return thing

    def owned(self, kind: Kind, owner: Object) -> list[Object]:
        """The objects of a kind that a controller owns now."""
        self.recording.catch_up((kind,))
        return owned(self.recording.world(), kind, uid(owner))

    def update(self, kind: Kind, thing: Object, change: Object) -> Object:
        """Merge a change into an object and wait until its controller has acted on that; gives the object.

        Raises:
            TrialError: It did not in time.
        """
        since = self.recording.mark()
        changed = self.api.merge(kind, self.namespace.name, name(thing), change)
        noticed = Noticed(kind, uid(thing), changed["metadata"]["generation"])
        with preparing(f"the controller of {kind.name} {name(thing)} is to look at it"):
            self.recording.wait_until(noticed, deadlines.CONTROLLER, since)
        return self.now(kind, uid(thing))

    def look_again(self, kind: Kind, thing: Object) -> Mark:
        """Make a workload's controller look at it once more and wait until it has; gives that moment.

        What the controller was going to do about all that it knew before, it has done then. It is made
        to look by a change that it need not act on: how long a Pod has to be Ready before it counts as
        available, or how long a rollout may go on before it counts as stuck.
        """
        field = "progressDeadlineSeconds" if kind.name == "Deployment" else "minReadySeconds"
        spec = self.now(kind, uid(thing))["spec"]
        self.update(kind, thing, {"spec": {field: spec.get(field, 0) + 1}})
        return self.recording.mark()


def copied(thing: Object) -> Object:
    """A copy that can be changed freely."""
    return copy.deepcopy(thing)
