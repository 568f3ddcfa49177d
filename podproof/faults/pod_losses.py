"""Pods that are made to go."""

from __future__ import annotations

from dataclasses import dataclass

from podproof.cluster.base import Cluster
from podproof.errors import TrialError
from podproof.faults.pod_fault import Irreversible
from podproof.faults.pods import is_evicted, is_leaving, request_eviction
from podproof.faults.service import api_of
from podproof.kube.client import ApiError
from podproof.kube.kinds import POD, Object, name, uid


@dataclass(frozen=True)
class PodDeleted(Irreversible):
    """A Pod that is deleted: its containers have their grace period."""

    kind = "pod-deleted"

    def describe(self) -> str:
        """See `Fault`."""
        return f"Pod {self.target} is deleted"

    def inject(self) -> None:
        """Delete it."""
        self._delete({})

    def confirm(self) -> None:
        """The API server has marked it, or it is gone."""
        self.await_sign(lambda pod: pod is None or is_leaving(pod), "the Pod is marked for deletion")

    def _delete(self, options: Object) -> None:
        with api_of(self.cluster) as api:
            try:
                api.request(
                    "DELETE",
                    POD.path(self.namespace, self.pod),
                    body=options | {"preconditions": {"uid": self.uid}},
                )
            except ApiError as error:
                if error.status not in {404, 409}:  # 409: another Pod has its name now
                    raise
                raise TrialError(f"the fault did not take: Pod {self.target} was gone before") from error


@dataclass(frozen=True)
class PodKilled(PodDeleted):
    """A Pod that is deleted without a grace period: the API server forgets it at once."""

    kind = "pod-killed"

    def describe(self) -> str:
        """See `Fault`."""
        return f"Pod {self.target} is killed"

    def inject(self) -> None:
        """Delete it as `kubectl delete --force` does."""
        self._delete({"gracePeriodSeconds": 0})

    def confirm(self) -> None:
        """The API server does not have it any more."""
        self.await_sign(lambda pod: pod is None, "the Pod is gone")


@dataclass(frozen=True)
class PodEvicted(Irreversible):
    """A Pod that is evicted, as `kubectl drain` does."""

    kind = "pod-evicted"

    def describe(self) -> str:
        """See `Fault`."""
        return f"Pod {self.target} is evicted"

    def inject(self) -> None:
        """Ask the API server for it.

        Raises:
            ApiError: A disruption budget forbids it (status 429).
        """
        with api_of(self.cluster) as api:
            request_eviction(api, self.must_find(api))

    def confirm(self) -> None:
        """The Pod says so itself, or it is gone."""
        self.await_sign(lambda pod: pod is None or is_evicted(pod), "the Pod is marked as evicted")


LOSSES: dict[str, type[PodDeleted] | type[PodEvicted]] = {
    "deleted": PodDeleted,
    "evicted": PodEvicted,
    "killed": PodKilled,
}
"""How a Pod can be lost."""


def lost(cluster: Cluster, pod: Object, how: str) -> PodDeleted | PodEvicted:
    """The loss of a Pod that runs; `how` is one of `LOSSES`."""
    return LOSSES[how](cluster, pod["metadata"]["namespace"], name(pod), uid(pod))
