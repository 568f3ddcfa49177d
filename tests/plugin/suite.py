"""A suite of features in a directory of its own, for the plugin to run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

INI = """
[pytest]
addopts = --strict-markers --strict-config -ra -p no:cacheprovider
filterwarnings =
    error
    # The tests' own process has these modules already.
    ignore:Module already imported:pytest.PytestAssertRewriteWarning
markers =
    limit: proves where a claim ends
    slow: takes long
    half-a-minute: takes not so long
    victim-node: strikes a Node
    numbers-are-equal: Claim: Every number is itself
    nothing-fails: Claim: Nothing ever fails
"""


class Suite:
    """A suite of features in a directory of its own."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.root = pytester.path
        pytester.makeini(INI)
        pytester.makeconftest((Path(__file__).parent / "standin.py").read_text(encoding="utf-8"))

    def add_to_conftest(self, code: str) -> None:
        """Write more code at the end of the suite's conftest."""
        path = self.root / "conftest.py"
        path.write_text(path.read_text(encoding="utf-8") + code, encoding="utf-8")

    def feature(self, name: str, text: str) -> None:
        """Write a feature file."""
        path = self.root / "features" / f"{name}.feature"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def rule(self, scenarios: str, name: str = "numbers", claim: str = "numbers-are-equal") -> None:
        """Write a feature of one claim; the first line of `scenarios` is the file's line 5."""
        head = f"Feature: Numbers\n\n  @{claim}\n  Rule: About numbers\n"
        self.feature(name, head + scenarios)

    def run(self, *args: str) -> pytest.RunResult:
        """Run pytest in this process."""
        return self.pytester.runpytest_inprocess(*args)

    def run_apart(self, *args: str) -> pytest.RunResult:
        """Run pytest in a process of its own, as workers and signals need it."""
        return self.pytester.runpytest_subprocess("-W", "error", *args, timeout=60)

    @property
    def calls(self) -> list[str]:
        """What was asked of the cluster."""
        path = self.root / "calls.txt"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    @property
    def verdicts(self) -> dict[str, Any]:
        """The results file of the latest run."""
        data: dict[str, Any] = json.loads((self.root / "reports/latest/verdicts.json").read_text("utf-8"))
        return data

    def outcomes(self) -> dict[str, str]:
        """Outcome by title, from the results file."""
        return {
            each["title"]: each["outcome"] for claim in self.verdicts["claims"] for each in claim["scenarios"]
        }

    def allure(self) -> list[dict[str, Any]]:
        """All Allure results."""
        found = (self.root / "reports/allure-results").glob("*-result.json")
        return [json.loads(path.read_text("utf-8")) for path in found]
