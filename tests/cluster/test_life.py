"""A cluster starts, is repaired, ends, and leaves nothing, however it was ended."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from podproof.cluster.embedded import remains, state
from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.cluster.embedded.paths import ClusterPaths
from podproof.errors import ClusterError

from .snapshot import Belongings, Machine

NAME = "life"
PATIENCE = 60.0
"""Seconds for a start to get to its next line, or for a cluster to be gone; an idle machine takes ten."""


@pytest.fixture
def machine_before() -> Iterator[Machine]:
    """What the machine is like without the cluster."""
    EmbeddedCluster(NAME).down()
    yield Machine.now()
    EmbeddedCluster(NAME).down()


def podproof(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "podproof.cli", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(process: "subprocess.Popen[str]", words: str) -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    pytest.fail(f"podproof ended without saying {words!r}: {said}")


def nothing_is_left(before: Machine, belongings: Belongings) -> None:
    assert belongings.left() == []
    assert remains.processes(ClusterPaths(NAME)) == []
    after = Machine.now()
    assert after.mounts == before.mounts
    assert after.links == before.links
    assert after.groups == before.groups
    assert after.files == before.files
    assert after.kernel == before.kernel


def test_down_leaves_nothing(machine_before: Machine) -> None:
    cluster = EmbeddedCluster(NAME, nodes=2)
    assert cluster.up() is True
    belongings = Belongings.of(NAME)
    assert len(belongings.processes) > 10
    assert len(belongings.namespaces) > 10
    assert cluster.is_complete
    assert cluster.up() is False, "a second up does nothing"
    with pytest.raises(ClusterError, match=r"on 2 Nodes, not .* on 3"):
        EmbeddedCluster(NAME, nodes=3).up()
    assert cluster.down() is True
    assert cluster.down() is False, "a second down finds nothing"
    nothing_is_left(machine_before, belongings)


@pytest.mark.parametrize("words", ["Kubernetes 1.", "control plane is ready", "all Nodes are Ready"])
def test_up_that_is_killed_is_removed_by_down(machine_before: Machine, words: str) -> None:
    process = podproof("up", "--name", NAME, "--nodes", "2")
    read_until(process, words)
    belongings = Belongings.of(NAME)
    process.kill()
    process.communicate()
    assert podproof("down", "--name", NAME).communicate()[0].endswith(f"cluster {NAME} is gone\n")
    nothing_is_left(machine_before, belongings)


def test_up_after_a_start_that_was_killed_starts_over(machine_before: Machine) -> None:
    process = podproof("up", "--name", NAME, "--nodes", "2")
    read_until(process, "control plane is ready")
    belongings = Belongings.of(NAME)
    process.kill()
    process.communicate()
    assert not EmbeddedCluster(NAME).is_complete
    output, _ = podproof("up", "--name", NAME, "--nodes", "2").communicate()
    assert "starting over" in output
    assert EmbeddedCluster(NAME).is_complete
    EmbeddedCluster(NAME).down()
    nothing_is_left(machine_before, belongings)


def test_up_that_is_interrupted_removes_what_it_started(machine_before: Machine) -> None:
    process = podproof("up", "--name", NAME, "--nodes", "2")
    read_until(process, "control plane is ready")
    belongings = Belongings.of(NAME)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, output
    assert "Traceback" not in output
    nothing_is_left(machine_before, belongings)


def test_cluster_ends_with_an_owner_that_is_killed(machine_before: Machine) -> None:
    script = (
        "from podproof.cluster.embedded.cluster import EmbeddedCluster as C; import signal\n"
        f"with C({NAME!r}, nodes=1): print('up', flush=True); signal.pause()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    read_until(owner, "up")
    belongings = Belongings.of(NAME)
    reaper = next(
        process
        for process in psutil.process_iter()
        if process.cmdline()[1:] == ["-m", "podproof.cluster.embedded.reaper", NAME, str(owner.pid)]
    )
    owner.kill()
    owner.communicate()
    reaper.wait(PATIENCE)
    nothing_is_left(machine_before, belongings)


@pytest.mark.usefixtures("machine_before")
def test_a_machine_whose_first_process_dies_makes_the_cluster_incomplete() -> None:
    cluster = EmbeddedCluster(NAME, nodes=1)
    cluster.up()
    first = cluster.machine("control-plane").pid
    os.kill(cluster.machine("node-1").pid, signal.SIGKILL)
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.wait_procs(cluster.machine("node-1").processes(), timeout=PATIENCE)
    assert not cluster.is_complete
    assert cluster.up() is True, "up starts over"
    assert cluster.is_complete
    assert cluster.machine("control-plane").pid != first


def test_a_state_file_of_another_version_is_no_reason_to_fail(machine_before: Machine) -> None:
    paths = ClusterPaths(NAME)
    paths.root.mkdir(parents=True)
    paths.state.write_text('{"from": "the future"}')
    assert state.read(paths) is None
    assert EmbeddedCluster(NAME).down() is True
    assert not Path(paths.root).exists()
    assert Machine.now() == machine_before
