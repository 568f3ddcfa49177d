"""Trying one target: the suite runs on it, in a process of its own, and its results are kept.

Everything of a trial lies in a directory of its own, `targets/<name>/`: pytest's reports of the first run
under `run/`, those of the repetitions under `samples/`, what pytest said in `pytest.log`, and, once it is
over, `trial.json` and `verdicts.json`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from podproof import interruption
from podproof.cluster.embedded.progress import Report
from podproof.errors import PodproofError
from podproof.matrix import times
from podproof.matrix.suite import Suite
from podproof.matrix.targets import Target
from podproof.verdicts.claims import judge_all
from podproof.verdicts.reading import scenario_results
from podproof.verdicts.repetitions import combine
from podproof.verdicts.results import claim_document, write_results
from podproof.verdicts.scenarios import Outcome, ScenarioResult

CLUSTER = "matrix"
"""The name of the embedded cluster that versions are tried on, one after the other."""

QUICK_SECONDS = 30.0
"""What takes longer is not repeated: it waits for Kubernetes' own timers, which repetitions do not change."""

_PERCENT = re.compile(r"\[ *(\d+)%\]")
_REPORT_EVERY = 10
"""Percents of the scenarios between two lines of progress."""

_SAID_SOMETHING = {int(pytest.ExitCode.OK), int(pytest.ExitCode.TESTS_FAILED)}


@dataclass(frozen=True)
class Options:
    """What is the same for all targets of a matrix.

    Attributes:
        samples: How often each quick scenario that measures a recovery is run.
        workers: How many scenarios at a time.
        pytest: More for pytest: what to select, or what it may do to an existing cluster.
    """

    samples: int = 1
    workers: int = 3
    pytest: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """A target that was tried, or could not be.

    Attributes:
        target: What was tried.
        options: How.
        suite: By which suite.
        why_not: Why there are no results; empty if there are.
        started: ISO 8601 with offset.
        ended: Likewise.
        seconds: How long it took, without building.
        build_seconds: How long its components took; 0 if they were there.
        reproduce: Commands that run the same again.
    """

    target: Target
    options: Options
    suite: Suite
    why_not: str = ""
    started: str = ""
    ended: str = ""
    seconds: float = 0.0
    build_seconds: float = 0.0
    reproduce: tuple[str, ...] = ()
    results: dict[str, Any] = field(default_factory=dict, compare=False)

    def write(self, directory: Path) -> None:
        """Keep it, so that a matrix that is interrupted can go on here."""
        if self.results:
            write_results(directory / "verdicts.json", self.results)
        data = {key: value for key, value in asdict(self).items() if key != "results"}
        unfinished = directory / ".trial.json"
        unfinished.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
        unfinished.replace(directory / "trial.json")

    @classmethod
    def read(cls, directory: Path) -> Trial | None:
        """The trial that was kept in this directory; None if there is none, or it is of another shape."""
        try:
            data = json.loads((directory / "trial.json").read_text(encoding="utf-8"))
            results = json.loads((directory / "verdicts.json").read_text(encoding="utf-8"))
            target, options = data.pop("target"), data.pop("options")
            return cls(
                target=Target(**{**target, "flags": tuple(target["flags"])}),
                options=Options(**{**options, "pytest": tuple(options["pytest"])}),
                suite=Suite(**data.pop("suite")),
                reproduce=tuple(data.pop("reproduce")),
                results=results,
                **data,
            )
        except (OSError, ValueError, TypeError, KeyError):
            return None


def untried(target: Target, options: Options, suite: Suite, why_not: str) -> Trial:
    """A target that could not be tried."""
    return Trial(target, options, suite, why_not=why_not)


