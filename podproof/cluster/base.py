"""What every cluster offers, whoever made it."""

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
        """Names of the Nodes that Node faults may strike; empty on a cluster that is not podproof's own."""

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
