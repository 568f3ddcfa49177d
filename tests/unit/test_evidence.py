"""Evidence is complete, readable, and never turns one failure into another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from podproof.kube.findings import Finding, StepFindings
from podproof.reporting.evidence import Sources, findings_list, gather, measurements_table, timeline_lines
from podproof.reporting.runs import KEPT_RUNS, RunReports
from podproof.verdicts.measurements import Measurement
from podproof.verdicts.scenarios import Outcome, ScenarioResult
from tests.unit.test_results import RESULT

ROWS = [
    {"seconds": 0.1, "kind": "Pod", "name": "web", "type": "ADDED", "summary": "Pending"},
    {"seconds": 12.25, "kind": "Event", "name": "web.18ea", "type": "ADDED", "summary": "Pod web: Started"},
    {"seconds": 13.0, "kind": "Node", "type": "GAP", "summary": "changes may have been missed"},
]


class Recorded:
    """A recording that has just these rows."""

    def timeline(self) -> list[dict[str, Any]]:
        """Three rows."""
        return ROWS


class Broken:
    """A recording that fails."""

    def timeline(self) -> list[dict[str, Any]]:
        """Nothing."""
        raise RuntimeError("lost")


class Space:
    """A namespace into which nothing was applied."""

    name = "podproof-1"
    applied: tuple[object, ...] = ()


class Unreachable:
    """An API server that is out of reach, and counts who asks."""

    asked = 0

    def list(self, *_: object) -> None:
        """Fails."""
        self.asked += 1
        raise ConnectionError("no answer")


def test_a_timeline_is_a_table() -> None:
    assert timeline_lines(ROWS) == [
        "   +0.100 s  Pod web  ADDED     Pending",
        "  +12.250 s  Event    ADDED     Pod web: Started",
        "  +13.000 s  Node     GAP       changes may have been missed",
    ]


def test_measurements_are_shown_against_their_bounds() -> None:
    taken = [Measurement("reaction", 0.5), Measurement("recovery", 4.0, 3.0, "its probes")]
    assert measurements_table(taken).splitlines() == [
        "reaction      0.50 s  no bound",
        "recovery      4.00 s  bound 3 s (its probes)  exceeded by 1.000 s",
        "Only what exceeds its bound by more than is granted on top is FALSE: docs/verdicts.md, Bounds.",
    ]


def test_what_was_found_stands_below_its_step_and_only_once() -> None:
    ready, page = Finding("Pod web is Ready", "so at +1.000 s"), Finding("a page", "two\nlines")
    prepared = Finding("a Pod", "so", prepared=True)
    steps = [StepFindings("Given a Pod", (ready, ready, prepared)), StepFindings("Then it answers", (page,))]
    assert findings_list(steps).splitlines() == [
        "Given a Pod",
        "    expected: Pod web is Ready",
        "    observed: so at +1.000 s",
        "    prepared: a Pod",
        "    observed: so",
        "",
        "Then it answers",
        "    expected: a page",
        "    observed: two",
        "    lines",
    ]


def test_what_held_gets_little_evidence() -> None:
    held = ScenarioResult(RESULT.plan, Outcome.TRUE)
    evidence = gather(held, Sources(api=Unreachable(), namespace=Space(), recording=Recorded()), "pytest x")
    assert [piece.filename for piece in evidence.pieces] == ["timeline.txt", "timeline.json"]


def test_what_cannot_be_had_is_said_in_its_place(tmp_path: Path) -> None:
    api = Unreachable()
    evidence = gather(RESULT, Sources(api=api, namespace=Space(), recording=Broken()), "pytest x")
    evidence.save(tmp_path)
    assert (tmp_path / "missing-timeline.txt").read_text() == "could not be gathered: RuntimeError: lost\n"
    assert (tmp_path / "missing-events.txt").read_text().endswith("no answer\n")
    assert (tmp_path / "repeat.txt").read_text() == "pytest x\n"
    assert api.asked == 1


def test_only_the_newest_runs_are_kept(tmp_path: Path) -> None:
    for number in range(KEPT_RUNS + 3):
        reports = RunReports(tmp_path, f"2026-01-01T00-00-{number:02}-1")
        reports.begin()
        reports.drop_oldest()
        reports.verdicts.write_text("{}")
    kept = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert kept == [f"2026-01-01T00-00-{number:02}-1" for number in range(3, KEPT_RUNS + 3)]
    assert (tmp_path / "latest").resolve().name == kept[-1]


def test_evidence_directories_are_readable_and_apart() -> None:
    reports = RunReports(Path("reports"), "now")
    names = [reports.evidence_name(f"features/volumes.feature::test_a_file[on{c}disk]") for c in " _"]
    assert all(name.startswith("evidence/features_volumes_a_file_on_disk-") for name in names)
    assert names[0] != names[1]
