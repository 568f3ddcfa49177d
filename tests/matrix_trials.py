"""Trials of a matrix as they come out of real runs, made of results that a test chooses."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from podproof.matrix.suite import Suite
from podproof.matrix.targets import Target
from podproof.matrix.trials import Options, Trial
from podproof.verdicts.claims import judge_all
from podproof.verdicts.measurements import Measurement
from podproof.verdicts.results import ClusterFacts, RunFacts, SettingFact, results_document
from podproof.verdicts.scenarios import Kind, Outcome, ScenarioPlan, ScenarioResult

STARTED = datetime(2026, 11, 26, 4, tzinfo=UTC)


def scenario(
    claim: str,
    outcome: Outcome = Outcome.TRUE,
    *,
    title: str = "It holds",
    kind: Kind = Kind.SUPPORT,
    reason: str = "",
    recovery: Sequence[float] = (),
    capabilities: Mapping[str, bool] | None = None,
    warnings: Sequence[str] = (),
) -> ScenarioResult:
    """What came out of one scenario."""
    file = "features/pods.feature"
    plan = ScenarioPlan(
        nodeid=f"{file}::test_{claim}_{title}".replace(" ", "_").lower(),
        file=file,
        line=1,
        title=title,
        feature="Pods",
        claim=claim,
        sentence=f"The claim {claim}",
        rule=claim,
        kind=kind,
    )
    taken = Measurement("recovery", recovery[0], 10.0, "a bound", tuple(recovery)) if recovery else None
    return ScenarioResult(
        plan,
        outcome,
        reason=reason,
        started=STARTED.isoformat(),
        seconds=3.0,
        measurements=(taken,) if taken else (),
        capabilities=dict(capabilities or {}),
        api_warnings=tuple(warnings),
    )


def results(
    version: str, scenarios: Sequence[ScenarioResult], settings: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A results file of a run."""
    facts = ClusterFacts(
        name="matrix",
        provider="embedded",
        version=f"v{version}",
        context="podproof-matrix",
        settings={
            name: SettingFact(value, "/configz", assumed=False) for name, value in (settings or {}).items()
        },
    )
    run = RunFacts(["pytest", "features/"], Path(), STARTED, STARTED)
    return results_document(run, facts, judge_all(scenarios))


def trial(
    version: str,
    *scenarios: ScenarioResult,
    name: str = "",
    settings: Mapping[str, str] | None = None,
    fingerprint: str = "0123456789abcdef",
    samples: int = 1,
) -> Trial:
    """A target that was tried."""
    target = Target(name or version, name or version, "version", version=version, components="build")
    return Trial(
        target,
        Options(samples=samples),
        Suite("a" * 40, fingerprint),
        started=STARTED.isoformat(timespec="milliseconds"),
        ended=STARTED.isoformat(timespec="milliseconds"),
        seconds=400.0,
        reproduce=("pytest features/",),
        results=results(version, scenarios, settings),
    )


def untried(asked: str, why_not: str) -> Trial:
    """A target that could not be tried."""
    return replace(trial("1.99.0"), target=Target(asked, asked, "version"), why_not=why_not, results={})
