"""What no namespace holds is removed with its scenario, on a real cluster, and what is stuck is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from podproof.errors import CleanupError
from podproof.kube import deadlines, storage
from podproof.kube.client import Api, ApiError
from podproof.kube.kinds import PERSISTENT_VOLUME, SERVICE_ACCOUNT, Kind, Object, name
from podproof.kube.namespaces import MANAGED_BY, RUN, Namespace
from podproof.kube.recording import Recording
from podproof.kube.users import as_service_account, await_role

CONFIG_MAP = Kind("ConfigMap", "v1", "configmaps")


@pytest.fixture
def namespace(api: Api) -> Iterator[Namespace]:
    made = Namespace.create(api, "beyond", "run-1")
    yield made
    made.delete()


def volume(**metadata: object) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "disk", **metadata},
        "spec": {
            "storageClassName": "by-hand",
            "capacity": {"storage": "1Mi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": "/mnt/podproof/never-made"},
        },
    }


def test_an_object_of_the_cluster_is_named_and_labelled_after_its_namespace_and_goes_with_it(
    api: Api,
) -> None:
    namespace = Namespace.create(api, "beyond", "run-1")
    try:
        made = namespace.apply(volume(), "a test")
        assert name(made) == f"{namespace.name}-disk"
        assert made["metadata"]["labels"] == {
            MANAGED_BY: "podproof",
            RUN: "run-1",
            "podproof.dev/namespace": namespace.name,
        }
    finally:
        namespace.clear()
    assert api.find(PERSISTENT_VOLUME, None, name(made)) is None
    namespace.await_end()


def test_an_object_that_stays_names_what_holds_it(
    api: Api, namespace: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = namespace.apply(volume(finalizers=["podproof.dev/held"]), "a test")
    patience = deadlines.CLUSTER_OBJECT_GONE
    monkeypatch.setattr(deadlines, "CLUSTER_OBJECT_GONE", replace(patience, seconds=1))
    with pytest.raises(CleanupError) as stuck:
        namespace.clear()
    assert name(made) in str(stuck.value)
    assert "podproof.dev/held" in str(stuck.value)
    api.merge(PERSISTENT_VOLUME, None, name(made), {"metadata": {"finalizers": None}})


def test_a_recording_has_the_volumes_of_its_own_scenario_and_no_others(
    api: Api, namespace: Namespace
) -> None:
    stranger = Namespace.create(api, "stranger", "run-1")
    try:
        with Recording(api, namespace.name, ()) as recording:
            storage.record_volumes(recording)
            storage.record_volumes(recording)  # once more does no harm
            stranger.apply(volume(), "a test")
            own = namespace.apply(volume(), "a test")
            recording.catch_up((PERSISTENT_VOLUME,))
            assert [name(each) for each in recording.latest(PERSISTENT_VOLUME)] == [name(own)]
    finally:
        stranger.delete()


def test_a_service_account_may_do_what_its_role_says_and_no_more(api: Api, namespace: Namespace) -> None:
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "default"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "elsewhere"}],
    }
    namespace.apply(binding, "a test")
    user = as_service_account(api, namespace.name, "default")
    try:
        await_role(user, "list", "pods", namespace.name)
        assert api.find(SERVICE_ACCOUNT, namespace.name, "default")
        assert user.list(CONFIG_MAP, namespace.name)["items"]
        with pytest.raises(ApiError) as refused:
            user.delete(CONFIG_MAP, namespace.name, "kube-root-ca.crt")
        assert refused.value.status == 403
    finally:
        user.close()
