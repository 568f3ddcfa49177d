"""Changes of the control plane that are undone like faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from podproof.cluster.base import EtcdSwitch
from podproof.faults import signs
from podproof.faults.fault import Fault
from podproof.faults.programs import CONTROL_PLANE, ProgramStopped


@dataclass(frozen=True)
class EtcdDurable(Fault):
    """An etcd that has what it acknowledges on its disk, as everywhere but on a cluster that is thrown away.

    It is started anew for that, with the data that it has.
    """

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
        """It answers."""
        self._etcd.confirm_reverted()

    @property
    def _etcd(self) -> ProgramStopped:
        return ProgramStopped(self.cluster, CONTROL_PLANE, "etcd")

    @property
    def _switch(self) -> EtcdSwitch:
        return cast(EtcdSwitch, self.cluster)
