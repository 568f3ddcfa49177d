"""Which cluster a run uses: the embedded one, or the one whose context it is given."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from podproof.errors import ClusterError, TrialError
from podproof.kube import deadlines

from . import locks
from .base import Cluster
from .embedded.cluster import DEFAULT_NAME, EmbeddedCluster
from .existing import ExistingCluster


@dataclass(frozen=True)
class ClusterRequest:
    """What the command line says about the cluster.

    Attributes:
        context: An existing cluster's context; None for the embedded cluster.
        kubeconfig: Where that context is; None for where kubectl would look.
        name: The embedded cluster's name.
        kubernetes_version: The embedded cluster's version; None for the one that runs, or else the default.
        nodes: How many Nodes the embedded cluster has, if it does not run yet; None for the default.
        components: Where the embedded cluster's Kubernetes comes from; see `EmbeddedCluster`.
        flags: Flags of the embedded cluster's components; likewise.
        victims: The Nodes of an existing cluster that may be broken.
    """

    context: str | None = None
    kubeconfig: Path | None = None
    name: str = DEFAULT_NAME
    kubernetes_version: str | None = None
    nodes: int | None = None
    components: str | None = None
    flags: tuple[str, ...] = ()
    victims: tuple[str, ...] = ()


def acquire(request: ClusterRequest, *, owner_pid: int, progress: Callable[[str], None]) -> Cluster:
    """Return the cluster that is asked for, and start the embedded one if it does not run.

    One that is started here ends with `release`, or by itself when process `owner_pid` is gone.

    Raises:
        PodproofError: It cannot be had; the text is one line.
    """
    if request.context is not None:
        return ExistingCluster(request.context, request.kubeconfig, request.victims)
    running = EmbeddedCluster(request.name).is_running
    cluster = EmbeddedCluster(
        request.name,
        kubernetes_version=request.kubernetes_version,
        # One that runs is taken as it is.
        nodes=None if running else request.nodes,
        components=request.components,
        flags=request.flags,
        report=progress,
    )
    cluster.up(owner=owner_pid)
    return cluster


def attach(request: ClusterRequest) -> Cluster:
    """Return the cluster that another process acquired; starts nothing.

    Raises:
        PodproofError: It is not there.
    """
    if request.context is not None:
        return ExistingCluster(request.context, request.kubeconfig, request.victims)
    cluster = EmbeddedCluster(request.name)
    if not cluster.is_running:  # a Node may be off: another scenario has just cut its power
        raise ClusterError(f"the embedded cluster {request.name} is gone: it was running when this run began")
    return cluster


def release(cluster: Cluster, *, owner_pid: int) -> None:
    """Stop the cluster if `acquire` started it for this owner, and a spare one that a scenario left behind.

    Raises:
        CleanupError: Something of it could not be removed; it is named.
    """
    if isinstance(cluster, EmbeddedCluster):
        try:
            _end(EmbeddedCluster(_spare_name(owner_pid)))
        finally:
            cluster.release(owner_pid)


SPARE_NODES = 2
"""For what needs two Nodes; none of them is a victim."""


@contextmanager
def spare(cluster: Cluster, *, owner_pid: int) -> Iterator[Cluster]:
    """Another cluster of this one's version and flags, small and brand-new, to break its control plane.

    Whoever watches an API server that is away looks for it less and less often, up to a minute apart, and
    knows of no change until he finds it: a cluster that was broken is of no use to the next one who breaks
    it. Each cluster has one spare at a time, which ends with the block. Of a cluster of others there is
    none: it is given itself.

    Raises:
        TrialError: Others had it for too long.
        PodproofError: It cannot be had; the text is one line.
    """
    if not isinstance(cluster, EmbeddedCluster):
        yield cluster
        return
    other = EmbeddedCluster(
        _spare_name(owner_pid),
        kubernetes_version=cluster.kubernetes_version,
        nodes=SPARE_NODES,
        components=cluster.components_origin,
        flags=cluster.flags,
    )
    with ExitStack() as held:
        try:
            held.enter_context(locks.any_free([locks.of_spare(cluster)], deadlines.TURN.patience))
        except locks.NoneFreeError as error:
            raise TrialError(f"not within {deadlines.TURN}: others broke theirs") from error
        _end(other)  # of a process that was killed
        held.callback(_end, other)
        other.up(owner=owner_pid)
        yield other


def _end(spare_one: EmbeddedCluster) -> None:
    # Most runs never need one: those leave no lock of it in the cache.
    if spare_one.kubeconfig.parent.exists():
        spare_one.down()


def _spare_name(owner_pid: int) -> str:
    return f"spare-{owner_pid}"
