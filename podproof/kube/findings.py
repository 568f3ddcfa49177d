"""What was demanded of the cluster and found: a report could say no more of what is TRUE than that it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was demanded, or prepared, and what was there.

    Attributes:
        expected: What was demanded.
        observed: What was there.
        prepared: Whether it was podproof's own work for the trial, and no sentence about the cluster.
    """

    expected: str
    observed: str
    prepared: bool = False


@dataclass(frozen=True, slots=True)
class StepFindings:
    """What one step found.

    Attributes:
        step: The step as its feature has it, keyword included.
        findings: In their order.
    """

    step: str
    findings: tuple[Finding, ...]


_noted: list[Finding] = []
_preparing = 0


def note(expected: str, observed: str) -> None:
    """Something was demanded, and held."""
    _noted.append(Finding(expected, observed, _preparing > 0))


def take() -> tuple[Finding, ...]:
    """All that was noted in this process since the last time, in its order."""
    taken = tuple(_noted)
    _noted.clear()
    return taken


@contextmanager
def of_preparations() -> Iterator[None]:
    """Mark what is noted meanwhile as podproof's own work."""
    global _preparing
    _preparing += 1
    try:
        yield
    finally:
        _preparing -= 1
