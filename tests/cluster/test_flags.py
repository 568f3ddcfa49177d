"""A cluster whose components have other flags, and one whose component does not know its flag."""

import time
from collections.abc import Iterator

import pytest

from podproof.cluster.embedded import controlplane, remains
from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.cluster.embedded.paths import ClusterPaths
from podproof.errors import ClusterError
from podproof.kube.client import Api

NAME = "flags"
GRACE = "kube-controller-manager.node-monitor-grace-period=75s"


@pytest.fixture
def name() -> Iterator[str]:
    """A cluster's name; whatever has it in the end is stopped."""
    yield NAME
    EmbeddedCluster(NAME).down()


def test_components_have_the_flags_that_they_were_started_with(name: str) -> None:
    given = [GRACE, "kubelet.image-gc-high-threshold=95", "etcd.unsafe-no-fsync=false"]
    cluster = EmbeddedCluster(name, nodes=1, flags=given)
    cluster.up()
    told = controlplane.ask_controller_manager(ClusterPaths(name), cluster._addresses)
    assert told["NodeLifecycleController"]["NodeMonitorGracePeriod"] == "1m15s"
    assert cluster.settings()["node-monitor-grace-period"].value == "1m15s"
    assert cluster.etcd_is_durable
    api = Api.from_kubeconfig(cluster.kubeconfig, cluster.context)
    told = api.request("GET", "/api/v1/nodes/node-1/proxy/configz")["kubeletconfig"]
    api.close()
    assert told["imageGCHighThresholdPercent"] == 95, "a flag is stronger than the file, which says 100"
    assert list(cluster.flags) == given
    assert EmbeddedCluster(name).up() is False, "one that runs is taken as it is"
    with pytest.raises(ClusterError) as raised:
        EmbeddedCluster(name, flags=[GRACE]).up()
    assert str(raised.value) == (
        f"cluster {name} was started with {' and '.join(given)}, not with {GRACE}: "
        f"podproof down --name {name}, or take another --name"
    )


@pytest.mark.parametrize(
    ("flag", "where", "complaint"),
    [
        ("kube-scheduler.nonsense=1", "control-plane", "unknown flag: --nonsense"),
        ("etcd.nonsense=1", "control-plane", "flag provided but not defined: -nonsense"),
        ("kube-proxy.nonsense=1", "node-1", "unknown flag: --nonsense"),
    ],
)
def test_a_component_that_does_not_like_its_flag_is_quoted_soon(
    name: str, flag: str, where: str, complaint: str
) -> None:
    component = flag.partition(".")[0]
    began = time.monotonic()
    with pytest.raises(ClusterError) as raised:
        EmbeddedCluster(name, nodes=1, flags=[flag]).up()
    assert str(raised.value) == f"{component} of {where} ends again and again, with {flag}: {complaint}"
    assert time.monotonic() - began < 30, "a tenth of what is granted to components that are slow"
    assert not ClusterPaths(name).root.exists()
    assert not remains.processes(ClusterPaths(name))
