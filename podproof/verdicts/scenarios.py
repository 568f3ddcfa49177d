"""A scenario: what it is about, and what came out. Plain data that travels as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from podproof.verdicts.measurements import Measurement

_WHICH_REPETITION = re.compile(r"(repetitions? [\d, -]+ of \d+: )?")


class Kind(StrEnum):
    """What a scenario does for its claim."""

    SUPPORT = "support"
    LIMIT = "limit"


class Outcome(StrEnum):
    """What came out of a scenario.

    Attributes:
        TRUE: The cluster did what the scenario says.
        FALSE: The cluster did something else.
        NOT_PROVEN: The trial itself failed; this says nothing about the cluster.
        NOT_APPLICABLE: The cluster lacks a capability that the scenario needs.
        NOT_RUN: It was not selected, or the run ended before its turn.
    """

    TRUE = "TRUE"
    FALSE = "FALSE"
    NOT_PROVEN = "NOT PROVEN"
    NOT_APPLICABLE = "NOT APPLICABLE"
    NOT_RUN = "NOT RUN"


class StepStatus(StrEnum):
    """How far a step came."""

    PASSED = "passed"
    FAILED = "failed"
    BROKEN = "broken"
    SKIPPED = "skipped"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class PlannedStep:
    """A step as the report shows it: `keyword` and text, from this line of the feature file."""

    keyword: str
    text: str
    line: int


@dataclass(frozen=True)
class ScenarioPlan:
    """What a scenario is about.

    Attributes:
        nodeid: How pytest names it; running just this id repeats it.
        file: The feature file, relative to pytest's root directory.
        line: Where it starts: the scenario's line, or that of its row of examples.
        title: Its title, with the example's values.
        feature: The Feature's title.
        claim: The slug of its claim.
        sentence: The claim itself.
        rule: The Rule's title.
        kind: Whether it supports the claim or proves a limit of it.
        about: The scenario's own description.
        why_it_matters: The Rule's description.
        example: The values of its row of examples.
        tags: Its own tags and those of its row.
    """

    nodeid: str
    file: str
    line: int
    title: str
    feature: str
    claim: str
    sentence: str
    rule: str
    kind: Kind
    about: str = ""
    why_it_matters: str = ""
    example: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[PlannedStep, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepResult:
    """What came out of a step, and how many seconds it took."""

    keyword: str
    text: str
    line: int
    status: StepStatus
    seconds: float = 0.0


@dataclass(frozen=True)
class ScenarioResult:
    """What came out of a scenario.

    Attributes:
        reason: Why it is not TRUE, as one message; empty if it is.
        started: When, in ISO 8601 with offset; empty if it did not run.
        seconds: How long it took, its set-up and cleaning up included.
        evidence: The directory of its evidence, relative to the reports of the run; empty if there is none.
        details: What the machinery saw beside it: ``api_retries``, and ``own_milliseconds``, for which the
            runner itself was busy; the rest of `seconds` is Kubernetes' time.
        api_warnings: What the API server warned of while it ran and had not said to this process before.
        lateness: After how many milliseconds the recording saw each event whose sender gives its time to the
            microsecond.
        watched: What had to hold at every moment of a span of time, and did, with the seconds of that span.
        capabilities: What the cluster was found to offer, or not, by the time that it was over.
        outcomes: Of a scenario that was repeated, what came out each time; empty if it was not.
    """

    plan: ScenarioPlan
    outcome: Outcome
    reason: str = ""
    started: str = ""
    seconds: float = 0.0
    steps: tuple[StepResult, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    evidence: str = ""
    details: Mapping[str, int] = field(default_factory=dict)
    api_warnings: tuple[str, ...] = ()
    lateness: tuple[int, ...] = ()
    watched: tuple[tuple[str, float], ...] = ()
    capabilities: Mapping[str, bool] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...] = ()

    @property
    def summary(self) -> str:
        """The reason in one line: what was expected and observed if it says so, else its first line."""
        found = _WHICH_REPETITION.match(self.reason)
        which = found[0] if found else ""
        lines = self.reason.removeprefix(which).splitlines()
        if len(lines) > 1 and lines[0].startswith("expected:") and lines[1].startswith("observed:"):
            return which + ", ".join(line.replace(":", "", 1) for line in lines[:2])
        return which + lines[0] if lines else ""

    def to_json(self) -> dict[str, Any]:
        """As plain dicts, lists, texts and numbers, to travel between processes."""
        data: dict[str, Any] = _plain(asdict(self))
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ScenarioResult:
        """What `to_json` gave."""
        plan = dict(data["plan"])
        plan["kind"] = Kind(plan["kind"])
        plan["steps"] = tuple(PlannedStep(**step) for step in plan["steps"])
        plan["tags"] = tuple(plan["tags"])
        return cls(
            plan=ScenarioPlan(**plan),
            outcome=Outcome(data["outcome"]),
            reason=data["reason"],
            started=data["started"],
            seconds=data["seconds"],
            steps=tuple(
                StepResult(**{**step, "status": StepStatus(step["status"])}) for step in data["steps"]
            ),
            measurements=tuple(
                Measurement(**{**each, "samples": tuple(each["samples"])}) for each in data["measurements"]
            ),
            evidence=data["evidence"],
            details=dict(data["details"]),
            api_warnings=tuple(data["api_warnings"]),
            watched=tuple((what, seconds) for what, seconds in data["watched"]),
            capabilities=dict(data["capabilities"]),
            lateness=tuple(data["lateness"]),
            outcomes=tuple(Outcome(each) for each in data["outcomes"]),
        )


def _plain(value: Any) -> Any:
    """Turn enumerations into texts and tuples into lists: not every carrier takes the former."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, StrEnum) else value
