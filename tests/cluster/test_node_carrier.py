"""A fault of a Node of a cluster that podproof does not run: the embedded one, reached like any other."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.cluster.existing import ExistingCluster
from podproof.errors import ClusterError, FaultLostError, TrialError
from podproof.faults import journal, signs
from podproof.faults.fault import restore
from podproof.faults.injected import injected
from podproof.faults.node_carrier import CutOffByPod, KubeletFrozenByPod
from podproof.faults.undo import undo_written
from podproof.kube.client import Api
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import POD
from podproof.kube.namespaces import Namespace
from tests import runners
from tests.guards import guards

Carried = type[KubeletFrozenByPod] | type[CutOffByPod]
FAULTS: dict[str, Carried] = {each.kind: each for each in (KubeletFrozenByPod, CutOffByPod)}
_CARRIER = "exec 4<>/tmp/end"
"""By this its script differs from that of its guard."""
LASTS = Deadline("a fault of a test to be undone", 60, "nothing here takes that long", "the test's patience")


@pytest.fixture(params=list(FAULTS.values()), ids=list(FAULTS))
def carried(request: pytest.FixtureRequest) -> Carried:
    fault: Carried = request.param
    return fault


def is_broken(cluster: EmbeddedCluster, node: str, carried: Carried) -> bool:
    """Whether a fault is there, as only who runs the cluster can see it."""
    if carried is KubeletFrozenByPod:
        return cluster.programs(node).is_frozen("kubelet")
    return not cluster.partition(node).reached_from("control-plane")


@pytest.fixture
def existing(
    cluster: EmbeddedCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ExistingCluster]:
    monkeypatch.setenv("PODPROOF_JOURNAL", str(tmp_path))
    node = cluster.nodes[-1]
    yield ExistingCluster(cluster.context, cluster.kubeconfig, [node])
    assert not (tmp_path / "faults").exists(), "something is left"
    assert cluster.programs(node).answers("kubelet")


def main(kind: str, context: str, kubeconfig: str, node: str, namespace: str) -> None:
    """Inject the fault, say so, and keep it until somebody ends this process."""
    cluster = ExistingCluster(context, Path(kubeconfig), [node])
    with injected(FAULTS[kind].of(cluster, node, namespace, 20), LASTS):
        print("injected", flush=True)
        sys.stdin.read()


def start(carried: Carried, existing: ExistingCluster, namespace: Namespace) -> subprocess.Popen[str]:
    """Start a runner and wait until it has injected the fault."""
    where = (carried.kind, existing.context, str(existing.kubeconfig), existing.victims[0], namespace.name)
    runner = runners.start("tests.cluster.test_node_carrier", *where)
    assert runners.line(runner) == "injected\n"
    return runner


def test_it_is_there_and_undone(
    cluster: EmbeddedCluster, existing: ExistingCluster, api: Api, namespace: Namespace, carried: Carried
) -> None:
    [node] = existing.victims
    fault = carried.of(existing, node, namespace.name, LASTS.seconds)
    began = time.monotonic()
    with injected(fault, LASTS) as injection:
        assert is_broken(cluster, node, carried)
        [entry] = journal.of_cluster(existing)
        assert restore(existing, entry.fault, entry.parameters) == fault
        injection.demand_lasting()
    assert time.monotonic() - began < LASTS.seconds, "it was told to hurry"
    assert not is_broken(cluster, node, carried)
    assert api.list(POD, namespace.name)["items"] == []


def test_it_ends_when_its_runner_is_killed(
    cluster: EmbeddedCluster, existing: ExistingCluster, api: Api, namespace: Namespace, carried: Carried
) -> None:
    runner = start(carried, existing, namespace)
    assert is_broken(cluster, existing.victims[0], carried)
    runner.kill()
    runner.communicate()
    assert signs.comes(lambda: not journal.own_directory().exists(), LASTS)
    assert not is_broken(cluster, existing.victims[0], carried)
    assert api.list(POD, namespace.name)["items"] == []


@pytest.mark.parametrize("carrier", ["lives", "is killed"])
def test_it_ends_by_its_own_timer_when_all_others_are_dead(
    cluster: EmbeddedCluster, existing: ExistingCluster, namespace: Namespace, carried: Carried, carrier: str
) -> None:
    runner = start(carried, existing, namespace)
    for guard in guards(existing):
        guard.kill()
    runner.kill()
    runner.communicate()
    if carrier == "is killed":
        kubelet = cluster.programs(existing.victims[0]).pid("kubelet")
        [process] = [
            each
            for each in psutil.process_iter(["cmdline"])
            if any(_CARRIER in word for word in each.info["cmdline"] or ())
            and Path(f"/proc/{each.pid}/ns/pid").readlink() == Path(f"/proc/{kubelet}/ns/pid").readlink()
        ]
        process.kill()
    [entry] = journal.of_cluster(existing)
    assert is_broken(cluster, existing.victims[0], carried)
    assert signs.comes(lambda: not is_broken(cluster, existing.victims[0], carried), LASTS)
    # What clears up after all clusters of this machine may have been started by somebody else meanwhile.
    assert undo_written(entry) or not entry.exists


def test_it_is_noticed_when_a_node_is_not_cut_off_any_more(
    cluster: EmbeddedCluster, existing: ExistingCluster, namespace: Namespace
) -> None:
    [node] = existing.victims
    fault = CutOffByPod.of(existing, node, namespace.name, LASTS.seconds)
    network = f"--net=/proc/{cluster.programs(node).pid('kubelet')}/ns/net"
    with ExitStack() as ends:
        ends.enter_context(pytest.raises(FaultLostError))
        injection = ends.enter_context(injected(fault, LASTS))
        injection.demand_lasting()
        subprocess.run(["nsenter", network, "--", "ip", "rule", "del", "pref", "72"], check=True)
    assert not journal.own_directory().exists(), "it was undone all the same"


def test_a_node_that_nobody_named_is_not_broken(existing: ExistingCluster, namespace: Namespace) -> None:
    unnamed = ExistingCluster(existing.context, existing.kubeconfig)
    fault = KubeletFrozenByPod.of(unnamed, existing.victims[0], namespace.name, LASTS.seconds)
    with pytest.raises(TrialError, match="--allow-node-faults"), injected(fault, LASTS):
        pytest.fail("it was broken")
    with pytest.raises(ClusterError, match="has no Node absent"):
        ExistingCluster(existing.context, existing.kubeconfig, ["absent"])


if __name__ == "__main__":
    main(*sys.argv[1:])
