"""What was demanded of the cluster and held: of what is true a report could else say no more than that."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that held.

    Attributes:
        expected: What was demanded.
        observed: What was there.
    """

    expected: str
    observed: str


@dataclass(frozen=True, slots=True)
class StepFindings:
    """What one step found to hold.

    Attributes:
        step: The step as its feature has it, keyword included.
        findings: In their order.
    """

    step: str
    findings: tuple[Finding, ...]


_noted: list[Finding] = []


def note(expected: str, observed: str) -> None:
    """Something was demanded, and held."""
    _noted.append(Finding(expected, observed))


def take() -> tuple[Finding, ...]:
    """All that was noted in this process since the last time, in its order."""
    taken = tuple(_noted)
    _noted.clear()
    return taken
