"""A cluster starts, is repaired, ends, and leaves nothing, however it was ended."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from podproof.cluster.embedded import state
from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.cluster.embedded.paths import ClusterPaths
from podproof.errors import ClusterError

from .lives import NAME, PATIENCE, nothing_is_left, podproof, read_until, reaper_of
from .snapshot import Belongings, Machine


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
    reaper = reaper_of(owner.pid)
    owner.kill()
    owner.communicate()
    reaper.wait(PATIENCE)
    nothing_is_left(machine_before, belongings)


@pytest.mark.usefixtures("machine_before")
def test_up_repairs_what_can_be_repaired_and_starts_over_where_not() -> None:
    cluster = EmbeddedCluster(NAME, nodes=1)
    cluster.up()
    first = cluster.machine("control-plane").pid
    cut_power(cluster, "node-1")
    assert cluster.is_running
    assert not cluster.is_complete
    assert cluster.up() is True
    assert cluster.is_complete
    assert cluster.machine("control-plane").pid == first, "a Node that is off is switched on, no more"
    cut_power(cluster, "control-plane")
    assert not cluster.is_running
    assert cluster.up() is True
    assert cluster.is_complete
    assert cluster.machine("control-plane").pid != first, "without its control plane it is started over"


def cut_power(cluster: EmbeddedCluster, machine: str) -> None:
    """Kill process 1 of a machine behind the library's back."""
    processes = cluster.machine(machine).processes()
    processes[0].kill()
    psutil.wait_procs(processes, timeout=PATIENCE)


@pytest.mark.usefixtures("machine_before")
def test_two_clusters_start_side_by_side() -> None:
    other = f"{NAME}-too"
    starts = [podproof("up", "--name", name, "--nodes", "1") for name in (NAME, other)]
    said = [process.communicate()[0] for process in starts]
    try:
        assert [process.returncode for process in starts] == [0, 0], said
        contexts = {EmbeddedCluster(name).machine("node-1").address for name in (NAME, other)}
        assert len(contexts) == 2, "each has addresses of its own"
    finally:
        EmbeddedCluster(other).down()


def test_a_state_file_of_another_version_is_no_reason_to_fail(machine_before: Machine) -> None:
    paths = ClusterPaths(NAME)
    paths.root.mkdir(parents=True)
    paths.state.write_text('{"from": "the future"}')
    assert state.read(paths) is None
    assert EmbeddedCluster(NAME).down() is True
    assert not Path(paths.root).exists()
    assert Machine.now() == machine_before
