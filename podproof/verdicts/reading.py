"""From a results file back to what came out of each scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from podproof.verdicts.measurements import Measurement
from podproof.verdicts.scenarios import Kind, Outcome, ScenarioPlan, ScenarioResult, StepResult, StepStatus


def scenario_results(claims: Sequence[Mapping[str, Any]]) -> list[ScenarioResult]:
    """The results of all scenarios of a results file's `claims`, as far as they are in it."""
    return [_result(claim, each) for claim in claims for each in claim["scenarios"]]


def _result(claim: Mapping[str, Any], data: Mapping[str, Any]) -> ScenarioResult:
    repeated = data["repetitions"]["count"] > 1
    return ScenarioResult(
        plan=ScenarioPlan(
            nodeid=data["nodeid"],
            file=data["file"],
            line=data["line"],
            title=data["title"],
            feature=claim["feature"],
            claim=claim["slug"],
            sentence=claim["sentence"],
            rule=claim["sentence"],
            kind=Kind(data["kind"]),
            example=dict(data["example"]),
        ),
        outcome=Outcome(data["outcome"]),
        reason=data["reason"],
        started=data["started"],
        seconds=data["seconds"],
        steps=tuple(StepResult(**{**each, "status": StepStatus(each["status"])}) for each in data["steps"]),
        measurements=tuple(
            Measurement(each["name"], each["seconds"], each["bound"], each["origin"], tuple(each["samples"]))
            for each in data["measurements"]
        ),
        evidence=data["evidence"],
        details=dict(data["details"]),
        watched=tuple((each["what"], each["seconds"]) for each in data["watched"]),
        outcomes=tuple(Outcome(each) for each in data["repetitions"]["outcomes"]) if repeated else (),
    )
