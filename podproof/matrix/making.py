"""Making a version's components ready, beside the trial of another.

It runs as `podproof build` in a process of its own, which gets what processor time the trial leaves over: on
two cores a build that took its share would slow down what is being measured.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from podproof.cluster.embedded.progress import Report
from podproof.errors import ComponentError
from podproof.matrix.targets import Target

_TIME = re.compile(r"\[ *([\d.]+) s\]")
_OWN_LINE = "podproof: "
"""What a line begins with that says why a command ended."""


class Making:
    """The making of one version's components.

    Args:
        target: The version.
        log: Where its progress goes.
    """

    def __init__(self, target: Target, log: Path) -> None:
        self._target = target
        self._log = log
        self._command = [sys.executable, "-m", "podproof.cli", "build"]
        self._command += ["--kubernetes-version", target.version, "--components", target.components]
        self._process: psutil.Popen | None = None

    def start_beside(self) -> None:
        """Begin with what is left of the processor's time."""
        process = self._started()
        # Go's compilers are its children, and inherit it.
        os.sched_setscheduler(process.pid, os.SCHED_IDLE, os.sched_param(0))

    def finish(self, report: Report) -> float:
        """Wait until they are there, now with all of the processor's time; returns how many seconds it took.

        Raises:
            ComponentError: They cannot be had; the text is the one line that says why.
        """
        process = self._started()
        if process.poll() is None:
            report(f"{self._target.name}: making its components ready; progress is in {self._log}")
            _hurry(process)
        status = process.wait()
        said = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        if status:
            why = next((line for line in reversed(said) if line.startswith(_OWN_LINE)), "")
            raise ComponentError(
                why.removeprefix(_OWN_LINE) or f"its components were not made: see {self._log}"
            )
        return _seconds(said)

    def stop(self) -> None:
        """End it, if it is under way; what was built so far stays in the compiler's cache."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()

    def _started(self) -> psutil.Popen:
        if self._process is None:
            with self._log.open("w", encoding="utf-8") as log:
                self._process = psutil.Popen(
                    self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
                )
        return self._process


def _hurry(process: psutil.Process) -> None:
    """Give it, and all that it has started, the processor as to anybody else."""
    with contextlib.suppress(psutil.Error, ProcessLookupError):
        for each in [process, *process.children(recursive=True)]:
            os.sched_setscheduler(each.pid, os.SCHED_OTHER, os.sched_param(0))


def _seconds(said: Sequence[str]) -> float:
    """How long it took: what was there already is told at once."""
    last = next((found for line in reversed(said) if (found := _TIME.match(line))), None)
    return float(last[1]) if last else 0.0
