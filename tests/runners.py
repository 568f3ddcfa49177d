"""Processes of the tests' own that do something to a cluster, and are ended at the worst of times."""

from __future__ import annotations

import subprocess
import sys


def start(module: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a module of the tests, which goes on until its input ends, or it is killed."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def line(runner: subprocess.Popen[str]) -> str:
    """What it says next; waits for it. Empty if it has ended."""
    assert runner.stdout is not None
    return runner.stdout.readline()
