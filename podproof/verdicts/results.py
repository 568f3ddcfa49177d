"""The results file: everything that came out of a run, for other programs to read.

Its shape is published in `verdicts.schema.json` beside this module; what does not fit is not written.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import podproof
from podproof.verdicts.claims import ClaimVerdict
from podproof.verdicts.lateness import Lateness
from podproof.verdicts.measurements import Measurement
from podproof.verdicts.scenarios import ScenarioResult

SCHEMA_VERSION = 1
"""Raised when a reader of the older shape would misread the newer one."""
SCHEMA = Path(__file__).with_name("verdicts.schema.json")


@dataclass(frozen=True)
class SettingFact:
    """A setting of the cluster: its value, where it was read, and whether it is assumed."""

    value: str
    origin: str
    assumed: bool


@dataclass(frozen=True)
class NodeFact:
    """A Node: its name, its kubelet's version, and whether Node faults may strike it."""

    name: str
    version: str
    victim: bool


@dataclass(frozen=True)
class ClusterFacts:
    """The cluster as it was when the run began."""

    name: str
    provider: str
    version: str
    context: str
    nodes: tuple[NodeFact, ...] = ()
    settings: Mapping[str, SettingFact] = field(default_factory=dict)

    @classmethod
    def none(cls) -> ClusterFacts:
        """No cluster could be had."""
        return cls(name="", provider="", version="", context="")


@dataclass(frozen=True)
class RunFacts:
    """The run itself.

    Attributes:
        command: What was called.
        root: The directory of the suite.
        ended_early: Why not everything selected was run; empty if it was.
    """

    command: Sequence[str]
    root: Path
    started: datetime
    ended: datetime
    ended_early: str = ""


def results_document(run: RunFacts, cluster: ClusterFacts, claims: Sequence[ClaimVerdict]) -> dict[str, Any]:
    """Put a run's results into the shape of the schema."""
    scenarios = [result for claim in claims for result in claim.scenarios]
    return {
        "schema": SCHEMA_VERSION,
        "podproof": podproof.__version__,
        "suite_commit": suite_commit(run.root),
        "command": list(run.command),
        "started": run.started.isoformat(timespec="milliseconds"),
        "ended": run.ended.isoformat(timespec="milliseconds"),
        "complete": not run.ended_early,
        "ended_early": run.ended_early,
        "cluster": {
            "name": cluster.name,
            "provider": cluster.provider,
            "version": cluster.version,
            "context": cluster.context,
            "nodes": [asdict(node) for node in cluster.nodes],
            "settings": {name: asdict(setting) for name, setting in cluster.settings.items()},
            "capabilities": {
                name: found for result in scenarios for name, found in sorted(result.capabilities.items())
            },
        },
        "api_retries": sum(result.details.get("api_retries", 0) for result in scenarios),
        "api_warnings": list(dict.fromkeys(text for result in scenarios for text in result.api_warnings)),
        "recording": _recording(lateness(claims)),
        "claims": [claim_document(claim) for claim in claims],
    }


def lateness(claims: Sequence[ClaimVerdict]) -> Lateness:
    """How late the recordings of all scenarios were."""
    return Lateness.of(late for claim in claims for result in claim.scenarios for late in result.lateness)


def write_results(path: Path, document: Mapping[str, Any]) -> None:
    """Check the document against the schema and write it, whole or not at all.

    Raises:
        jsonschema.ValidationError: It does not fit, which is a defect of podproof.
        OSError: It could not be written.
    """
    validate(document)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with unfinished.open("w", encoding="utf-8") as file:
        json.dump(document, file, indent=2, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def validate(document: Mapping[str, Any]) -> None:
    """Check a document against the published schema.

    Raises:
        jsonschema.ValidationError: It does not fit.
    """
    import jsonschema  # only the controller, once, needs it: runners stay small

    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))


def suite_commit(root: Path) -> str:
    """The commit of the suite, with `-dirty` if it was changed since; empty outside of git."""
    git = shutil.which("git")
    if git is None:
        return ""
    asked = subprocess.run(
        [git, "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() if asked.returncode == 0 else ""


def claim_document(claim: ClaimVerdict) -> dict[str, Any]:
    """A claim in the shape of the schema."""
    return {
        "slug": claim.slug,
        "sentence": claim.sentence,
        "feature": claim.feature,
        "file": claim.file,
        "verdict": str(claim.verdict),
        "why": claim.why,
        "limits": list(claim.limits),
        "changes": list(claim.changes),
        "partial": claim.partial,
        "slowest_recovery": claim.slowest_recovery,
        "scenarios": [_scenario(result) for result in claim.scenarios],
    }


def _scenario(result: ScenarioResult) -> dict[str, Any]:
    data = result.to_json()
    plan = data.pop("plan")
    del data["api_warnings"]  # the run lists them, each once
    del data["lateness"]  # the run sums it up
    del data["capabilities"]  # they are the cluster's
    data["watched"] = [{"what": what, "seconds": seconds} for what, seconds in result.watched]
    outcomes = data.pop("outcomes") or [data["outcome"]]
    data["measurements"] = [_measurement(each) for each in result.measurements]
    return {
        "title": plan["title"],
        "nodeid": plan["nodeid"],
        "file": plan["file"],
        "line": plan["line"],
        "kind": plan["kind"],
        "example": plan["example"],
        "repetitions": {"count": len(outcomes), "outcomes": outcomes},
        **data,
    }


def _measurement(taken: Measurement) -> dict[str, Any]:
    spread = taken.spread
    return {
        "name": taken.name,
        "seconds": taken.seconds,
        "bound": taken.bound,
        "origin": taken.origin,
        "samples": list(spread.samples),
        "minimum": spread.minimum,
        "median": spread.median,
        "p95": spread.p95,
        "maximum": spread.maximum,
    }


def _recording(late: Lateness) -> dict[str, Any]:
    spread = late.spread
    return {
        "samples": late.samples,
        "median": spread.median if spread else None,
        "p99": spread.p99 if spread else None,
        "maximum": spread.maximum if spread else None,
        "why_unknown": late.why_unknown,
    }
