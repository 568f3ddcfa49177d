"""The conditions on claims and volumes that steps wait for, and what objects say about storage."""

from __future__ import annotations

from dataclasses import dataclass

from podproof.kube.client import Api
from podproof.kube.cluster_objects import NAMESPACE_LABEL
from podproof.kube.conditions import Condition, View
from podproof.kube.kinds import CLAIM, EVENT, PERSISTENT_VOLUME, Kind, Object, name
from podproof.kube.recording import Recording
from podproof.kube.summary import line

STORAGE_CLASS = Kind("StorageClass", "storage.k8s.io/v1", "storageclasses", namespaced=False)
_IS_DEFAULT = "storageclass.kubernetes.io/is-default-class"


def default_class(api: Api) -> Object | None:
    """The StorageClass that claims get which name none; the newest if there are several."""
    classes = [
        each
        for each in api.list(STORAGE_CLASS, None)["items"]
        if each["metadata"].get("annotations", {}).get(_IS_DEFAULT) == "true"
    ]
    return max(classes, key=lambda each: str(each["metadata"]["creationTimestamp"]), default=None)


def record_volumes(recording: Recording) -> None:
    """Record from now on the PersistentVolumes that are of this scenario or bound to a claim of it."""
    namespace = recording.namespace

    def concerning(volume: Object) -> bool:
        label = volume["metadata"].get("labels", {}).get(NAMESPACE_LABEL)
        return namespace in (label, volume["spec"].get("claimRef", {}).get("namespace"))

    recording.include(PERSISTENT_VOLUME, concerning)


def phase(thing: Object) -> str:
    """The phase that the controllers give a claim or a volume; empty before they do."""
    return str(thing.get("status", {}).get("phase", ""))


def node_path(volume: Object) -> str | None:
    """The directory of a Node that a volume's data are in; None if they are elsewhere."""
    for how in ("hostPath", "local"):
        if how in volume["spec"]:
            return str(volume["spec"][how]["path"])
    return None


@dataclass(frozen=True)
class ClaimBound(Condition):
    """The claim of uid `claim` is bound to a volume."""

    claim: str
    kinds = frozenset({CLAIM})

    def holds(self, view: View) -> bool:
        """See the class."""
        claim = view.one(CLAIM, self.claim)
        return claim is not None and phase(claim) == "Bound"

    def describe(self) -> str:
        """See the class."""
        return "the claim is Bound"

    def observed(self, view: View) -> str:
        """The claim's phase, and what the last Event about it says."""
        claim = view.one(CLAIM, self.claim)
        if claim is None:
            return "the claim does not exist"
        told = [event for event in view.all(EVENT) if event.get("regarding", {}).get("uid") == self.claim]
        words = f"claim {name(claim)} is {phase(claim) or 'new'}"
        return f"{words} ({line(told[-1])})" if told else words


@dataclass(frozen=True)
class VolumePhase(Condition):
    """The PersistentVolume of uid `volume` is in the phase `wanted`."""

    volume: str
    wanted: str
    kinds = frozenset({PERSISTENT_VOLUME})

    def holds(self, view: View) -> bool:
        """See the class."""
        volume = view.one(PERSISTENT_VOLUME, self.volume)
        return volume is not None and phase(volume) == self.wanted

    def describe(self) -> str:
        """See the class."""
        return f"the PersistentVolume is {self.wanted}"

    def observed(self, view: View) -> str:
        """The volume's phase."""
        volume = view.one(PERSISTENT_VOLUME, self.volume)
        return f"it is {line(volume)}" if volume else "it does not exist"

    def impossible(self, view: View) -> str | None:
        """A volume that is gone has no phase."""
        return "the PersistentVolume is gone" if view.gone(PERSISTENT_VOLUME, self.volume) else None
