"""Nodes that are set aside on a cluster of others: the embedded one, reached like any other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.cluster.existing import ExistingCluster
from podproof.errors import ClusterError
from podproof.faults import journal, signs
from podproof.faults.set_aside import SetAside, set_aside
from podproof.kube.deadlines import FAULT_ENDED
from tests import runners
from tests.guards import guards


@pytest.fixture
def existing(
    cluster: EmbeddedCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ExistingCluster]:
    """It may break an ordinary Node, which nobody has marked, and one that has the marks already."""
    monkeypatch.setenv("PODPROOF_JOURNAL", str(tmp_path))
    yield ExistingCluster(cluster.context, cluster.kubeconfig, [cluster.nodes[0], cluster.nodes[-1]])
    assert not (tmp_path / "faults").exists(), "something is left"
    assert marks(cluster, 0) == set()
    assert marks(cluster, -1) == {"label", "taint"}, "they were there before"


def marks(cluster: EmbeddedCluster, node: int) -> set[str]:
    return SetAside(cluster, cluster.nodes[node]).marks()


def main(context: str, kubeconfig: str, *nodes: str) -> None:
    """Set them aside, say so, and keep it so until somebody ends this process."""
    with set_aside(ExistingCluster(context, Path(kubeconfig), nodes)):
        print("set aside", flush=True)
        sys.stdin.read()


def start(existing: ExistingCluster) -> subprocess.Popen[str]:
    where = (existing.context, str(existing.kubeconfig), *existing.victims)
    runner = runners.start("tests.cluster.test_set_aside", *where)
    assert runners.line(runner) == "set aside\n"
    return runner


def test_they_are_marked_for_as_long_as_it_lasts(cluster: EmbeddedCluster, existing: ExistingCluster) -> None:
    with set_aside(existing):
        assert marks(cluster, 0) == {"label", "taint"}


def test_the_marks_go_when_the_run_is_killed(cluster: EmbeddedCluster, existing: ExistingCluster) -> None:
    runner = start(existing)
    assert marks(cluster, 0) == {"label", "taint"}
    runner.kill()
    runner.communicate()
    assert signs.comes(lambda: not journal.own_directory().exists(), FAULT_ENDED)
    assert marks(cluster, 0) == set()


def test_the_next_run_removes_what_is_left_and_marks_them_anew(
    cluster: EmbeddedCluster, existing: ExistingCluster
) -> None:
    runner = start(existing)
    for guard in guards(existing):
        guard.kill()
    runner.kill()
    runner.communicate()
    assert marks(cluster, 0) == {"label", "taint"}
    with set_aside(existing):
        [entry] = journal.of_cluster(existing)
        assert entry.owner_lives


def test_two_runs_do_not_share_them(existing: ExistingCluster) -> None:
    with set_aside(existing):
        runner = ExistingCluster(existing.context, existing.kubeconfig, existing.victims)
        with pytest.raises(ClusterError, match="in use by another run"), set_aside(runner):
            pytest.fail("it was taken away from the other one")


def test_one_other_node_has_to_be_left(cluster: EmbeddedCluster, existing: ExistingCluster) -> None:
    every = ExistingCluster(existing.context, existing.kubeconfig, cluster.nodes)
    with pytest.raises(ClusterError, match="leave one out of --allow-node-faults"), set_aside(every):
        pytest.fail("no Pod could run anywhere")


if __name__ == "__main__":
    main(*sys.argv[1:])
