"""What a run makes on a cluster, written down like a fault, to be removed if the run is killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from podproof.cluster.base import Cluster
from podproof.errors import CleanupError
from podproof.faults import journal
from podproof.faults.fault import Fault
from podproof.faults.service import api_of
from podproof.kube import deadlines, watch
from podproof.kube.client import Api
from podproof.kube.cluster_objects import NAMESPACE_LABEL
from podproof.kube.kinds import NAMESPACE, PERSISTENT_VOLUME, Kind, Object, name
from podproof.kube.namespaces import RUN, Namespace

FOLDER = "runs"

_OF_THE_CLUSTER = (
    PERSISTENT_VOLUME,
    Kind("StorageClass", "storage.k8s.io/v1", "storageclasses", namespaced=False),
    Kind("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", "clusterrolebindings", namespaced=False),
    Kind("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", namespaced=False),
)


@dataclass(frozen=True)
class Traces(Fault):
    """The namespaces of a run, and what belongs to them that no namespace holds.

    Attributes:
        run: What they are labelled with.
    """

    run: str
    kind = "run"

    @property
    def target(self) -> str:
        """The run."""
        return self.run

    def describe(self) -> str:
        """See `Fault`."""
        return f"what run {self.run} made"

    def demand_possible(self) -> None:
        """Nothing is in its way."""

    def inject(self) -> None:
        """The run's scenarios do that."""

    def confirm(self) -> None:
        """Nothing has to be there."""

    def revert(self) -> None:
        """Delete all of it, unless another process of the run is at work.

        Raises:
            CleanupError: One is.
        """
        for other in journal.entries(journal.directory_of(self.cluster, FOLDER)):
            if other.target == self.run and other.owner_lives:
                raise CleanupError(f"process {int(other.owner[0])} of that run is still at work")
        with api_of(self.cluster) as api:
            left = [self._namespace(api, each) for each in self._namespaces(api)]
            for namespace in left:
                namespace.clear()
            for namespace in left:
                namespace.await_end()
            # Those whose namespace was gone already.
            for kind in _OF_THE_CLUSTER:
                for thing in api.list(kind, None, f"{RUN}={self.run}")["items"]:
                    api.delete(kind, None, name(thing))
                    watch.until(
                        api, kind, None, name(thing), lambda seen: seen is None, deadlines.CLUSTER_OBJECT_GONE
                    )

    def confirm_reverted(self) -> None:
        """The server has no namespace of the run any more."""
        with api_of(self.cluster) as api:
            if left := self._namespaces(api):
                raise CleanupError(f"namespaces of run {self.run} are left: {', '.join(map(name, left))}")

    def _namespaces(self, api: Api) -> list[Object]:
        return list(api.list(NAMESPACE, None, f"{RUN}={self.run}")["items"])

    def _namespace(self, api: Api, thing: Object) -> Namespace:
        namespace = Namespace(api, name(thing), self.run)
        for kind in _OF_THE_CLUSTER:
            for each in api.list(kind, None, f"{NAMESPACE_LABEL}={name(thing)}")["items"]:
                namespace.beyond.note(kind, each)
        return namespace


@contextmanager
def written(cluster: Cluster, run: str) -> Iterator[None]:
    """Have a run's traces written down for as long as the context lasts, at whose end there are none.

    Args:
        cluster: Where it runs.
        run: What its namespaces are labelled with.
    """
    entry = journal.write(Traces(cluster, run), 0, FOLDER)  # nobody but `podproof clean` removes them
    yield  # if what comes next fails, the entry stays, for `podproof clean`
    with entry.locked():
        entry.remove()
