"""How long all scenarios take on a cluster that runs, and how much memory their runner takes."""

import subprocess
import sys
import threading
import time

import psutil

from benchmarks.figures import Figure
from benchmarks.memory import pss

NAME = "bench"
SAMPLE_SECONDS = 0.5
"""Between two looks at the runner's memory: its workers live for a minute."""

RUNNER_GOAL = 250.0

WORKERS = "3"
"""As many as `make features` has."""


def measure() -> list[Figure]:
    """Run every scenario, as `make features` does."""
    podproof = [sys.executable, "-m", "podproof.cli"]
    subprocess.run([*podproof, "up", "--name", NAME], check=True, capture_output=True)
    try:
        began = time.monotonic()
        runner = psutil.Popen(
            [sys.executable, "-m", "pytest", "features/", "-n", WORKERS, "-q", "--cluster-name", NAME,
             "--reports-dir", "reports/bench/run"],
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
    finally:
        subprocess.run([*podproof, "down", "--name", NAME], check=True, capture_output=True)
    return [
        Figure(f"all scenarios, {WORKERS} at a time", "s", [seconds]),
        Figure("their runner at its peak, proportional", "MiB", [peak.highest], RUNNER_GOAL),
    ]


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
