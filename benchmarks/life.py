"""How long a cluster of four Nodes takes to start and to stop, and how much memory it takes when idle."""

import re
import subprocess
import sys
import time
from collections import defaultdict

from benchmarks.figures import Figure
from benchmarks.memory import pss
from podproof.cluster.embedded import remains
from podproof.cluster.embedded.paths import ClusterPaths

NAME = "bench"

GOALS = {"DNS answers": 15.0, "down": 3.0, "idle memory": 2048.0}
"""On a machine of two cores, everything built."""

_LINE = re.compile(r"\[ *([\d.]+) s\] (.*)")


def measure(runs: int) -> list[Figure]:
    """Start and stop a cluster several times, as a user would."""
    seconds: dict[str, list[float]] = defaultdict(list)
    memory: list[float] = []
    _podproof("down")
    for _ in range(runs):
        began = time.monotonic()
        said = _podproof("up")
        seconds["up, the whole command"].append(time.monotonic() - began)
        for line in said.splitlines():
            if match := _LINE.fullmatch(line):
                seconds[match[2]].append(float(match[1]))
        memory.append(pss(remains.everything(ClusterPaths(NAME))))
        began = time.monotonic()
        _podproof("down")
        seconds["down"].append(time.monotonic() - began)
    told = ("control plane is ready, Nodes are starting", "all Nodes are Ready", "DNS answers")
    names = [*told, "up, the whole command", "down"]
    return [
        *(Figure(name, "s", seconds[name], GOALS.get(name)) for name in names),
        Figure("idle cluster, proportional set size", "MiB", memory, GOALS["idle memory"]),
    ]


def _podproof(command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "podproof.cli", command, "--name", NAME],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"podproof {command} failed: {done.stdout}")
    return done.stdout
