"""What every cluster offers, whoever made it."""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Setting:
    """One of the cluster's own settings that a bound rests on.

    Attributes:
        value: As Kubernetes writes it, for example ``"40s"``.
        origin: Where it was read, for example ``"kube-controller-manager --node-monitor-grace-period"``.
        assumed: True if it could not be read and is the documented default of the version.
    """

    value: str
    origin: str
    assumed: bool = False


class Cluster(Protocol):
    """A real cluster that claims are tried on."""

    @property
    def name(self) -> str:
        """How reports name it: the embedded cluster's name, or the context."""

    @property
    def provider(self) -> str:
        """``"embedded"`` or ``"existing"``."""

    @property
    def kubeconfig(self) -> Path:
        """The file that says how to reach the API server."""

    @property
    def context(self) -> str:
        """The context of `kubeconfig` to use: always named, never the current one by default."""

    @property
    def victims(self) -> Sequence[str]:
        """Names of the Nodes that Node faults may strike; on a cluster of others, those that were named."""

    def settings(self) -> Mapping[str, Setting]:
        """The settings that bounds rest on, by their upstream flag or field name."""


class PowerSwitch(Protocol):
    """A cluster whose Nodes can be switched off and on, which is a capability of its own."""

    def power_off(self, node: str) -> None:
        """Cut the Node's power: the kernel ends every process of it at once."""

    def power_on(self, node: str) -> None:
        """Start the Node again, with the disks that it had."""


class NetworkSwitch(Protocol):
    """A cluster whose Nodes can be cut off from the network, which is a capability of its own."""

    def isolate(self, node: str) -> None:
        """Pull the Node's cable: it runs on, but nothing reaches it and it reaches nothing."""

    def rejoin(self, node: str) -> None:
        """Plug the Node's cable in again."""

    def is_on(self, node: str) -> bool:
        """Whether the Node runs, whoever can reach it."""


class MachinePrograms(Protocol):
    """The programs of one machine of a cluster."""

    def pid(self, program: str) -> int | None:
        """The process of a program, or None if it does not run."""

    def stop(self, program: str) -> None:
        """Stop a program and have it stay so."""

    def start(self, program: str) -> None:
        """Start a program; nothing happens if it runs."""

    def signal(self, program: str, number: signal.Signals) -> None:
        """Send a program a signal, if it runs."""

    def is_frozen(self, program: str) -> bool:
        """Whether its process has been stopped by a signal."""

    def answers(self, program: str) -> bool:
        """Whether it answers that it is well, or takes a connection if it has but a socket."""

    def serves(self, program: str) -> bool:
        """Whether it is one that answers requests, so that it is silent when it is frozen."""


class ProgramSwitch(Protocol):
    """A cluster whose machines' programs can be stopped, killed and frozen: a capability of its own."""

    def programs(self, machine: str) -> MachinePrograms:
        """The programs of a machine: of a Node, or of ``"control-plane"``."""


class NodePartition(Protocol):
    """What a Node can be cut off from while it goes on reaching everything else."""

    def cut(self, away: str, seconds: float) -> None:
        """Drop its packets from and to a part of the network; the kernel ends that after the seconds."""

    def mend(self) -> None:
        """Drop nothing any more."""

    def dropped(self) -> int:
        """How many packets were dropped since the cut."""

    def reached_from(self, other: str) -> bool:
        """Whether another machine of the cluster gets a connection to the Node's kubelet."""


class PartitionSwitch(Protocol):
    """A cluster whose Nodes can be cut off from a part of the network: a capability of its own."""

    @property
    def nodes(self) -> Sequence[str]:
        """The names of its Nodes."""

    def partition(self, node: str) -> NodePartition:
        """What a Node can be cut off from."""


class EtcdSwitch(Protocol):
    """A cluster whose etcd can be told whether to wait for its disk."""

    def restart_etcd(self, *, durable: bool) -> None:
        """Start it anew, with the data that it has."""

    @property
    def etcd_is_durable(self) -> bool:
        """Whether the one that runs waits for its disk."""
