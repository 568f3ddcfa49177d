"""What tests about the life of a cluster share."""

import contextlib
import subprocess
import sys
from collections import Counter

import psutil
import pytest

from podproof.cluster.embedded import remains, state
from podproof.cluster.embedded.init import KERNEL_SETTINGS
from podproof.cluster.embedded.paths import ClusterPaths
from podproof.kube.client import Api
from podproof.kube.kinds import NAMESPACE
from podproof.kube.namespaces import MANAGED_BY

from .snapshot import Belongings, Machine

NAME = "life"
PATIENCE = 60.0
"""Seconds for a start to get to its next line, or for a cluster to be gone; an idle machine takes ten."""


_started: "list[subprocess.Popen[str]]" = []


def start(*command: str) -> "subprocess.Popen[str]":
    """Start a Python module of ours, its output in one stream. It ends with the test at the latest."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    _started.append(process)
    return process


def end_started() -> None:
    """End what a test that failed halfway has left, so that the tests after it are not touched by it."""
    while _started:
        process = _started.pop()
        assert process.stdout is not None
        if process.stdout.closed:
            continue  # it was waited for
        process.terminate()
        try:
            process.communicate(timeout=2 * PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            process.stdout.close()  # not read to its end: a process of its own may hold the other one


def podproof(*arguments: str) -> "subprocess.Popen[str]":
    """Start the command line."""
    return start("podproof.cli", *arguments)


def read_until(process: "subprocess.Popen[str]", words: str) -> str:
    """Read the output up to a line with these words; returns what was read."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    pytest.fail(f"it ended without saying {words!r}: {said}")


def reaper_of(owner: int) -> psutil.Process:
    """The process that waits for the end of the cluster's owner."""
    wanted = ["-m", "podproof.cluster.embedded.reaper", NAME, str(owner)]
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # many a process ends while all are looked at
            if process.cmdline()[1:] == wanted:
                return process
    pytest.fail(f"nobody waits for the end of process {owner}")


def trials(api: Api) -> list[str]:
    """The namespaces of trials of NetworkPolicies that are there."""
    found = api.list(NAMESPACE, None, f"{MANAGED_BY}=podproof")["items"]
    names = [each["metadata"]["name"] for each in found]
    return [name for name in names if name.startswith("podproof-networkpolicy-trial-")]


def nothing_is_left(before: Machine, belongings: Belongings) -> None:
    """Compare the machine with what it was, and look for what the cluster consisted of."""
    left = belongings.left()
    assert not left, f"left of the cluster: {left}"
    running = remains.processes(ClusterPaths(NAME))
    assert not running, f"processes of the cluster: {running}"
    assert NAME not in state.every_name(), "its directory is left"
    after = Machine.now()
    was, is_now = Counter(before.mounts), Counter(after.mounts)
    assert after.mounts == before.mounts, f"mounts that came: {is_now - was}, that went: {was - is_now}"
    for what in ("links", "groups", "files"):
        changed = getattr(after, what) ^ getattr(before, what)
        assert not changed, f"{what} that came or went: {sorted(changed)}"
    assert after.kernel == before.kernel, f"{list(KERNEL_SETTINGS)}: {before.kernel}, now {after.kernel}"
