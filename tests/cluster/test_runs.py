"""A run of the features ends its own cluster, however the run ends."""

import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from podproof.cluster.embedded import remains, waits
from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.cluster.embedded.paths import ClusterPaths
from podproof.faults.signs import comes

from .lives import NAME, PATIENCE, nothing_is_left, podproof, read_until, reaper_of, start
from .snapshot import Belongings, Machine

RUN = ("pytest", "features/replicasets.feature", "-v", "--cluster-name", NAME, "--nodes", "2")


def start_run(*workers: str, reports: Path) -> tuple[subprocess.Popen[str], Belongings]:
    """Start a run with a cluster of its own; gives both once a scenario has passed."""
    run = start(*RUN, *workers, "--reports-dir", str(reports))
    read_until(run, "PASSED")
    belongings = Belongings.of(NAME)
    assert belongings.processes
    return run, belongings


@pytest.mark.parametrize(
    ("how", "workers"),
    [(signal.SIGINT, ()), (signal.SIGINT, ("-n", "2")), (signal.SIGTERM, ())],
    ids=["Ctrl-C alone", "Ctrl-C two at a time", "cancelled"],
)
def test_an_interruption_ends_the_runs_own_cluster(
    machine_before: Machine, tmp_path: Path, how: signal.Signals, workers: tuple[str, ...]
) -> None:
    run, belongings = start_run(*workers, reports=tmp_path)
    run.send_signal(how)
    said, _ = run.communicate(timeout=2 * PATIENCE)
    assert run.returncode == 2, said
    assert "Traceback" not in said
    assert (tmp_path / "latest" / "verdicts.json").exists(), "what was proven so far is kept"
    nothing_is_left(machine_before, belongings)
    assert podproof("down", "--name", NAME).communicate()[0] == f"there was no cluster {NAME}\n"


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two at a time"])
def test_the_runs_own_cluster_ends_with_a_run_that_is_killed(
    machine_before: Machine, tmp_path: Path, workers: tuple[str, ...]
) -> None:
    run, belongings = start_run(*workers, reports=tmp_path)
    reaper = reaper_of(run.pid)
    run.kill()
    run.communicate()
    reaper.wait(PATIENCE)
    podproof("down", "--name", NAME).communicate()
    nothing_is_left(machine_before, belongings)


def test_a_run_leaves_a_cluster_alone_that_was_up_before(machine_before: Machine, tmp_path: Path) -> None:
    cluster = EmbeddedCluster(NAME, nodes=2)
    cluster.up()
    belongings = Belongings.of(NAME)
    run = start(*RUN, "-k", "surplus", "--reports-dir", str(tmp_path))
    said, _ = run.communicate()
    assert run.returncode == 0, said
    assert cluster.is_complete
    assert podproof("down", "--name", NAME).communicate()[0].endswith(f"cluster {NAME} is gone\n")
    nothing_is_left(machine_before, belongings)


def test_the_broken_cluster_of_a_worker_that_is_killed_ends_with_the_run(
    machine_before: Machine, tmp_path: Path
) -> None:
    run = start(
        "pytest", "features/beyond/control_plane_outage.feature", "-k", "back_soon and controller", "-n", "1",
        "--cluster-name", NAME, "--nodes", "2", "--reports-dir", str(tmp_path),
    )  # fmt: skip
    read_until(run, "1 worker [")  # with what it has collected; "created" is said before it is there
    [worker] = [each for each in psutil.Process(run.pid).children() if "-c" in each.cmdline()]
    spare = ClusterPaths(f"spare-{run.pid}")
    assert comes(spare.kubeconfig.exists, waits.API_SERVER_READY)
    broken = Belongings.of(spare.name)
    worker.kill()
    said, _ = run.communicate(timeout=3 * PATIENCE)
    assert run.returncode == 1, said
    assert broken.left() == []
    assert remains.processes(spare) == []
    nothing_is_left(machine_before, Belongings.of(NAME))
