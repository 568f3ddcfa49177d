"""What proves an outcome: gathered while everything is still there, attached to the report and saved."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from textwrap import indent
from typing import Any, Protocol

from podproof.kube.findings import StepFindings
from podproof.reporting.kube_evidence import applied_manifests, events, namespace_objects, pod_logs
from podproof.reporting.pieces import Piece
from podproof.reporting.timeline_picture import StepSpan, picture
from podproof.verdicts.measurements import Measurement
from podproof.verdicts.scenarios import Outcome, ScenarioResult

FAILED = frozenset({Outcome.FALSE, Outcome.NOT_PROVEN})
"""The outcomes that have to be explained."""
LAST_EVENTS = 8
"""How many changes a failure shows at once; the rest is in the evidence."""


class Recorded(Protocol):
    """The part of a recording that evidence needs."""

    def timeline(self) -> list[dict[str, Any]]:
        """Every change as plain data, in the order of time."""


class Sent(Protocol):
    """The part of a scenario's traffic that evidence needs."""

    def rows(self) -> list[dict[str, Any]]:
        """Every request as plain data, in the order of time: `seconds`, `ok`, `took`, `answer`."""


@dataclass(frozen=True)
class Sources:
    """Where evidence of a scenario comes from: each is None if the scenario did not get that far.

    Attributes:
        api: The connection to the API server (`podproof.kube.client.Api`).
        namespace: The scenario's namespace, which knows what was applied into it.
        recording: Its recording.
        traffic: The requests that its clients sent.
    """

    api: Any = None
    namespace: Any = None
    recording: Recorded | None = None
    traffic: Sent | None = None


@dataclass
class Evidence:
    """All evidence of one scenario.

    Attributes:
        pieces: In the order in which a reader wants them.
        last_changes: The newest lines of the timeline, for the failure itself.
        requests: Every request of the scenario's clients as plain data, see `Sent.rows`; their `seconds` and
            the timeline's count from the same moment.
    """

    pieces: list[Piece] = field(default_factory=list)
    last_changes: list[str] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)

    def save(self, directory: Path) -> None:
        """Write each piece as a file."""
        directory.mkdir(parents=True, exist_ok=True)
        for piece in self.pieces:
            path = directory / piece.filename
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(piece.text, encoding="utf-8")


def gather(
    result: ScenarioResult,
    sources: Sources,
    repeat: str,
    steps: Sequence[StepSpan] = (),
    found: Sequence[StepFindings] = (),
) -> Evidence:
    """Gather what proves the outcome.

    What failed gets everything, any other scenario what it found and measured, its timeline and its picture.
    What cannot be had is said in its place and never raised: evidence must not turn one failure into another.

    Args:
        result: What came out so far.
        sources: Where to look.
        repeat: The command that runs the scenario again.
        steps: Its steps with their times, for the picture.
        found: What its steps demanded and found.
    """
    evidence = Evidence()
    rows: list[dict[str, Any]] = []
    if found:
        evidence.pieces.append(Piece("What was demanded and found", "found.txt", findings_list(found)))
    if result.measurements:
        table = measurements_table(result.measurements)
        evidence.pieces.append(Piece("Measurements", "measurements.txt", table))
    if sources.recording is not None:
        rows = _attempt(sources.recording.timeline, evidence, "timeline") or []
        if rows:
            lines = timeline_lines(rows)
            evidence.last_changes = lines[-LAST_EVENTS:]
            evidence.pieces.append(Piece("Timeline", "timeline.txt", "\n".join(lines) + "\n"))
            data = json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
            evidence.pieces.append(Piece("Timeline as JSON", "timeline.json", data, "application/json"))
    if sources.traffic is not None:
        evidence.requests = _attempt(sources.traffic.rows, evidence, "requests") or []
        if evidence.requests:
            data = (
                "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in evidence.requests) + "\n]\n"
            )
            evidence.pieces.append(Piece("Requests as JSON", "requests.json", data, "application/json"))
    drawn = _attempt(lambda: picture(result.plan.title, rows, steps, evidence.requests), evidence, "picture")
    if drawn:
        evidence.pieces.insert(0, Piece("Picture", "picture.svg", drawn, "image/svg+xml"))
    if result.outcome in FAILED:
        evidence.pieces.insert(0, Piece("Command to repeat just this", "repeat.txt", f"{repeat}\n"))
        _add_from_cluster(evidence, sources)
    return evidence


def findings_list(found: Sequence[StepFindings]) -> str:
    """What each step demanded and what it found, below the step; what it found again and again only once."""
    lines = []
    for step in found:
        lines.append(step.step)
        for finding in dict.fromkeys(step.findings):
            wanted = "prepared" if finding.prepared else "expected"
            told = f"{wanted}: {finding.expected}\nobserved: {finding.observed}"
            lines.append(indent(told, "    "))
        lines.append("")
    return "\n".join(lines)


def timeline_lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """A timeline as a table: seconds since the start, what changed, how, and what it was then."""
    named = [_subject(row) for row in rows]
    width = min(max(map(len, named), default=0), 60)
    return [
        f"{row['seconds']:+9.3f} s  {name:<{width}}  {row['type']:<9} {row['summary']}".rstrip()
        for row, name in zip(rows, named, strict=True)
    ]


def _subject(row: dict[str, Any]) -> str:
    # An Event's own name means nothing to anybody; its summary says what it is about.
    return "Event" if row["kind"] == "Event" else f"{row['kind']} {row.get('name', '')}".strip()


_EXCEEDED = "Only what exceeds its bound by more than is granted on top is FALSE: docs/verdicts.md, Bounds."


def measurements_table(measurements: Sequence[Measurement]) -> str:
    """Measured against bound, one line each."""
    width = max(len(taken.name) for taken in measurements)
    rows = []
    for taken in measurements:
        bound = "no bound" if taken.bound is None else f"bound {taken.bound:g} s"
        excess = f"  exceeded by {taken.excess:.3f} s" if taken.excess else ""
        origin = f" ({taken.origin})" if taken.origin else ""
        rows.append(f"{taken.name:<{width}}  {taken.seconds:8.2f} s  {bound}{origin}{excess}")
    if any(taken.excess for taken in measurements):
        rows.append(_EXCEEDED)
    return "\n".join(rows) + "\n"


def _add_from_cluster(evidence: Evidence, sources: Sources) -> None:
    if sources.namespace is None:
        return
    if sources.namespace.applied:
        pieces = _attempt(lambda: applied_manifests(sources.namespace.applied), evidence, "manifests")
        evidence.pieces += pieces or []
    if sources.api is None:
        return
    api, namespace = sources.api, sources.namespace.name
    asked: list[tuple[str, Callable[[], Iterator[Piece]]]] = [
        ("events", lambda: events(api, namespace)),
        ("pod-logs", lambda: pod_logs(api, namespace)),
        ("objects", lambda: namespace_objects(api, namespace)),
    ]
    for what, ask in asked:
        # An API server that is out of reach is asked once: each try waits for it to come back.
        pieces = _attempt(partial(_all, ask), evidence, what)
        if pieces is None:
            return
        evidence.pieces += pieces


def _all(ask: Callable[[], Iterator[Piece]]) -> list[Piece]:
    return list(ask())


def _attempt(ask: Callable[[], Any], evidence: Evidence, what: str) -> Any:
    """Ask, or leave a piece that says why it could not be had."""
    try:
        return ask()
    except Exception as error:  # whatever it is, the scenario's own failure matters more
        said = f"could not be gathered: {type(error).__name__}: {error}\n"
        evidence.pieces.append(Piece(f"Missing: {what}", f"missing-{what}.txt", said))
        return None
