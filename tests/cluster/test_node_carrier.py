"""A fault of a Node of a cluster that podproof does not run: the embedded one, reached like any other."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import tenacity

from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.cluster.existing import ExistingCluster
from podproof.errors import ClusterError, TrialError
from podproof.faults import journal
from podproof.faults.fault import restore
from podproof.faults.injected import injected
from podproof.faults.node_carrier import KubeletFrozenByPod
from podproof.faults.undo import undo_written
from podproof.kube.client import Api
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import POD
from podproof.kube.namespaces import Namespace
from tests.guards import guards

LASTS = Deadline("a fault of a test to be undone", 60, "nothing here takes that long", "the test's patience")


@pytest.fixture
def existing(
    cluster: EmbeddedCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ExistingCluster]:
    monkeypatch.setenv("PODPROOF_JOURNAL", str(tmp_path))
    node = cluster.nodes[-1]
    yield ExistingCluster(cluster.context, cluster.kubeconfig, [node])
    assert not (tmp_path / "faults").exists(), "something is left"
    assert cluster.programs(node).answers("kubelet")


def main(context: str, kubeconfig: str, node: str, namespace: str) -> None:
    """Inject the fault, say so, and keep it until somebody ends this process."""
    cluster = ExistingCluster(context, Path(kubeconfig), [node])
    with injected(KubeletFrozenByPod.of(cluster, node, namespace, 20), LASTS):
        print("injected", flush=True)
        sys.stdin.read()


def start(existing: ExistingCluster, namespace: Namespace) -> subprocess.Popen[str]:
    """Start a runner and wait until it has injected the fault."""
    where = (existing.context, str(existing.kubeconfig), existing.victims[0], namespace.name)
    runner = subprocess.Popen(
        [sys.executable, "-m", "tests.cluster.test_node_carrier", *where],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert runner.stdout is not None
    assert runner.stdout.readline() == "injected\n"
    return runner


def test_a_kubelet_is_frozen_and_goes_on(
    cluster: EmbeddedCluster, existing: ExistingCluster, api: Api, namespace: Namespace
) -> None:
    [node] = existing.victims
    fault = KubeletFrozenByPod.of(existing, node, namespace.name, LASTS.seconds)
    began = time.monotonic()
    with injected(fault, LASTS) as injection:
        assert cluster.programs(node).is_frozen("kubelet")
        [entry] = journal.of_cluster(existing)
        assert restore(existing, entry.fault, entry.parameters) == fault
        injection.demand_lasting()
    assert time.monotonic() - began < LASTS.seconds, "it was told to hurry"
    assert not cluster.programs(node).is_frozen("kubelet")
    assert api.list(POD, namespace.name)["items"] == []


def test_it_ends_when_its_runner_is_killed(
    cluster: EmbeddedCluster, existing: ExistingCluster, api: Api, namespace: Namespace
) -> None:
    runner = start(existing, namespace)
    runner.kill()
    runner.communicate()
    tenacity.Retrying(
        retry=tenacity.retry_if_result(bool),
        stop=tenacity.stop_after_delay(LASTS.seconds),
        wait=tenacity.wait_fixed(0.2),
    )(lambda: journal.own_directory().exists())
    assert not cluster.programs(existing.victims[0]).is_frozen("kubelet")
    assert api.list(POD, namespace.name)["items"] == []


def test_it_ends_by_its_own_timer_when_all_others_are_dead(
    cluster: EmbeddedCluster, existing: ExistingCluster, namespace: Namespace
) -> None:
    runner = start(existing, namespace)
    for guard in guards(existing):
        guard.kill()
    runner.kill()
    runner.communicate()
    [entry] = journal.of_cluster(existing)
    assert cluster.programs(existing.victims[0]).is_frozen("kubelet")
    tenacity.Retrying(
        retry=tenacity.retry_if_result(bool),
        stop=tenacity.stop_after_delay(LASTS.seconds),
        wait=tenacity.wait_fixed(0.2),
    )(lambda: cluster.programs(existing.victims[0]).is_frozen("kubelet"))
    # What clears up after all clusters of this machine may have been started by somebody else meanwhile.
    assert undo_written(entry) or not entry.exists


def test_a_node_that_nobody_named_is_not_broken(existing: ExistingCluster, namespace: Namespace) -> None:
    unnamed = ExistingCluster(existing.context, existing.kubeconfig)
    fault = KubeletFrozenByPod.of(unnamed, existing.victims[0], namespace.name, LASTS.seconds)
    with pytest.raises(TrialError, match="--allow-node-faults"), injected(fault, LASTS):
        pytest.fail("it was broken")
    with pytest.raises(ClusterError, match="has no Node absent"):
        ExistingCluster(existing.context, existing.kubeconfig, ["absent"])


if __name__ == "__main__":
    main(*sys.argv[1:])
