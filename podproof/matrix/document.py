"""The matrix as a document: what `matrix.json` holds, and what all other outputs are made of.

Its shape is published in `matrix.schema.json` beside this module; what does not fit is not written.
"""

from __future__ import annotations

import itertools
import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

import podproof
from podproof.cluster.embedded import versions
from podproof.errors import PodproofError, UsageError
from podproof.matrix import changes, times
from podproof.matrix.trials import Trial

SCHEMA_VERSION = 1
"""Raised when a reader of the older shape would misread the newer one."""
SCHEMA = Path(__file__).with_name("matrix.schema.json")

_RECOVERY = "recovery"
_PICTURE = "Picture"
"""What the report calls the picture of a scenario's timeline."""


def build(
    trials: Sequence[Trial],
    directory: Path,
    *,
    command: Sequence[str],
    started: datetime,
    ended: datetime,
    ended_early: str = "",
    baseline: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Put what is known of all targets into one document.

    Args:
        trials: Of the targets in their order, those that could not be tried included.
        directory: Where the document will lie; paths in it are relative to that.
        command: What was called.
        started: When the matrix began; when it was resumed, the first time.
        ended: When its last target was over.
        ended_early: Why not all targets were tried.
        baseline: A matrix of an earlier day to compare with.
    """
    columns = [_column(each, directory) for each in trials]
    compared, found = _comparisons(columns, baseline)
    tests = max((each["times"] + each["too_few"] for each in compared), default=0)
    document = {
        "schema": SCHEMA_VERSION,
        "podproof": podproof.__version__,
        "command": list(command),
        "started": started.isoformat(timespec="seconds"),
        "ended": ended.isoformat(timespec="seconds"),
        "complete": not ended_early,
        "ended_early": ended_early,
        "samples": max((each.options.samples for each in trials), default=1),
        "needed_samples": times.needed(tests),
        "machine": _machine(),
        "targets": [{key: value for key, value in each.items() if key != "cells"} for each in columns],
        "claims": _claims(columns, trials),
        "comparisons": compared,
        "changes": found,
    }
    document["outcome"] = _outcome(document)
    return document


def validate(document: Mapping[str, Any]) -> None:
    """Check a document against the published schema.

    Raises:
        jsonschema.ValidationError: It does not fit.
    """
    import jsonschema  # who only asks for help does not wait for it

    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))


def write(document: Mapping[str, Any], path: Path) -> None:
    """Check the document and write it, whole or not at all."""
    validate(document)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.replace(path)


def read(path: Path) -> dict[str, Any]:
    """Read a matrix that was saved.

    Raises:
        UsageError: It is none.
    """
    import jsonschema

    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        validate(document)
    except OSError as error:
        raise UsageError(f"the baseline {path} cannot be read: {error.strerror}") from None
    except (ValueError, jsonschema.ValidationError) as error:
        said = getattr(error, "message", str(error)).splitlines()[0][:200]
        raise UsageError(f"{path} is no matrix of this podproof: {said}") from None
    return document


def _machine() -> str:
    memory = round(psutil.virtual_memory().total / 2**30)
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    return f"{psutil.cpu_count()} cores, {memory} GiB, {system}"


def _column(trial: Trial, directory: Path) -> dict[str, Any]:
    """A target in the shape of the schema, with its `cells`."""
    target, results = trial.target, trial.results
    cluster = results.get("cluster", {})
    here = f"targets/{target.directory}"
    timelines = _timelines(directory, here)
    return {
        "target": target.asked,
        "name": target.name,
        "kind": target.kind,
        "status": "tried" if results else "not tried",
        "why": trial.why_not or results.get("ended_early", ""),
        "version": cluster.get("version", ""),
        "components": target.components,
        "flags": list(target.flags),
        "suite": {"commit": trial.suite.commit, "fingerprint": trial.suite.fingerprint},
        "results": f"{here}/verdicts.json" if results else "",
        "started": trial.started,
        "ended": trial.ended,
        "seconds": trial.seconds,
        "build_seconds": trial.build_seconds,
        "nodes": cluster.get("nodes", []),
        "settings": cluster.get("settings", {}),
        "capabilities": cluster.get("capabilities", {}),
        "api_warnings": results.get("api_warnings", []),
        "reproduce": list(trial.reproduce),
        "cells": {claim["slug"]: _cell(claim, timelines) for claim in results.get("claims", [])},
    }


def _timelines(directory: Path, here: str) -> dict[str, str]:
    """The picture of each scenario's timeline, by node id, as the report of the run has it."""
    found = {}
    for file in (directory / here).glob("run/allure-results/*-result.json"):
        try:
            result = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # a run that was killed may have left half of it: the results are elsewhere
        for attachment in result.get("attachments", ()):
            if attachment["name"] == _PICTURE:
                found[result["fullName"]] = f"{here}/run/allure-results/{attachment['source']}"
    return found


def _cell(claim: Mapping[str, Any], timelines: Mapping[str, str]) -> dict[str, Any]:
    samples = [
        seconds
        for (_, name), taken in times.samples_of(claim["scenarios"]).items()
        if name.split()[0] == _RECOVERY
        for seconds in taken
    ]
    kept = ("title", "nodeid", "kind", "outcome", "reason", "seconds", "steps", "watched", "measurements")
    return {
        "verdict": claim["verdict"],
        "why": claim["why"],
        "limits": claim["limits"],
        "changes": claim["changes"],
        "recovery": changes.spread(samples) if samples else None,
        "scenarios": [
            {**{key: each[key] for key in kept}, "timeline": timelines.get(each["nodeid"], "")}
            for each in claim["scenarios"]
        ],
    }


def _claims(columns: Sequence[Mapping[str, Any]], trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """Every claim that a target has results for, in the order of the features."""
    known: dict[str, Mapping[str, Any]] = {}
    for trial in trials:
        for claim in trial.results.get("claims", ()):
            known.setdefault(claim["slug"], claim)
    return [
        {
            **{key: claim[key] for key in ("slug", "sentence", "feature", "file")},
            "cells": [column["cells"].get(slug) for column in columns],
        }
        for slug, claim in known.items()
    ]


def _columns_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The targets of a document with their cells, as `_column` gives them."""
    return [
        {**target, "cells": {c["slug"]: c["cells"][index] for c in document["claims"] if c["cells"][index]}}
        for index, target in enumerate(document["targets"])
    ]


def _comparisons(
    columns: Sequence[Mapping[str, Any]], baseline: Mapping[str, Any] | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Each target with the one before it, and with its like in the baseline."""
    tried = [each for each in columns if each["status"] == "tried"]
    pairs = [(earlier, later, False) for earlier, later in itertools.pairwise(tried)]
    if baseline is not None and tried:
        saved = [each for each in _columns_of(baseline) if each["status"] == "tried"]
        pairs = [*_with_baseline(saved, tried), *pairs]
    compared, found = [], []
    for before, after, of_baseline in pairs:
        what, differences = changes.compare(before, after, baseline=of_baseline)
        compared.append(what)
        found += differences
    return compared, found


def _with_baseline(
    saved: Sequence[Mapping[str, Any]], tried: Sequence[Mapping[str, Any]]
) -> list[tuple[Mapping[str, Any], Mapping[str, Any], bool]]:
    """Targets of one name; else the first one with the newest older version, or the last that was saved."""
    by_name = {each["name"]: each for each in saved}
    same = [(by_name[each["name"]], each, True) for each in tried if each["name"] in by_name]
    if same or not saved:
        return same
    first = tried[0]
    try:
        version = versions.parse(first["version"])
        older = [each for each in saved if versions.parse(each["version"]) <= version]
        nearest = max(older, key=lambda each: versions.parse(each["version"]), default=saved[-1])
    except PodproofError:
        nearest = saved[-1]  # a cluster that calls its version something else
    return [(nearest, first, True)]


def _outcome(document: Mapping[str, Any]) -> dict[str, Any]:
    """The exit status, and what it means here, in one line."""
    worse = [each for each in document["changes"] if each["direction"] == "worse"]
    if worse:
        first = worse[0]
        more = f", and {len(worse) - 1} more" if len(worse) > 1 else ""
        about = f"{first['claim']} became worse: " if first["claim"] else "worse: "
        text = f"{about}{first['was']} on {first['before']}, {first['is']} on {first['after']}{more}"
        return {"status": 1, "text": text}
    if doubts := _doubts(document):
        return {"status": 2, "text": f"could not tell: {'; '.join(doubts)}"}
    left_out = sum(
        each["outcome"] == "NOT RUN"
        for claim in document["claims"]
        for cell in claim["cells"] if cell
        for each in cell["scenarios"]
    )  # fmt: skip
    but = f", as far as scenarios were run: {left_out} were left out" if left_out else ""
    nothing = "" if document["comparisons"] else "; there was nothing to compare with"
    return {"status": 0, "text": f"no claim became worse{but}{nothing}"}


def _doubts(document: Mapping[str, Any]) -> list[str]:
    doubts = [
        f"{each['name']} was not tried: {each['why']}"
        for each in document["targets"]
        if each["status"] == "not tried"
    ]
    for index, target in enumerate(document["targets"]):
        unproven = [
            claim["slug"]
            for claim in document["claims"]
            if (cell := claim["cells"][index])
            and any(each["outcome"] == "NOT PROVEN" for each in cell["scenarios"])
        ]
        if unproven:
            doubts.append(f"NOT PROVEN on {target['name']}: {', '.join(unproven)}")
        if target["status"] == "tried" and target["why"]:
            doubts.append(f"{target['name']} ended early: {target['why']}")
    if document["ended_early"]:
        doubts.append(document["ended_early"])
    return doubts
