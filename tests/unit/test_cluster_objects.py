"""Names of the whole cluster become a scenario's own, wherever a manifest has them."""

from __future__ import annotations

from typing import Any, cast

from podproof.kube.client import Api
from podproof.kube.cluster_objects import NAMESPACE_LABEL, ClusterObjects
from podproof.kube.kinds import CLAIM, PERSISTENT_VOLUME, POD, Kind, Object

DAEMON_SET = Kind("DaemonSet", "apps/v1", "daemonsets")
CLUSTER_ROLE = Kind("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", namespaced=False)
ROLE_BINDING = Kind("RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings")


def objects() -> ClusterObjects:
    return ClusterObjects(cast(Api, None), "podproof-some-3f2a1b", {"owner": "podproof"})


def volume(**spec: Any) -> Object:
    return {"metadata": {"name": "disk", "labels": {"type": "local"}}, "spec": spec}


def test_a_volume_gets_a_name_a_class_and_a_directory_of_its_own() -> None:
    plain = volume(storageClassName="fast", local={"path": "/mnt/podproof/disk"})
    adapted = objects().adapt(PERSISTENT_VOLUME, plain)
    assert adapted["metadata"]["name"] == "podproof-some-3f2a1b-disk"
    assert adapted["metadata"]["labels"] == {
        "type": "local",
        "owner": "podproof",
        NAMESPACE_LABEL: "podproof-some-3f2a1b",
    }
    assert adapted["spec"]["storageClassName"] == "podproof-some-3f2a1b-fast"
    assert adapted["spec"]["local"]["path"] == "/mnt/podproof/podproof-some-3f2a1b/disk"
    assert plain["metadata"]["name"] == "disk", "the manifest itself is left alone"


def test_to_adapt_twice_changes_nothing_more() -> None:
    plain = volume(storageClassName="fast", hostPath={"path": "/mnt/podproof/disk"})
    once = objects().adapt(PERSISTENT_VOLUME, plain)
    assert objects().adapt(PERSISTENT_VOLUME, once) == once


def test_a_claim_keeps_its_name_and_follows_its_class() -> None:
    claim = {"metadata": {"name": "data"}, "spec": {"storageClassName": "fast"}}
    adapted = objects().adapt(CLAIM, claim)
    assert adapted["metadata"] == {"name": "data"}
    assert adapted["spec"]["storageClassName"] == "podproof-some-3f2a1b-fast"


def test_a_claim_for_the_default_class_stays_one() -> None:
    for spec in ({}, {"storageClassName": ""}):
        claim = {"metadata": {"name": "data"}, "spec": spec}
        assert objects().adapt(CLAIM, claim) == claim


def test_only_directories_below_the_own_one_are_moved() -> None:
    def paths(*volumes: str) -> list[Object]:
        return [{"hostPath": {"path": path}} for path in volumes]

    spec = {"volumes": paths("/mnt/podproof/share", "/dev/fuse", "/mnt/podproof", "/mnt/podproofs/x")}
    moved = paths(
        "/mnt/podproof/podproof-some-3f2a1b/share", "/dev/fuse", "/mnt/podproof", "/mnt/podproofs/x"
    )
    assert objects().adapt(POD, {"metadata": {}, "spec": spec})["spec"]["volumes"] == moved
    template = {"template": {"spec": spec}}
    adapted = objects().adapt(DAEMON_SET, {"metadata": {}, "spec": template})
    assert adapted["spec"]["template"]["spec"]["volumes"] == moved


def test_a_binding_follows_the_roles_that_were_made_and_no_others() -> None:
    ours = objects()
    role = ours.adapt(CLUSTER_ROLE, {"metadata": {"name": "storage"}})
    ours.note(CLUSTER_ROLE, role)

    def bound(to: str) -> Object:
        binding = {
            "metadata": {"name": "binding"},
            "roleRef": {"kind": "ClusterRole", "name": to},
            "subjects": [{"kind": "ServiceAccount", "name": "someone", "namespace": "default"}],
        }
        return ours.adapt(ROLE_BINDING, binding)

    assert bound("storage")["roleRef"]["name"] == "podproof-some-3f2a1b-storage"
    assert bound("edit")["roleRef"]["name"] == "edit"
    assert bound("edit")["subjects"][0]["namespace"] == "podproof-some-3f2a1b"
