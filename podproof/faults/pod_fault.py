"""What the faults of Pods and of their containers have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from podproof.errors import TrialError
from podproof.faults.fault import Fault
from podproof.faults.service import api_of
from podproof.kube import deadlines, states, watch
from podproof.kube.client import Api
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import POD, Object
from podproof.kube.kinds import uid as uid_of
from podproof.kube.summary import line


@dataclass(frozen=True)
class PodFault(Fault):
    """A Pod that is broken; one that is gone has taken that with it.

    Attributes:
        namespace: The Pod's.
        pod: Its name.
        uid: Its identity, so that a later Pod of that name is left alone.
    """

    namespace: str
    pod: str
    uid: str

    @property
    def target(self) -> str:
        """The Pod, with its namespace."""
        return f"{self.namespace}/{self.pod}"

    def find(self, api: Api) -> Object | None:
        """The Pod as it is now; None if it is gone."""
        there = api.find(POD, self.namespace, self.pod)
        return there if there is not None and uid_of(there) == self.uid else None

    def must_find(self, api: Api) -> Object:
        """The Pod as it is now, which must run.

        Raises:
            TrialError: It does not.
        """
        there = self.find(api)
        if there is None:
            raise TrialError(f"Pod {self.target} is gone: breaking it would not show")
        if states.is_over(there) or "deletionTimestamp" in there["metadata"]:
            raise TrialError(f"Pod {self.target} is {line(there)}: breaking it would not show")
        return there

    def demand_possible(self) -> None:
        """It runs."""
        with api_of(self.cluster) as api:
            self.must_find(api)

    def await_sign(
        self,
        holds: Callable[[Object | None], bool],
        what: str,
        within: Deadline = deadlines.FAULT_CONFIRMED,
    ) -> None:
        """Wait until the Pod shows a sign of the fault.

        Args:
            holds: Given the Pod, or None if it is gone.
            what: The sign, for the error.
            within: How long to wait.

        Raises:
            TrialError: It did not come, so the fault did not take.
        """

        def stuck(there: Object | None) -> TrialError:
            told = line(there) if there else "there is no such Pod"
            return TrialError(f"the fault did not take: not within {within}: {what}; {told}")

        def own(there: Object | None) -> bool:
            return holds(there if there is not None and uid_of(there) == self.uid else None)

        with api_of(self.cluster) as api:
            watch.until(api, POD, self.namespace, self.pod, own, within, stuck)


@dataclass(frozen=True)
class Irreversible(PodFault):
    """A Pod or a container that is ended: there is nothing to undo."""

    def revert(self) -> None:
        """Whatever it takes to replace it is the cluster's to do."""

    def confirm_reverted(self) -> None:
        """See `revert`."""
