"""The nouns that steps speak of: where a scenario takes place, and what watches it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from podproof.cluster import capabilities, locks
from podproof.cluster.base import Cluster
from podproof.errors import TrialError
from podproof.faults import traces
from podproof.faults.mending import mend
from podproof.kube import deadlines
from podproof.kube.client import Api
from podproof.kube.namespaces import Departing, Namespace
from podproof.kube.recording import Recording
from podproof.kube.scene import Scene
from podproof.traffic.steady import Traffic

pytest.register_assert_rewrite("steps")  # whichever of them imports another first, or pytest warns
pytest_plugins = [
    "steps.autoscaling",
    "steps.claims",
    "steps.communication_lab",
    "steps.containers",
    "steps.control_plane",
    "steps.crash_loops",
    "steps.deployments",
    "steps.drains",
    "steps.endings",
    "steps.faults",
    "steps.jobs",
    "steps.localhost",
    "steps.losses",
    "steps.members",
    "steps.nodes",
    "steps.ownership",
    "steps.partitions",
    "steps.pods",
    "steps.probes",
    "steps.recovery",
    "steps.refusals",
    "steps.replicasets",
    "steps.requests",
    "steps.roles",
    "steps.rollouts",
    "steps.scaling",
    "steps.services",
    "steps.shares",
    "steps.statefulsets",
    "steps.storage",
    "steps.storage_lab",
    "steps.traffic",
    "steps.volumes",
    "steps.web_app",
    "steps.web_servers",
]


@pytest.fixture(scope="session")
def connections() -> Iterator[dict[str, Api]]:
    """The API servers that scenarios of this process have talked to, by context."""
    known: dict[str, Api] = {}
    yield known
    for each in known.values():
        each.close()


@pytest.fixture
def api(cluster: Cluster, connections: dict[str, Api], has_own_cluster: bool) -> Iterator[Api]:
    """The cluster's API server."""
    if has_own_cluster:
        with closing(Api.from_kubeconfig(cluster.kubeconfig, cluster.context)) as its_own:
            yield its_own
        return
    if cluster.context not in connections:
        connections[cluster.context] = Api.from_kubeconfig(cluster.kubeconfig, cluster.context)
    yield connections[cluster.context]


@pytest.fixture(scope="session")
def run_id(request: pytest.FixtureRequest) -> str:
    """What this run, with all its processes, labels its namespaces with."""
    worker_input = getattr(request.config, "workerinput", {})
    return str(worker_input.get("testrunuid") or secrets.token_hex(8))


@pytest.fixture(scope="session")
def departures(connections: dict[str, Api], run_id: str) -> Iterator[Callable[[Cluster], Departing]]:
    """Gives the namespaces of scenarios that are done on a cluster; they are gone before the run is."""
    del connections  # asked for: they have to outlive them
    known: dict[str, Departing] = {}
    with ExitStack() as ends:

        def of(cluster: Cluster) -> Departing:
            if cluster.context not in known:
                known[cluster.context] = Departing()
                ends.enter_context(traces.written(cluster, run_id))
                ends.callback(known[cluster.context].await_end)
            return known[cluster.context]

        yield of


@pytest.fixture
def namespace(
    api: Api,
    run_id: str,
    cluster: Cluster,
    departures: Callable[[Cluster], Departing],
    has_own_cluster: bool,
    keep_namespace: Callable[[], bool],
    request: pytest.FixtureRequest,
) -> Iterator[Namespace]:
    """The scenario's own namespace; nothing of it runs any more before the scenario counts as done."""
    if has_own_cluster:
        yield Namespace.create(api, request.node.name.removeprefix("test_"), run_id)
        return  # it ends with its cluster
    if request.node.get_closest_marker("victim-node"):
        request.getfixturevalue("victim_node")  # until here: nobody breaks the Node while its Pods end
    departing = departures(cluster)
    made = Namespace.create(api, request.node.name.removeprefix("test_"), run_id)
    yield made
    if not keep_namespace():
        departing.add(made)
        made.clear()


@pytest.fixture
def recording(api: Api, namespace: Namespace) -> Iterator[Recording]:
    """Everything that happens in the scenario's namespace, and to the Nodes, while its steps run."""
    with Recording(api, namespace.name) as running:
        yield running


@pytest.fixture
def scene(api: Api, namespace: Namespace, recording: Recording, pytestconfig: pytest.Config) -> Scene:
    """What steps act in and look at."""
    return Scene(api, namespace, recording, pytestconfig.rootpath / "manifests")


@pytest.fixture
def traffic(scene: Scene) -> Traffic:
    """Clients that send requests at a steady rate; they end with the scenario's namespace at the latest."""
    return Traffic(scene)


@pytest.fixture
def word() -> str:
    """A word that stands nowhere else: a file's name or content that can only come from this scenario."""
    return f"podproof-{secrets.token_hex(6)}"


@pytest.fixture
def node_disk(cluster: Cluster, api: Api, pytestconfig: pytest.Config) -> None:
    """Leave to read the Nodes' disks and to write there; on a cluster of others it has to be given."""
    if not pytestconfig.getoption("allow_node_disk"):
        capabilities.require(cluster, api, capabilities.NODE_DISK)


@pytest.fixture
def cluster_objects(cluster: Cluster, api: Api, pytestconfig: pytest.Config) -> None:
    """Leave to make objects that no namespace holds; on a cluster of others it has to be given."""
    if not pytestconfig.getoption("allow_cluster_objects"):
        capabilities.require(cluster, api, capabilities.CLUSTER_OBJECTS)


@pytest.fixture
def victim_node(cluster: Cluster, api: Api) -> Iterator[str]:
    """The name of a Node that only this scenario may break, until its end: whichever is free first."""
    capabilities.require(cluster, api, capabilities.VICTIMS)
    files = {locks.of_node(cluster, node): node for node in cluster.victims}
    try:
        with locks.any_free(tuple(files), deadlines.NODE_FREE.patience) as file:
            mend(cluster, api, files[file])
            yield files[file]
    except locks.NoneFreeError as error:
        raise TrialError(
            f"none of the Nodes {', '.join(cluster.victims)} was free within {deadlines.NODE_FREE}"
        ) from error
