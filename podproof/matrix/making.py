"""Making a version's components ready, beside the trial of another.

It runs as `podproof build` in a process of its own, which gets what processor time the trial leaves over: on
two cores a build that took its share would slow down what is being measured.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
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
        components: Where they come from, as `--components` takes it; empty: found out.
        log: Where its progress goes.
    """

    def __init__(self, target: Target, components: str, log: Path) -> None:
        self._target = target
        self._log = log
        self._command = [sys.executable, "-m", "podproof.cli", "build", "--network-policy"]
        self._command += ["--kubernetes-version", target.version]
        if components:
            self._command += ["--components", components]
        self._process: psutil.Popen | None = None

    def start_beside(self) -> None:
        """Begin with what is left of the processor's time."""
        self._start()
        assert self._process is not None  # noqa: S101 - started above
        # Go's compilers are its children, and inherit it.
        os.sched_setscheduler(self._process.pid, os.SCHED_IDLE, os.sched_param(0))

    def finish(self, report: Report) -> tuple[float, str]:
        """Wait until they are there, now with all of the processor's time.

        Returns:
            How many seconds it took, and where the components come from.

        Raises:
            ComponentError: They cannot be had; the text is the one line that says why.
        """
        if self._process is None:
            self._start()
        assert self._process is not None  # noqa: S101 - started above
        if self._process.poll() is None:
            report(f"{self._target.name}: making its components ready; progress is in {self._log}")
            self._hurry()
        status = self._process.wait()
        said = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        if status:
            why = next((line for line in reversed(said) if line.startswith(_OWN_LINE)), "")
            raise ComponentError(
                why.removeprefix(_OWN_LINE) or f"its components were not made: see {self._log}"
            )
        origin = next((line.rpartition(" ")[2] for line in said if line.startswith("components: ")), "")
        return _seconds(said), origin

    def stop(self) -> None:
        """End it, if it is under way; what was built so far stays in the compiler's cache."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()

    def _start(self) -> None:
        with self._log.open("w", encoding="utf-8") as log:
            self._process = psutil.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    def _hurry(self) -> None:
        """Give it, and all that it has started, the processor as to anybody else."""
        assert self._process is not None  # noqa: S101 - only called while it runs
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            for each in [self._process, *self._process.children(recursive=True)]:
                os.sched_setscheduler(each.pid, os.SCHED_OTHER, os.sched_param(0))


def _seconds(said: Sequence[str]) -> float:
    """How long it took: what was there already is told at once."""
    last = next((found for line in reversed(said) if (found := _TIME.match(line))), None)
    return float(last[1]) if last else 0.0
