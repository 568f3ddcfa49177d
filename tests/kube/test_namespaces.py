"""A scenario's namespace is made and removed on a real cluster, and what is stuck is named."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from podproof.errors import CleanupError
from podproof.kube import deadlines
from podproof.kube.client import Api
from podproof.kube.kinds import NAMESPACE, SERVICE_ACCOUNT, Kind
from podproof.kube.namespaces import MANAGED_BY, RUN, Namespace, name_for

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
        with pytest.raises(CleanupError) as stuck:
            namespace.delete()
        assert namespace.name in str(stuck.value)
        assert "podproof.dev/held in 1 resource instances" in str(stuck.value)
    finally:
        monkeypatch.setattr(deadlines, "NAMESPACE_GONE", patience)
        api.merge(CONFIG_MAP, namespace.name, "held", {"metadata": {"finalizers": None}})
        namespace.delete()
