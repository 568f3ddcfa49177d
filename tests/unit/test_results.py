"""Results travel as JSON, fit their published schema, and are written whole or not at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from podproof.verdicts.claims import judge_all
from podproof.verdicts.measurements import Measurement, Measurements
from podproof.verdicts.results import (
    SCHEMA,
    ClusterFacts,
    NodeFact,
    RunFacts,
    SettingFact,
    results_document,
    validate,
    write_results,
)
from podproof.verdicts.scenarios import (
    Kind,
    Outcome,
    PlannedStep,
    ScenarioPlan,
    ScenarioResult,
    StepResult,
    StepStatus,
)

RESULT = ScenarioResult(
    plan=ScenarioPlan(
        nodeid="f.feature::test_a[x]",
        file="f.feature",
        line=3,
        title="A x",
        feature="F",
        claim="a",
        sentence="A holds",
        rule="A",
        kind=Kind.LIMIT,
        example={"cause": "x"},
        steps=(PlannedStep("Then", "it is so", 4),),
    ),
    outcome=Outcome.FALSE,
    reason="expected: one\nobserved: two\nbound: 3 s",
    started="2026-01-01T00:00:00.000+00:00",
    seconds=1.5,
    steps=(StepResult("Then", "it is so", 4, StepStatus.FAILED, 0.5),),
    measurements=(Measurement("recovery", 4.0, 3.0, "its probes", samples=(3.0, 5.0)),),
    evidence="evidence/a",
    details={"api_retries": 2},
    api_warnings=("v1 Endpoints is deprecated",),
    lateness=(4, 90),
    outcomes=(Outcome.TRUE, Outcome.FALSE),
)
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
CLUSTER = ClusterFacts(
    "default",
    "embedded",
    "v1.37.1",
    "podproof-default",
    (NodeFact("node-1", "v1.37.1", victim=True),),
    {"x": SettingFact("40s", "a flag", assumed=False)},
)


def run(tmp_path: Path, ended_early: str = "") -> RunFacts:
    return RunFacts(["pytest"], tmp_path, MOMENT, MOMENT, ended_early)


def test_a_result_survives_its_journey() -> None:
    assert ScenarioResult.from_json(json.loads(json.dumps(RESULT.to_json()))) == RESULT


def test_it_travels_as_plain_data() -> None:
    # Workers refuse anything but the built-in types themselves.
    plan = RESULT.to_json()["plan"]
    assert type(plan["kind"]) is str
    assert type(plan["steps"]) is list


@pytest.mark.parametrize(
    ("reason", "summary"),
    [
        (RESULT.reason, "expected one, observed two"),
        ("the fault did not take\nfor long", "the fault did not take"),
        ("", ""),
    ],
)
def test_summary(reason: str, summary: str) -> None:
    assert ScenarioResult(RESULT.plan, Outcome.FALSE, reason).summary == summary


def test_the_document_fits_the_schema(tmp_path: Path) -> None:
    document = results_document(run(tmp_path), CLUSTER, judge_all([RESULT, RESULT]))
    validate(document)
    assert document["api_retries"] == 4
    assert document["api_warnings"] == ["v1 Endpoints is deprecated"]
    assert document["recording"] == {
        "samples": 4,
        "median": 0.047,
        "p99": 0.09,
        "maximum": 0.09,
        "why_unknown": "",
    }
    assert document["complete"] is True
    assert document["suite_commit"] == ""
    [scenario, _] = document["claims"][0]["scenarios"]
    assert scenario["repetitions"] == {"count": 2, "outcomes": ["TRUE", "FALSE"]}
    assert scenario["measurements"][0]["samples"] == [3.0, 5.0]


def test_a_run_without_a_cluster_fits_too(tmp_path: Path) -> None:
    not_run = ScenarioResult(RESULT.plan, Outcome.NOT_RUN, "no cluster")
    document = results_document(run(tmp_path, "no cluster"), ClusterFacts.none(), judge_all([not_run]))
    validate(document)
    assert document["complete"] is False
    assert document["recording"]["median"] is None


def test_the_schema_is_sound_and_describes_every_field() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for part in (schema, *schema["$defs"].values()):
        assert set(part.get("required", ())) == set(part.get("properties", ()))


def test_what_does_not_fit_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.json"
    with pytest.raises(jsonschema.ValidationError):
        write_results(path, {"schema": 1})
    assert list(tmp_path.iterdir()) == []


def test_results_are_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "run" / "verdicts.json"
    for ended_early in ("interrupted", ""):
        write_results(path, results_document(run(tmp_path, ended_early), CLUSTER, []))
    assert json.loads(path.read_text(encoding="utf-8"))["complete"] is True
    assert [each.name for each in path.parent.iterdir()] == ["verdicts.json"]


def test_measurements_are_kept_in_order() -> None:
    measurements = Measurements()
    measurements.add("reaction", 1)
    measurements.add("recovery", 4, bound=3, origin="its probes")
    assert [each.name for each in measurements.taken] == ["reaction", "recovery"]
    assert [each.excess > 0 for each in measurements.taken] == [False, True]
