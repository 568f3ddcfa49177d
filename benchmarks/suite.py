"""How long the scenarios take on a cluster that runs, and what they cost their runner.

Measured are all scenarios but the slow ones, and all.
"""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.figures import Figure
from benchmarks.memory import pss

NAME = "bench"
SAMPLE_SECONDS = 0.5
"""Between two looks at the runner's memory: its workers live for a minute."""

RUNNER_GOAL = 250.0
OWN_GOAL = 10.0
SECONDS_GOALS = {"not slow": 240.0, "": 900.0}
"""By what pytest's ``-m`` selects."""

LATENESS_GOAL = 0.1
"""Seconds from the time that an event carries to its arrival, at the 99th percentile, on two idle cores. The
shortest bound that scenarios check is ten times as long."""

WORKERS = "6"
NODES = "6"
"""As many as `make features` has."""

_REPORTS = Path("reports/bench/run")


def measure() -> list[Figure]:
    """Run the scenarios, as `make features` does."""
    podproof = [sys.executable, "-m", "podproof.cli"]
    subprocess.run(
        [*podproof, "up", "--name", NAME, "--nodes", NODES],
        check=True,
        capture_output=True,
    )
    try:
        return [*_run("not slow", "all scenarios but the slow ones"), *_run("", "all scenarios")]
    finally:
        subprocess.run([*podproof, "down", "--name", NAME], check=True, capture_output=True)


def _run(marks: str, what: str) -> list[Figure]:
    began = time.monotonic()
    runner = psutil.Popen(
        [sys.executable, "-m", "pytest", "features/", "-n", WORKERS, "-q", "-m", marks,
         "--cluster-name", NAME, "--reports-dir", str(_REPORTS)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    ended = threading.Event()
    peak = _Peak(runner, ended)
    peak.start()
    said, _ = runner.communicate()
    seconds = time.monotonic() - began
    ended.set()
    peak.join()
    if runner.returncode:
        sys.exit(f"the features did not pass: {said}")
    _keep_times(what)
    return [
        Figure(f"{what}, {WORKERS} at a time", "s", [seconds], SECONDS_GOALS[marks]),
        Figure(f"{what}: the runner at its peak, proportional", "MiB", [peak.highest], RUNNER_GOAL),
        Figure(f"{what}: the runner's own share of their time", "%", [_own_share()], OWN_GOAL),
        Figure(f"{what}: an event is seen, 99th percentile", "s", [_lateness()], LATENESS_GOAL),
    ]


def _ran() -> list[dict[str, Any]]:
    """What the last run's results say of the scenarios that were run."""
    document = json.loads((_REPORTS / "latest" / "verdicts.json").read_text())
    return [
        scenario
        for claim in document["claims"]
        for scenario in claim["scenarios"]
        if scenario["outcome"] != "NOT RUN"
    ]


def _keep_times(what: str) -> None:
    """Write down how long each scenario took, and for how much of that its runner was busy itself."""
    times = {
        scenario["nodeid"]: {
            "seconds": scenario["seconds"],
            "own_seconds": scenario["details"]["own_milliseconds"] / 1000,
        }
        for scenario in _ran()
    }
    file = _REPORTS.parent / f"scenarios-{what.replace(' ', '-')}.json"
    file.write_text(json.dumps(times, indent=2) + "\n")


def _own_share() -> float:
    """Per cent of the scenarios' seconds in which their runner was busy, and not waiting for Kubernetes."""
    ran = _ran()
    own = sum(float(scenario["details"]["own_milliseconds"]) for scenario in ran) / 1000
    return 100 * own / sum(float(scenario["seconds"]) for scenario in ran)


def _lateness() -> float:
    """Seconds after which the recording has seen 99 of 100 events."""
    recording = json.loads((_REPORTS / "latest" / "verdicts.json").read_text())["recording"]
    if recording["p99"] is None:
        sys.exit(f"how late the recording is could not be measured: {recording['why_unknown']}")
    return float(recording["p99"])


class _Peak(threading.Thread):
    """Keeps the highest memory of a process and its descendants."""

    def __init__(self, process: psutil.Process, ended: threading.Event) -> None:
        super().__init__(daemon=True)
        self.highest = 0.0
        self._process = process
        self._ended = ended

    def run(self) -> None:
        """Look again and again until the process has ended."""
        while not self._ended.wait(SAMPLE_SECONDS):
            try:
                family = [self._process, *self._process.children(recursive=True)]
            except psutil.Error:
                return
            self.highest = max(self.highest, pss(family))
