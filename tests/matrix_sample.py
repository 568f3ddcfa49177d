"""A matrix as it comes out of several versions: ten claims of four subjects, and a change of each kind."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from podproof.reporting.timeline_picture import StepSpan, picture

VERSIONS = ("1.32.12", "1.33.13", "1.34.9", "1.35.6", "1.36.3", "1.37.2")
LACKING = "1.36.3"
"""The version that was not tried."""
SAMPLES = 8
NEEDED = 6
LAST = VERSIONS[-1]

# Subject, slug, sentence, titles of what supports it, of its limits, and about how long a recovery takes.
_CLAIMS: tuple[tuple[str, str, str, tuple[str, ...], tuple[str, ...], float], ...] = (
    (
        "Pods",
        "pod-one-container",
        "A Pod with just one Container works",
        ("It runs, serves and ends",),
        (),
        0,
    ),
    (
        "Pods",
        "pods-do-not-heal",
        "Pods themselves don't autoscale, self-heal or roll out",
        ("A Pod without a controller that is deleted stays lost",),
        ("A Container that crashes is started again in the same Pod",),
        1.6,
    ),
    (
        "Pods",
        "new-pod-to-upgrade-or-fix",
        "Upgrading and fixing both mean a brand-new Pod",
        ("What a Deployment upgrades has another identity",),
        ("A new image of a Pod without a controller keeps the Pod", "Resizing in place keeps the Pod"),
        1.9,
    ),
    (
        "ReplicaSets",
        "replicaset-identical-pods",
        "A ReplicaSet manages several identical Pods",
        ("A Pod that no longer matches is let go and replaced",),
        (),
        2.0,
    ),
    (
        "ReplicaSets",
        "replicaset-self-heals",
        "When a Pod is unhealthy or unreachable the ReplicaSet starts a brand-new Pod",
        ("A Pod that is deleted is replaced", "A Pod whose Node is powered off is replaced"),
        ("A Container that fails its liveness check is started again in the same Pod",),
        2.6,
    ),
    (
        "ReplicaSets",
        "replicaset-autoscales",
        "A ReplicaSet handles autoscaling",
        ("With an autoscaler it grows under load",),
        ("Without one the same load changes nothing",),
        28.0,
    ),
    (
        "Volumes",
        "shared-volume",
        "Containers that mount a Volume see and interact with the same files",
        ("What one writes the other reads",),
        (),
        0,
    ),
    (
        "Volumes",
        "volume-survives-container-restart",
        "The replacement Container has the same Volume with all changes",
        ("After a crash", "After running out of memory"),
        (),
        1.8,
    ),
    (
        "Communication",
        "service-is-dns-entry",
        "A Service behaves like a DNS entry",
        ("Its short and its full name resolve",),
        (),
        0,
    ),
    (
        "Communication",
        "service-is-firewall-rule",
        "A Service behaves somewhat like a firewall rule",
        ("Only declared ports are forwarded",),
        ("A NetworkPolicy closes the Pods' own addresses", "It does not close the Pods' own addresses"),
        0,
    ),
)
# Where a column differs from what is usual: outcome and reason, by slug, scenario's position, first column.
_OUTCOMES: dict[tuple[str, int, int | str], tuple[str, str]] = {
    ("pods-do-not-heal", 0, 1): ("FALSE", "expected that no Pod comes, observed Pod web-2 <Running>"),
    ("new-pod-to-upgrade-or-fix", 2, 0): ("FALSE", "expected the same Pod, observed that it is refused"),
    ("new-pod-to-upgrade-or-fix", 2, 1): ("TRUE", ""),
    ("replicaset-autoscales", 0, 0): ("NOT PROVEN", "no metrics after 60 s"),
    ("replicaset-autoscales", 0, 1): ("TRUE", ""),
    ("volume-survives-container-restart", 1, LAST): ("NOT PROVEN", "the Node was not Ready"),
    ("service-is-firewall-rule", 1, 0): ("NOT APPLICABLE", "no NetworkPolicies are enforced"),
}
_SLOWER = "replicaset-self-heals"
_FASTER = "replicaset-identical-pods"


def sample(targets: int = 3) -> dict[str, Any]:
    """A matrix of 3 or of 6 targets, of which the last but one of all was not tried."""
    names = VERSIONS if targets == len(VERSIONS) else ("1.35.6", LACKING, "1.37.2")
    columns = [name for name in names if name != LACKING]
    claims = [_claim(claim, names, columns) for claim in _CLAIMS]
    comparisons = [
        {
            "before": before,
            "after": after,
            "baseline": False,
            "times": 9,
            "too_few": 1 if after == LAST else 0,
        }
        for before, after in pairwise(columns)
    ]
    return {
        "schema": 1,
        "podproof": "0.1.0",
        "command": ["podproof", "matrix", *(name.rpartition(".")[0] for name in names)],
        "started": "2026-11-26T04:30:58.120+00:00",
        "ended": "2026-11-26T09:12:03.402+00:00",
        "complete": False,
        "ended_early": f"{LACKING} could not be built",
        "samples": SAMPLES,
        "needed_samples": NEEDED,
        "machine": "8 cores, 32 GiB, Debian 13",
        "targets": [_target(name) for name in names],
        "claims": claims,
        "comparisons": comparisons,
        "changes": _changes(claims, names, columns),
        "outcome": {"status": 1, "text": f"2 became worse between {columns[0]} and {columns[1]}"},
    }


def write_timelines(document: dict[str, Any], directory: Path) -> None:
    """Write the files of all timelines of a matrix."""
    for claim in document["claims"]:
        for cell in filter(None, claim["cells"]):
            for scenario in cell["scenarios"]:
                path = directory / scenario["timeline"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(_picture(scenario), encoding="utf-8")


def _picture(scenario: dict[str, Any]) -> str:
    lives = [(0.5, "a", "ADDED", "pending"), (1.2, "a", "MODIFIED", "ready"), (4, "b", "ADDED", "pending")]
    rows = [
        {
            "seconds": seconds,
            "kind": "Pod",
            "name": f"web-{name}",
            "uid": name,
            "type": change,
            "facts": {"state": state, "leaving": False, "node": "node-1", "restarts": 0},
        }
        for seconds, name, change, state in [*lives, (6, "b", "MODIFIED", "ready")]
    ]
    drawn = picture(scenario["title"], rows, [StepSpan("When", scenario["steps"][1]["text"], 3.5, 3.6)])
    assert drawn
    return drawn


def _target(name: str) -> dict[str, Any]:
    tried = name != LACKING
    minor = name.rpartition(".")[0]
    period = "1s" if name == LAST else "2s"
    return {
        "target": minor,
        "name": name,
        "kind": "version",
        "status": "tried" if tried else "not tried",
        "why": ""
        if tried
        else "building kube-apiserver failed: go: download of go1.26 timed out after 600 s",
        "version": f"v{name}" if tried else "",
        "components": "build",
        "flags": ["kube-apiserver.feature-gates=<A>&B"] if tried else [],
        "suite": {"commit": "beaff3f62c98fbe1ca5992284f303c1906245c50", "fingerprint": "5d618020aa7506bc"},
        "results": f"{name}/verdicts.json" if tried else "",
        "started": "2026-11-26T04:31:40.000+00:00" if tried else "",
        "ended": "2026-11-26T05:20:12.000+00:00" if tried else "",
        "seconds": 2912.4 if tried else 0,
        "build_seconds": 412.0,
        "nodes": [{"name": "node-1", "version": f"v{name}", "victim": False}] if tried else [],
        "settings": {
            "node-monitor-period": {
                "value": period,
                "origin": "kube-controller-manager, /configz",
                "assumed": False,
            },
            "metric-resolution": {"value": "15s", "origin": "its documented default", "assumed": True},
        }
        if tried
        else {},
        "capabilities": {
            "Pods that can be resized in place": True,
            "NetworkPolicies that are enforced": False,
        }
        if tried
        else {},
        "api_warnings": ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"]
        if tried
        else [],
        "reproduce": [f"podproof up --version {name}", "pytest features/ --repeat 8"] if tried else [],
    }


def _claim(
    claim: tuple[str, str, str, tuple[str, ...], tuple[str, ...], float],
    names: Sequence[str],
    columns: Sequence[str],
) -> dict[str, Any]:
    subject, slug, sentence, supports, limits, recovery = claim
    cells: list[dict[str, Any] | None] = []
    for name in names:
        if name not in columns:
            cells.append(None)
            continue
        column = columns.index(name)
        scenarios = [
            _scenario(
                slug, title, "support" if place < len(supports) else "limit", place, name, column, recovery
            )
            for place, title in enumerate([*supports, *limits])
        ]
        cells.append(_cell(scenarios))
    file = f"features/{subject.lower()}.feature"
    return {"slug": slug, "sentence": sentence, "feature": subject, "file": file, "cells": cells}


def _cell(scenarios: list[dict[str, Any]]) -> dict[str, Any]:
    outcomes = {
        kind: [each["outcome"] for each in scenarios if each["kind"] == kind] for kind in ("support", "limit")
    }
    proven = [each["title"] for each in scenarios if each["kind"] == "limit" and each["outcome"] == "TRUE"]
    if "FALSE" in outcomes["support"]:
        verdict, why = "FALSE", "the cluster did something else"
    elif "NOT PROVEN" in outcomes["support"] + outcomes["limit"]:
        verdict, why = "NOT PROVEN", "the trial itself failed"
    else:
        verdict, why = ("TRUE WITHIN LIMITS" if proven else "TRUE"), "its supporting scenarios held"
    times = [each for each in scenarios if each["measurements"]]
    medians = [each["measurements"][0]["median"] for each in times]
    return {
        "verdict": verdict,
        "why": why,
        "limits": proven,
        "changes": [
            each["title"] for each in scenarios if each["kind"] == "limit" and each["outcome"] == "FALSE"
        ],
        "recovery": {"count": len(medians), "median": statistics.median(medians), "samples": medians}
        if medians
        else None,
        "scenarios": scenarios,
    }


def _scenario(
    slug: str, title: str, kind: str, place: int, name: str, column: int, recovery: float
) -> dict[str, Any]:
    outcome, reason = "TRUE", ""
    columns = [*range(column + 1), *([LAST] if name == LAST else [])]
    for first in columns:
        outcome, reason = _OUTCOMES.get((slug, place, first), (outcome, reason))
    steps = [
        ("Given", "a Deployment of 3 Ready Pods"),
        ("When", "one of its Pods is deleted"),
        ("Then", title),
    ]
    failed = outcome in ("FALSE", "NOT PROVEN")
    measured = [_measurement(slug, place, column, recovery)] if recovery and kind == "support" else []
    return {
        "title": title,
        "nodeid": f"features/x.feature::test_{slug.replace('-', '_')}[{place}]",
        "kind": kind,
        "outcome": outcome,
        "reason": reason,
        "seconds": 16.12,
        "steps": [
            {
                "keyword": keyword,
                "text": text,
                "line": 12 + line,
                "status": "failed" if failed and keyword == "Then" else "passed",
                "seconds": 0.6 + line,
            }
            for line, (keyword, text) in enumerate(steps)
        ],
        "watched": [{"what": "no more Pods than are wanted", "seconds": 6.05}] if measured else [],
        "measurements": measured,
        "timeline": f"{name}/evidence/{slug}-{place}/picture.svg",
    }


def _measurement(slug: str, place: int, column: int, usual: float) -> dict[str, Any]:
    drawn = random.Random(f"{slug} {place} {column}")  # noqa: S311  # samples, no secrets
    factor = 1.0
    if column and slug == _SLOWER and place == 0:
        factor = 1.9
    elif column and slug == _FASTER:
        factor = 0.6
    samples = [round(usual * factor * drawn.uniform(0.9, 1.12), 3) for _ in range(SAMPLES)]
    ordered = sorted(samples)
    return {
        "name": "recovery",
        "seconds": statistics.median(samples),
        "bound": max(6.0, usual * 2),
        "origin": "controllers are driven by events + upstream's Pod start-up objective",
        "samples": samples,
        "minimum": ordered[0],
        "median": statistics.median(samples),
        "p95": ordered[-1],
        "maximum": ordered[-1],
    }


def _changes(
    claims: list[dict[str, Any]], names: Sequence[str], columns: Sequence[str]
) -> list[dict[str, Any]]:
    before, after = columns[:2]

    def change(kind: str, direction: str, claim: str, *told: str, time: Any = None) -> dict[str, Any]:
        what, was, now = told
        late = direction == "unknown" or kind == "setting"
        pair = dict(zip(("before", "after"), columns[-2:] if late else columns[:2], strict=True))
        return {
            **pair,
            "baseline": False,
            "kind": kind,
            "direction": direction,
            "claim": claim,
            "what": what,
            "was": was,
            "is": now,
            "time": time,
        }

    def time(direction: str, slug: str) -> dict[str, Any]:
        cells = next(each["cells"] for each in claims if each["slug"] == slug)
        taken = [cells[names.index(name)]["scenarios"][0] for name in (before, after)]
        old, new = (
            {"count": SAMPLES, "median": each["median"], "samples": each["samples"]}
            for each in (scenario["measurements"][0] for scenario in taken)
        )
        ratio = new["median"] / old["median"]
        tested = {"ratio": ratio, "effect": 1.0 if ratio > 1 else -1.0, "p": 0.00016, "p_adjusted": 0.0014}
        told = (f"recovery of: {taken[0]['title']}", f"{old['median']:.2f} s", f"{new['median']:.2f} s")
        more = {
            "scenario": taken[0]["nodeid"],
            "measurement": "recovery",
            "before": old,
            "after": new,
            **tested,
        }
        return change("time", direction, slug, *told, time=more)

    return [
        change("verdict", "worse", "pods-do-not-heal", "verdict", "TRUE WITHIN LIMITS", "FALSE"),
        change("verdict", "better", "replicaset-autoscales", "verdict", "NOT PROVEN", "TRUE WITHIN LIMITS"),
        change("verdict", "unknown", "volume-survives-container-restart", "verdict", "TRUE", "NOT PROVEN"),
        change(
            "limit", "other", "new-pod-to-upgrade-or-fix", "Resizing in place keeps the Pod", "FALSE", "TRUE"
        ),
        change(
            "scenario",
            "unknown",
            "volume-survives-container-restart",
            "After running out of memory",
            "TRUE",
            "NOT PROVEN",
        ),
        time("worse", _SLOWER),
        time("better", _FASTER),
        change("capability", "other", "", "Pods that can be resized in place", "no", "yes"),
        change("warning", "other", "", "v1 Endpoints is deprecated in v1.33+", "absent", "present"),
        change("setting", "other", "", "node-monitor-period", "2s", "1s"),
    ]
