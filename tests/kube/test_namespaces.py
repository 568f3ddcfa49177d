"""A scenario's namespace is made and removed on a real cluster, and what is stuck is named."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from podproof.errors import CleanupError
from podproof.kube import deadlines
from podproof.kube.client import Api
from podproof.kube.kinds import NAMESPACE, POD, SERVICE_ACCOUNT, Kind, Object
from podproof.kube.namespaces import MANAGED_BY, RUN, Departing, Namespace, name_for

CONFIG_MAP = Kind("ConfigMap", "v1", "configmaps")


def test_a_name_tells_of_its_scenario_and_fits() -> None:
    name = name_for("A Pod that no longer matches is let go, and replaced by [another] one of the same kind")
    assert re.fullmatch(r"podproof-a-pod-that-no-longer-matches-[a-z0-9-]*-[0-9a-f]{6}", name)
    assert len(name) <= 63
    assert name != name_for("A Pod that no longer matches is let go")


def test_a_namespace_is_labelled_and_ready_for_pods(api: Api) -> None:
    namespace = Namespace.create(api, "labelled", "run-1")
    try:
        labels = api.get(NAMESPACE, None, namespace.name)["metadata"]["labels"]
        assert labels[MANAGED_BY] == "podproof"
        assert labels[RUN] == "run-1"
        assert api.get(SERVICE_ACCOUNT, namespace.name, "default")
    finally:
        namespace.delete()
    assert api.find(NAMESPACE, None, namespace.name) is None


def test_a_namespace_counts_as_cleared_when_nothing_runs_there(api: Api) -> None:
    namespace = Namespace.create(api, "cleared", "run-1")
    pod: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "idle"},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "app", "image": "registry.k8s.io/e2e-test-images/agnhost:2.66.1"}],
        },
    }
    departing = Departing()
    try:
        namespace.apply(pod, "a test")
        departing.add(namespace)
        namespace.clear()
        assert api.list(POD, namespace.name)["items"] == []
        departing.await_end()
        assert api.find(NAMESPACE, None, namespace.name) is None
    finally:
        namespace.delete()


def test_deleting_what_is_gone_is_fine(api: Api) -> None:
    Namespace(api, "podproof-never-made", "run-1").delete()


def test_a_namespace_that_stays_names_what_holds_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    namespace = Namespace.create(api, "stuck", "run-1")
    held = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "held", "finalizers": ["podproof.dev/held"]},
    }
    namespace.apply(held, "a test")
    patience = deadlines.NAMESPACE_GONE
    # Kubernetes waits 5 s before it empties a namespace at all.
    monkeypatch.setattr(deadlines, "NAMESPACE_GONE", replace(patience, seconds=8))
    try:
        departing = Departing()
        departing.add(namespace)
        namespace.clear()
        with pytest.raises(CleanupError) as stuck:
            departing.await_end()
        assert namespace.name in str(stuck.value)
        assert "podproof.dev/held in 1 resource instances" in str(stuck.value)
    finally:
        monkeypatch.setattr(deadlines, "NAMESPACE_GONE", patience)
        api.merge(CONFIG_MAP, namespace.name, "held", {"metadata": {"finalizers": None}})
        namespace.delete()
