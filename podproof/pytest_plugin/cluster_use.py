"""When the cluster is acquired and released, with and without pytest-xdist.

The controller (or the only process) acquires it when scenarios are really about to run, and releases it when
all is done. Workers attach to what the controller has acquired; they never start or stop anything.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from podproof.errors import ClusterError, PodproofError
from podproof.pytest_plugin.options import DEFAULT_NAME, allowed_victims

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from podproof.cluster.base import Cluster
    from podproof.cluster.selection import ClusterRequest

CLUSTER_USE = pytest.StashKey["ClusterUse"]()
WORKER_INPUT = "podproof_cluster"
"""What a worker is told of the cluster, and of the run."""
RUN_INPUT = "podproof_run"


class ClusterUse:
    """The cluster of this run, as this process uses it.

    Attributes:
        acquired: The cluster, once this process has it.
    """

    def __init__(self, wanted: dict[str, Any], *, worker: bool) -> None:
        self._wanted = wanted
        self._run: int = wanted["run"]
        self._worker = worker
        self.acquired: Cluster | None = None
        self._ends = ExitStack()

    @classmethod
    def of(cls, config: pytest.Config) -> ClusterUse:
        """What the command line asks for; in a worker, what the controller asks for."""
        handed: dict[str, dict[str, Any]] | None = getattr(config, "workerinput", None)
        if handed is not None:
            return cls(handed[WORKER_INPUT], worker=True)
        kubeconfig = config.getoption("kubeconfig")
        wanted = {
            "context": config.getoption("context"),
            "kubeconfig": str(kubeconfig.absolute()) if kubeconfig else None,
            "name": config.getoption("cluster_name"),
            "kubernetes_version": config.getoption("kubernetes_version"),
            "nodes": config.getoption("nodes"),
            "components": config.getoption("components"),
            "flags": config.getoption("cluster_set"),
            "victims": allowed_victims(config),
        }
        return cls({"request": wanted, "run": os.getpid()}, worker=False)

    @property
    def for_worker(self) -> dict[str, Any]:
        """What a worker has to know, as plain data."""
        return self._wanted

    def acquire(self, progress: Callable[[str], None]) -> None:
        """Make the cluster ready, starting the embedded one if it does not run yet.

        Of a cluster of others, the Nodes that may be broken are set aside for that.

        Raises:
            PodproofError: In one line, why there is none.
        """
        from podproof.cluster import selection

        if self.acquired is None:
            self.acquired = selection.acquire(self._request(), owner_pid=os.getpid(), progress=progress)
            if self.acquired.provider != "embedded" and self.acquired.victims:
                from podproof.faults.set_aside import set_aside

                self._ends.enter_context(set_aside(self.acquired))

    def cluster(self) -> Cluster:
        """The cluster; a worker attaches to it when it is first asked for.

        Raises:
            ClusterError: Nobody has acquired one.
        """
        if self.acquired is None:
            if not self._worker:
                raise ClusterError("no cluster was acquired: nothing that was selected needs one")
            from podproof.cluster import selection

            self.acquired = selection.attach(self._request())
        return self.acquired

    def spare(self) -> AbstractContextManager[Cluster]:
        """Another cluster like it, whose control plane may be broken without harm; see `selection`."""
        from podproof.cluster import selection

        return selection.spare(self.cluster(), owner_pid=self._run)

    def release(self) -> str:
        """Give the cluster back; what this run started is stopped.

        Returns:
            Why that failed, in one line; empty if it did not.
        """
        cluster, self.acquired = self.acquired, None
        if cluster is None or self._worker:
            return ""
        from podproof.cluster import selection

        try:
            self._ends.close()
            selection.release(cluster, owner_pid=self._run)
        except PodproofError as error:
            return str(error)
        return ""

    def _request(self) -> ClusterRequest:
        from podproof.cluster.selection import ClusterRequest

        wanted = self._wanted["request"]
        kubeconfig = wanted["kubeconfig"]
        typed = {
            "kubeconfig": Path(kubeconfig) if kubeconfig else None,
            "victims": tuple(wanted["victims"]),  # a worker is handed a list
            "flags": tuple(wanted["flags"]),
        }
        return ClusterRequest(**{**wanted, **typed})


def ends_with_run(cluster: Cluster) -> bool:
    """Whether a cluster was started for a run, and will be gone with it."""
    return getattr(cluster, "owner", None) is not None


def kubectl(cluster: Cluster) -> str:
    """How kubectl reaches a cluster, for the commands that texts tell."""
    if cluster.provider == "embedded":
        # It brings its own: a machine without a cluster seldom has kubectl.
        name = [] if cluster.name == DEFAULT_NAME else ["--name", cluster.name]
        return shlex.join(["podproof", "kubectl", *name])
    return shlex.join(["kubectl", "--kubeconfig", str(cluster.kubeconfig), "--context", cluster.context])
