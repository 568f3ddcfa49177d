"""One Allure report of a whole matrix: a target for each of its environments, and history over matrices."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from podproof.reporting.html import SETTINGS, generate

_LONGEST_NAME = 64
"""Letters that Allure allows in an environment's name."""

_LABEL = "target"
"""By which Allure tells the targets' results apart."""


def collect(document: Mapping[str, Any], directory: Path) -> Path:
    """Put the results of all targets together, each with its target's name; returns where.

    Args:
        document: The matrix.
        directory: Where it lies.
    """
    together = directory / "allure-results"
    shutil.rmtree(together, ignore_errors=True)
    together.mkdir()
    for target in document["targets"]:
        if target["status"] != "tried":
            continue
        for file in (directory / target["results"]).parent.glob("run/allure-results/*"):
            if file.name.endswith("-result.json"):
                result = json.loads(file.read_text(encoding="utf-8"))
                result["labels"] = [*result.get("labels", ()), {"name": _LABEL, "value": target["name"]}]
                (together / file.name).write_text(json.dumps(result), encoding="utf-8")
            elif re.search(r"-(attachment|container)\b", file.name):
                shutil.copyfile(file, together / file.name)
    return together


def render(document: Mapping[str, Any], directory: Path, allure: Path) -> Path:
    """Render the report into `allure-report/`; returns the file to open.

    Raises:
        UsageError: Allure is not installed.
        PodproofError: It failed.
    """
    results = collect(document, directory)
    return generate(results, directory / "allure-report", allure, _settings(document, directory))


def _settings(document: Mapping[str, Any], directory: Path) -> str:
    """Allure's configuration; only JavaScript can say which result belongs to which environment."""
    names = [each["name"] for each in document["targets"] if each["status"] == "tried"]
    settings = {
        **SETTINGS,
        "name": f"podproof: {' and '.join(names)}",
        "hideLabels": [*SETTINGS["hideLabels"], _LABEL],
        "historyPath": str((directory / "allure-history.jsonl").absolute()),
        "appendHistory": True,
    }
    environments = ",".join(_environment(number, name) for number, name in enumerate(names, 1))
    return f"export default {{...{json.dumps(settings)}, environments: {{{environments}}}}};"


def _environment(number: int, name: str) -> str:
    ours = f"each.name === {json.dumps(_LABEL)} && each.value === {json.dumps(name)}"
    shown = json.dumps(name[:_LONGEST_NAME])
    return f'"target-{number}": {{name: {shown}, matcher: ({{labels}}) => labels.some((each) => {ours})}}'
