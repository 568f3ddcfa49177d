"""What a killed runner has left of a Node's faults is undone by whoever may break that Node next."""

from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.faults.mending import mend
from podproof.kube.client import Api
from podproof.kube.kinds import NODE


def test_a_node_that_was_left_cordoned_and_without_power_is_in_service_again(
    cluster: EmbeddedCluster, api: Api
) -> None:
    node = cluster.victims[0]
    api.merge(NODE, None, node, {"spec": {"unschedulable": True}})
    cluster.power_off(node)

    mend(cluster, api, node)

    assert cluster.is_on(node)
    found = api.get(NODE, None, node)
    assert not found["spec"].get("unschedulable")
    ready = {each["type"]: each["status"] for each in found["status"]["conditions"]}["Ready"]
    assert ready == "True"


def test_mending_a_node_that_is_in_service_changes_nothing(cluster: EmbeddedCluster, api: Api) -> None:
    node = cluster.victims[0]
    processes = {(each.pid, each.create_time()) for each in cluster.machine(node).processes()}

    mend(cluster, api, node)

    assert processes <= {(each.pid, each.create_time()) for each in cluster.machine(node).processes()}
