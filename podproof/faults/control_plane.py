"""Changes of the control plane that are undone like faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from podproof.cluster.base import Cluster, EtcdSwitch
from podproof.faults import signs
from podproof.faults.fault import Fault
from podproof.faults.programs import CONTROL_PLANE, ProgramStopped, watchers
from podproof.faults.service import api_of


@dataclass(frozen=True)
class EtcdDurable(Fault):
    """An etcd that has what it acknowledges on its disk, as everywhere but on a cluster that is thrown away.

    It is started anew for that, with the data that it has.

    Attributes:
        watchers: How many watched the API server before; see `podproof.faults.programs`.
    """

    watchers: dict[str, int]
    kind = "etcd-durable"

    @property
    def target(self) -> str:
        """The control plane's machine."""
        return CONTROL_PLANE

    def describe(self) -> str:
        """See `Fault`."""
        return "etcd waits for its disk"

    def demand_possible(self) -> None:
        """It answers."""
        self._etcd.demand_possible()

    def inject(self) -> None:
        """Start it anew with other flags."""
        self._switch.restart_etcd(durable=True)

    def confirm(self) -> None:
        """Its process has these flags, and it answers."""
        signs.demand(lambda: self._switch.etcd_is_durable, "etcd waits for its disk")
        self._etcd.confirm_reverted()

    def revert(self) -> None:
        """Start it anew with the flags that it had."""
        if self._switch.etcd_is_durable:
            self._switch.restart_etcd(durable=False)

    def confirm_reverted(self) -> None:
        """It answers, and all watch again who did."""
        self._etcd.confirm_reverted()

    @classmethod
    def of(cls, cluster: Cluster) -> EtcdDurable:
        """The change of a control plane that runs."""
        with api_of(cluster) as api:
            return cls(cluster, watchers(api))

    @property
    def _etcd(self) -> ProgramStopped:
        return ProgramStopped(self.cluster, CONTROL_PLANE, "etcd", self.watchers)

    @property
    def _switch(self) -> EtcdSwitch:
        return cast(EtcdSwitch, self.cluster)
