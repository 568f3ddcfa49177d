"""What every fault has in common: four steps, and all that it takes to undo it written in plain data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar

from podproof.cluster.base import Cluster
from podproof.errors import UsageError

Plain = str | int | float | bool
"""What a fault's fields are made of, so that it can be written down and read again."""

_KINDS: dict[str, type[Fault]] = {}


@dataclass(frozen=True)
class Fault(ABC):
    """Something that is broken on purpose: injected, confirmed, reverted, and that confirmed too.

    A subclass is a frozen dataclass whose further fields are plain, and registers itself by its `kind`.
    Another process must be able to revert it, so it remembers nothing between its steps but its fields.

    Attributes:
        cluster: Where.
    """

    cluster: Cluster
    kind: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        """Register the kind, by which a fault that was written down is found again."""
        super().__init_subclass__()
        if cls.kind:
            _KINDS[cls.kind] = cls

    @property
    @abstractmethod
    def target(self) -> str:
        """What is broken, for example the name of a Node: whoever may break that next mends it first."""

    @abstractmethod
    def describe(self) -> str:
        """What is done to what, for people, for example ``"Node node-3 is powered off"``."""

    def prepare(self) -> None:  # noqa: B027 - most need nothing
        """Get ready what it takes to inject it, which may take a while and breaks nothing."""

    @abstractmethod
    def demand_possible(self) -> None:
        """Make sure, before it is written down, that it would show, and that undoing it changes nothing else.

        Raises:
            TrialError: It would not.
            NotApplicable: The cluster has nothing to do it by.
        """

    @abstractmethod
    def inject(self) -> None:
        """Break it."""

    @abstractmethod
    def confirm(self) -> None:
        """Make sure that it took, by a sign that is independent of what a claim says about it.

        Raises:
            TrialError: It did not.
        """

    def sign(self) -> str:
        """What stays the same for as long as it lasts, for example when a Node was last heard of.

        Raises:
            FaultLostError: It does not last.
        """
        return ""

    @abstractmethod
    def revert(self) -> None:
        """Undo it; harmless if it was never injected, or has been undone."""

    @abstractmethod
    def confirm_reverted(self) -> None:
        """Make sure that nothing of it is left.

        Raises:
            CleanupError: Something is; it is named.
        """

    def parameters(self) -> dict[str, Plain]:
        """All its fields but the cluster."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "cluster"}


def restore(cluster: Cluster, kind: str, parameters: Mapping[str, Plain]) -> Fault:
    """The fault that was written down.

    Raises:
        UsageError: This version of podproof knows no such fault.
    """
    try:
        return _KINDS[kind](cluster, **parameters)
    except (KeyError, TypeError) as error:
        raise UsageError(f"no fault of this version of podproof is a {kind} with {parameters}") from error
