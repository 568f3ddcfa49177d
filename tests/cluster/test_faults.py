"""Every fault of a machine: its four steps, and its end when its runner is killed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tenacity

from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.errors import TrialError
from podproof.faults import journal, mending, signs
from podproof.faults.fault import Fault, restore
from podproof.faults.injected import injected
from podproof.faults.programs import CONTROL_PLANE, ProgramStopped
from podproof.kube.deadlines import Deadline
from tests import runners
from tests.guards import guards

from .faults import FAULTS, LASTS

MOMENTS = int(os.environ.get("PODPROOF_MOMENTS", "1"))
"""How many random moments of each fault's life its runner is killed at."""
LONGEST_INJECTION = 4.0
"""Seconds within which the moments lie: an injection and its confirmation take less on an idle machine."""
UNDONE = 240.0
"""Seconds within which a guard has undone what its runner left: until all watch the API server again."""


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest, cluster: EmbeddedCluster) -> Fault:
    return FAULTS[request.param](cluster)


def outcomes(cluster: EmbeddedCluster) -> list[str]:
    """What `podproof clean` says of this cluster; others may run meanwhile."""
    return [each.text for each in mending.clean() if f", on cluster {cluster.name}," in each.text]


def nothing_is_left(cluster: EmbeddedCluster) -> None:
    assert journal.of_cluster(cluster) == []
    assert not journal.directory_of(cluster).exists()
    assert guards(cluster) == []
    assert outcomes(cluster) == []


def test_a_fault_takes_and_is_undone(cluster: EmbeddedCluster, fault: Fault) -> None:
    with injected(fault, LASTS) as injection:
        [entry] = journal.of_cluster(cluster)
        assert entry.owner_lives
        assert restore(cluster, entry.fault, entry.parameters) == fault, "it can be undone by what is written"
        assert len(guards(cluster)) == 1
        [outcome] = outcomes(cluster)
        assert outcome.startswith(f"left alone: {fault.describe()}")
        injection.demand_lasting()
    nothing_is_left(cluster)
    fault.confirm_reverted()
    assert cluster.is_complete


@pytest.mark.parametrize("moment", range(MOMENTS))
@pytest.mark.parametrize("which", FAULTS)
def test_a_fault_is_undone_when_its_runner_is_killed(
    cluster: EmbeddedCluster, which: str, moment: int
) -> None:
    del moment
    fault = FAULTS[which](cluster)
    fault.demand_possible()
    runner = runners.start("tests.cluster.faults", cluster.name, which)
    runners.line(runner)
    after = random.uniform(0, LONGEST_INJECTION)  # noqa: S311 - no secret
    try:
        runner.wait(after)
    except subprocess.TimeoutExpired:
        runner.kill()
    said, _ = runner.communicate()
    assert runner.returncode == -9, said
    print(f"{which}: killed {after:.2f} s after its start, {'after' if said else 'during'} the injection")

    tenacity.Retrying(
        retry=tenacity.retry_if_result(bool),
        stop=tenacity.stop_after_delay(UNDONE),
        wait=tenacity.wait_fixed(0.1),
    )(lambda: [*journal.of_cluster(cluster), *guards(cluster)])

    nothing_is_left(cluster)
    fault.confirm_reverted()
    fault_again = FAULTS[which](cluster)  # one that is killed is another process now
    fault_again.demand_possible()
    assert cluster.is_complete


def test_clean_undoes_what_a_runner_and_its_guard_have_left(cluster: EmbeddedCluster) -> None:
    runner = runners.start("tests.cluster.faults", cluster.name, "kubelet stopped")
    runners.line(runner)
    assert runners.line(runner) == "injected\n"
    for guard in guards(cluster):
        guard.kill()
    runner.kill()
    runner.communicate()

    def clean() -> list[str]:
        command = [sys.executable, "-m", "podproof.cli", "clean"]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return [line for line in said.splitlines() if f"on cluster {cluster.name}," in line]

    [undone] = clean()
    assert undone.startswith(f"undone: kubelet of {cluster.victims[0]} is stopped, on cluster {cluster.name}")
    assert clean() == []
    nothing_is_left(cluster)
    assert cluster.is_complete


def test_a_fault_that_its_runner_forgets_undoes_itself(cluster: EmbeddedCluster) -> None:
    fault = ProgramStopped(cluster, CONTROL_PLANE, "kube-scheduler")
    brief = Deadline("a fault to be undone", 2, "the test does not want to wait", "the test's patience")
    began = time.monotonic()
    with (
        pytest.raises(
            TrialError, match="it was undone before the trial was over, since a fault lasts for 2 s"
        ),
        injected(fault, brief) as injection,
    ):
        injection.hold(Deadline("an end", UNDONE, "it ends by itself", "the test's patience"))
    assert 2 <= time.monotonic() - began < UNDONE
    fault.confirm_reverted()
    nothing_is_left(cluster)


def test_a_fault_that_does_not_take_is_a_failed_trial(
    cluster: EmbeddedCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = Deadline("the fault to take effect", 1, "the test does not want to wait", "the test's patience")
    monkeypatch.setattr(signs.demand, "__defaults__", (soon,))
    monkeypatch.setattr(ProgramStopped, "inject", lambda _: None)
    fault = ProgramStopped(cluster, CONTROL_PLANE, "kube-scheduler")
    with (
        pytest.raises(TrialError, match=r"the fault did not take: .* kube-scheduler is silent"),
        injected(fault, LASTS),
    ):
        pytest.fail("nothing was broken")
    nothing_is_left(cluster)


def test_the_journal_of_other_clusters_is_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODPROOF_JOURNAL", str(tmp_path))
    assert journal.own_directory() == tmp_path / "faults"