def run(
    target: Target,
    options: Options,
    suite: Suite,
    directory: Path,
    report: Report,
    *,
    build_seconds: float,
) -> Trial:
    """Run the suite on the target, and once more for more samples.

    Args:
        target: Its components are there already.
        options: How.
        suite: By which suite.
        directory: For everything of this trial; what an earlier one left there is removed.
        report: Told how far it is.
        build_seconds: How long its components took.

    Raises:
        PodproofError: pytest ended without results; the text is one line.
    """
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    began, started = time.monotonic(), _now()
    first = _pytest(target, options, directory, directory / "run", ["features/", *options.pytest], report)
    if options.samples > 1 and (again := _worth_repeating(first)):
        report(f"{target.name}: {len(again)} recoveries, {options.samples - 1} more times each")
        repeat = ["--repeat", str(options.samples - 1), *_without_selection(options.pytest), *again]
        more = _pytest(target, options, directory, directory / "samples", repeat, report)
        first = _merged(first, more)
    return Trial(
        target,
        options,
        suite,
        started=started,
        ended=_now(),
        seconds=round(time.monotonic() - began, 1),
        build_seconds=round(build_seconds, 1),
        reproduce=_reproduce(target, options, suite),
        results=first,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def pytest_arguments(target: Target) -> list[str]:
    """What tells pytest which cluster to use."""
    if target.kind == "context":
        return ["--context", target.context]
    words = ["--kubernetes-version", target.version, "--cluster-name", CLUSTER]
    words += ["--components", target.components]
    for flag in target.flags:
        words += ["--cluster-set", flag]
    return words


def _pytest(
    target: Target, options: Options, directory: Path, reports: Path, what: Sequence[str], report: Report
) -> dict[str, Any]:
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *what]
    command += [*pytest_arguments(target), "-n", str(options.workers), "--reports-dir", str(reports)]
    log = directory / "pytest.log"
    with log.open("a", encoding="utf-8") as kept:
        kept.write(f"$ {shlex.join(command)}\n")
        kept.flush()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            last = _follow(process, kept, target, report)
        except BaseException:
            # Ctrl-C has reached it too if it came from a terminal; a second one would cut its cleaning short.
            reached = sys.stdin.isatty() and not interruption.came_by_sigterm()
            if process.poll() is None and not reached:
                process.terminate()
            process.communicate()
            raise
    results = reports / "latest" / "verdicts.json"
    if process.returncode not in _SAID_SOMETHING or not results.is_file():
        raise PodproofError(f"pytest ended with status {process.returncode}: {last}; all of it is in {log}")
    found: dict[str, Any] = json.loads(results.read_text(encoding="utf-8"))
    return found


def _follow(process: subprocess.Popen[str], kept: Any, target: Target, report: Report) -> str:
    """Keep what pytest says, and tell how far it is; returns its last line that is not empty."""
    told, last = 0, "it said nothing"
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    for line in process.stdout:
        kept.write(line)
        last = line.strip() or last
        if found := _PERCENT.search(line):
            percent = int(found[1])
            if percent // _REPORT_EVERY > told // _REPORT_EVERY or percent < told:
                report(f"{target.name}: {percent} % of the scenarios")
                told = percent
    process.wait()
    return last


def _worth_repeating(document: dict[str, Any]) -> list[str]:
    """The node ids of quick scenarios that held and measured a recovery."""
    scenarios = [each for claim in document["claims"] for each in claim["scenarios"]]
    timed = {nodeid for nodeid, _ in times.samples_of(scenarios)}
    # Its steps alone: another one of its kind, or a cluster of its own, may have been waited for before.
    return [
        each["nodeid"]
        for each in scenarios
        if each["nodeid"] in timed and sum(step["seconds"] for step in each["steps"]) < QUICK_SECONDS
    ]


def _without_selection(arguments: Sequence[str]) -> list[str]:
    """What is left without `-m` and `-k`: node ids select already."""
    kept: list[str] = []
    rest = iter(arguments)
    for each in rest:
        if each in ("-m", "-k"):
            next(rest, None)
        elif not each.startswith(("-m", "-k", "features")):
            kept.append(each)
    return kept


def _merged(first: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """One results file of both runs: each claim judged anew, each time with the samples of both."""
    repeated = {
        each.plan.nodeid: each
        for each in scenario_results(more["claims"])
        if each.outcome is not Outcome.NOT_RUN
    }

    def together(result: ScenarioResult) -> ScenarioResult:
        again = repeated.get(result.plan.nodeid)
        return combine([result, again]) if again else result

    claims = judge_all([together(each) for each in scenario_results(first["claims"])])
    warnings = dict.fromkeys([*first["api_warnings"], *more["api_warnings"]])
    return {
        **first,
        "ended": more["ended"],
        "complete": first["complete"] and more["complete"],
        "ended_early": first["ended_early"] or more["ended_early"],
        "api_retries": first["api_retries"] + more["api_retries"],
        "api_warnings": list(warnings),
        "claims": [claim_document(each) for each in claims],
    }


def _reproduce(target: Target, options: Options, suite: Suite) -> tuple[str, ...]:
    commands = []
    if suite.commit:
        commands.append(f"git checkout {suite.commit.removesuffix('-dirty')}")
    words = ["pytest", "features/", *options.pytest, *pytest_arguments(target)]
    words += ["-n", str(options.workers)]
    if options.samples > 1:
        words += ["--repeat", str(options.samples)]
    return (*commands, shlex.join(words))
