"""Objects of the whole cluster that a scenario needs: under names of its own, and removed for certain.

Manifests write them under plain names, as a user would apply them. A scenario's have its namespace in front
of their names, wherever these stand, so that scenarios do not get into each other's way and nothing of the
user's is touched.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator
from contextlib import contextmanager

from podproof.errors import CleanupError
from podproof.kube import deadlines, summary, watch
from podproof.kube.client import Api, ApiError
from podproof.kube.kinds import CLAIM, PERSISTENT_VOLUME, Kind, Object, name

NAMESPACE_LABEL = "podproof.dev/namespace"
"""Names the namespace of the scenario that an object of the whole cluster belongs to."""

NODE_DIRECTORY = "/mnt/podproof"
"""The directory of Nodes that podproof writes to, and no other."""

_PROVISIONED = "pv.kubernetes.io/provisioned-by"


class ClusterObjects:
    """What a scenario has made that no namespace holds.

    Attributes:
        namespace: The scenario's.
        made: Kind and name of each, in order.
    """

    def __init__(self, api: Api, namespace: str, labels: dict[str, str]) -> None:
        """Prepare; nothing is made yet.

        Args:
            api: The server.
            namespace: The scenario's.
            labels: Those of everything that podproof makes for it.
        """
        self.namespace = namespace
        self.made: list[tuple[Kind, str]] = []
        self._api = api
        self._labels = labels | {NAMESPACE_LABEL: namespace}

    def adapt(self, kind: Kind, thing: Object) -> Object:
        """An object of a manifest with this scenario's names in place of plain ones; twice does no harm.

        An object of the whole cluster gets a name of this scenario's own. Whatever refers to one follows: the
        storage class of a claim or a volume, and the role of a binding. Directories of Nodes below
        `NODE_DIRECTORY` get a directory of this scenario's own above them.
        """
        thing = copy.deepcopy(thing)
        if not kind.namespaced:
            metadata = thing["metadata"]
            metadata["name"] = self.name_of(metadata["name"])
            metadata["labels"] = metadata.get("labels", {}) | self._labels
        spec = thing.get("spec", {})
        if kind in (CLAIM, PERSISTENT_VOLUME) and spec.get("storageClassName"):
            spec["storageClassName"] = self.name_of(spec["storageClassName"])
        for volume in _on_nodes(kind, spec):
            volume["path"] = self.directory_of(volume["path"])
        role = thing.get("roleRef", {})
        if role.get("kind") == "ClusterRole" and self._is_made("ClusterRole", role["name"]):
            role["name"] = self.name_of(role["name"])
        for subject in thing.get("subjects", ()):
            if subject["kind"] == "ServiceAccount":
                subject["namespace"] = self.namespace
        return thing

    def name_of(self, plain: str) -> str:
        """The name that a manifest's plain one becomes."""
        own = f"{self.namespace}-"
        return plain if plain.startswith(own) else own + plain

    def directory_of(self, plain: str) -> str:
        """The directory of a Node that a manifest's one becomes."""
        own = f"{NODE_DIRECTORY}/{self.namespace}"
        below = plain.removeprefix(f"{NODE_DIRECTORY}/")
        return plain if below == plain or f"{plain}/".startswith(f"{own}/") else f"{own}/{below}"

    def note(self, kind: Kind, thing: Object) -> None:
        """Remember an object, before it is made, to be removed in the end."""
        if (kind, name(thing)) not in self.made:
            self.made.append((kind, name(thing)))

    def delete(self, *, claims: bool = False) -> None:
        """Delete everything that was made, and the volumes that were made for it, and wait until all is gone.

        The namespace must be gone: a volume does not go before its claim.

        Args:
            claims: Whether the namespace had claims, for which volumes may have been made.

        Raises:
            CleanupError: Something was still there when time was up; the text names what holds it.
        """
        if not self.made and not claims:
            return
        # A provisioner may need its class to remove a volume, so classes go later.
        self._await_gone([(PERSISTENT_VOLUME, each) for each in self._reclaimed()])
        for kind, each in reversed(self.made):
            with _unless_missing():
                self._api.delete(kind, None, each)
        self._await_gone(self.made)

    def _is_made(self, kind: str, plain: str) -> bool:
        return any((made.name, each) == (kind, self.name_of(plain)) for made, each in self.made)

    def _reclaimed(self) -> list[str]:
        """Have the volumes that a provisioner made for this namespace reclaimed by it; gives their names."""
        own = {each for kind, each in self.made if kind == PERSISTENT_VOLUME}
        reclaimed = []
        for volume in self._api.list(PERSISTENT_VOLUME, None)["items"]:
            spec = volume["spec"]
            ours = spec.get("claimRef", {}).get("namespace") == self.namespace
            if not ours or name(volume) in own:
                continue
            if _PROVISIONED in volume["metadata"].get("annotations", {}):
                if spec.get("persistentVolumeReclaimPolicy") != "Delete":
                    with _unless_missing():
                        self._api.merge(
                            PERSISTENT_VOLUME,
                            None,
                            name(volume),
                            {"spec": {"persistentVolumeReclaimPolicy": "Delete"}},
                        )
                reclaimed.append(name(volume))
        return reclaimed

    def _await_gone(self, things: list[tuple[Kind, str]]) -> None:
        for kind, each in things:
            watch.until(
                self._api,
                kind,
                None,
                each,
                lambda thing: thing is None,
                deadlines.CLUSTER_OBJECT_GONE,
                functools.partial(_stuck, kind, each),
            )


@contextmanager
def _unless_missing() -> Iterator[None]:
    """Let it pass that an object does not exist (any more)."""
    try:
        yield
    except ApiError as error:
        if error.status != 404:
            raise


def _on_nodes(kind: Kind, spec: Object) -> list[Object]:
    """The parts of an object that name a directory of a Node."""
    template = spec.get("template", {}).get("spec", {})
    sources = [spec] if kind == PERSISTENT_VOLUME else []
    sources += [*spec.get("volumes", ()), *template.get("volumes", ())]
    return [source[how] for source in sources for how in ("hostPath", "local") if how in source]


def _stuck(kind: Kind, named: str, thing: Object | None) -> CleanupError:
    said = f"{kind.name} {named} was not gone within {deadlines.CLUSTER_OBJECT_GONE}"
    return CleanupError(f"{said}: {_held_by(thing)}")


def _held_by(thing: Object | None) -> str:
    if thing is None:
        return "the API server could not be watched"
    finalizers = ", ".join(thing["metadata"].get("finalizers", ())) or "no finalizers"
    return f"{summary.line(thing) or 'it is there'}; {finalizers}"
