"""A Node's power is cut and comes back."""

import os
import socket
from typing import Any

import pytest

from podproof.cluster import locks
from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.errors import UsageError
from podproof.kube import watch
from podproof.kube.client import Api
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import NODE, POD, Object
from podproof.kube.namespaces import Namespace

from .snapshot import Belongings

NOTICED = Deadline(
    "the loss of a Node to be noticed", 90, "the grace period is 50 s", "node-monitor-grace-period"
)
BACK = Deadline("a Node to be back", 90, "containerd, the kubelet, its first report", "the test's patience")

SLEEPER: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "sleeper"},
    "spec": {
        "tolerations": [{"key": "podproof.dev/victim", "operator": "Exists"}],
        "containers": [{"name": "app", "image": "registry.k8s.io/e2e-test-images/agnhost:2.66.1"}],
    },
}


def condition(thing: Object | None, kind: str) -> str:
    conditions = (thing or {}).get("status", {}).get("conditions", ())
    return next((str(each["status"]) for each in conditions if each["type"] == kind), "")


def test_power_off_ends_every_process_and_power_on_brings_the_node_and_its_pods_back(
    cluster: EmbeddedCluster, api: Api, namespace: Namespace
) -> None:
    node = cluster.victims[0]
    api.create(POD, namespace.name, SLEEPER | {"spec": SLEEPER["spec"] | {"nodeName": node}})

    def running(pod: Object | None) -> bool:
        return condition(pod, "Ready") == "True"

    pod = watch.until(api, POD, namespace.name, "sleeper", running, BACK)
    assert pod is not None
    processes = cluster.machine(node).processes()
    assert {"containerd", "kubelet", "kube-proxy", "agnhost"} <= {process.name() for process in processes}
    before = Belongings(frozenset(processes), frozenset())

    cluster.power_off(node)

    assert before.left() == [], "gone at once"
    assert cluster.machine(node).processes() == []
    assert not cluster.machine(node).is_on
    assert not cluster.is_complete
    watch.until(api, NODE, None, node, lambda thing: condition(thing, "Ready") == "Unknown", NOTICED)

    cluster.power_on(node)

    watch.until(api, NODE, None, node, lambda thing: condition(thing, "Ready") == "True", BACK)

    def restarted(thing: Object | None) -> bool:
        statuses = (thing or {}).get("status", {}).get("containerStatuses", ())
        return running(thing) and all(each["restartCount"] == 1 for each in statuses)

    again = watch.until(api, POD, namespace.name, "sleeper", restarted, BACK)
    assert again is not None
    assert again["metadata"]["uid"] == pod["metadata"]["uid"], "the same Pod, its container restarted"
    assert cluster.is_complete


def test_power_of_an_unknown_node(cluster: EmbeddedCluster) -> None:
    with pytest.raises(UsageError, match="no machine node-99; it has control-plane, node-1"):
        cluster.power_off("node-99")


def test_a_node_that_is_cut_off_runs_on_and_is_back_when_it_rejoins(
    cluster: EmbeddedCluster, api: Api
) -> None:
    node = cluster.victims[0]
    before = {(process.pid, process.create_time()) for process in cluster.machine(node).processes()}
    kubelet = (cluster.machine(node).address, 10250)
    socket.create_connection(kubelet, timeout=3).close()

    cluster.isolate(node)

    with pytest.raises(OSError, match=r"timed out|No route to host|unreachable"):
        socket.create_connection(kubelet, timeout=3)
    after = {(process.pid, process.create_time()) for process in cluster.machine(node).processes()}
    assert cluster.is_on(node)
    assert before & after, "it runs on"

    assert cluster.up(owner=os.getpid()), "somebody forgot to mend it"

    socket.create_connection(kubelet, timeout=3).close()
    watch.until(api, NODE, None, node, lambda thing: condition(thing, "Ready") == "True", BACK)
    assert not cluster.up(owner=os.getpid()), "there is nothing left to mend"


def test_what_somebody_breaks_on_purpose_is_left_alone(cluster: EmbeddedCluster) -> None:
    node = cluster.victims[0]
    with locks.any_free([locks.of_node(cluster, node)]):
        cluster.isolate(node)
        assert not cluster.up(owner=os.getpid()), "it is somebody else's to mend"
    assert cluster.up(owner=os.getpid())
