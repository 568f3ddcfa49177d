"""Talking to a real API server, and saying clearly why not."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml

from podproof.cluster.base import Cluster
from podproof.errors import ClusterError
from podproof.kube import deadlines
from podproof.kube.client import Api, ApiError
from podproof.kube.kinds import NAMESPACE, NODE, POD
from podproof.kube.namespaces import Namespace


def test_a_missing_kubeconfig_is_named() -> None:
    with pytest.raises(ClusterError, match=r"no kubeconfig at /nowhere/config"):
        Api.from_kubeconfig(Path("/nowhere/config"), "any")


def test_a_missing_context_is_named_with_what_lists_them(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match=r"no usable context 'absent'.*get-contexts"):
        Api.from_kubeconfig(cluster.kubeconfig, "absent")


def test_a_server_that_does_not_answer_is_named_after_retries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server = f"https://127.0.0.1:{unused.getsockname()[1]}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "dead", "context": {"cluster": "c", "user": "u"}}],
    }
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(config))
    brief = deadlines.Deadline("a test", 0.5, "", "")
    monkeypatch.setattr(deadlines, "API_RETRY", brief)
    with pytest.raises(ClusterError) as failed:
        Api.from_kubeconfig(file, "dead")
    assert "'dead'" in str(failed.value)
    assert server in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_server_that_the_context_does_not_trust_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    for each in config["clusters"]:
        for key in [key for key in each["cluster"] if key.startswith("certificate-authority")]:
            del each["cluster"][key]
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(config))
    with pytest.raises(ClusterError, match="is not the one that context") as failed:
        Api.from_kubeconfig(file, cluster.context)
    assert "\n" not in str(failed.value)


def test_the_servers_no_comes_with_its_reason(api: Api) -> None:
    with pytest.raises(ApiError) as refused:
        api.get(POD, "default", "podproof-absent")
    assert (refused.value.status, refused.value.reason) == (404, "NotFound")
    assert api.find(POD, "default", "podproof-absent") is None


def test_an_answer_of_the_server_is_not_retried(api: Api) -> None:
    before = api.retries
    with pytest.raises(ApiError):
        api.create(NAMESPACE, None, {"metadata": {"name": "default"}})
    assert api.retries == before


def test_kinds_are_found_by_asking(api: Api) -> None:
    assert api.kind("v1", "Node") == NODE
    assert api.kind("apps/v1", "Deployment").plural == "deployments"
    with pytest.raises(ClusterError, match="serves no Gadget in v1"):
        api.kind("v1", "Gadget")
    with pytest.raises(ClusterError, match=r"serves no Gadget in example\.org/v1"):
        api.kind("example.org/v1", "Gadget")


def test_applying_again_changes_what_another_manager_has_set(api: Api, namespace: Namespace) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}}
    stored = namespace.apply(config, "first")
    assert stored["metadata"]["uid"]
    api.merge(api.kind("v1", "ConfigMap"), namespace.name, "c", {"data": {"a": "2"}})
    assert namespace.apply(config, "second")["data"] == {"a": "1"}
    assert [applied.source for applied in namespace.applied] == ["first", "second"]


def test_the_servers_warnings_are_kept_once(api: Api, namespace: Namespace) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "odd"},
        "spec": {
            "containers": [{"name": "app", "image": "none", "env": [{"name": "A"}, {"name": "A"}]}],
            "nodeSelector": {"podproof.dev/never": "true"},
        },
    }
    for _ in range(2):
        api.request("POST", POD.path(namespace.name), query={"dryRun": "All"}, body=pod)
    assert [text for text in api.warnings if "spec.containers[0].env[1]" in text] == [
        'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'
    ]
