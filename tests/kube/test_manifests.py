"""Manifests are what kubectl takes, and what cannot be read is said with its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from podproof.errors import UsageError
from podproof.kube import manifests
from podproof.kube.files import mount_path

MANIFESTS = Path(__file__).parents[2] / "manifests"


def test_documents_come_in_order(tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text(
        "---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: a}}\n"
        "---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: b}}\n"
        "---\n"
    )
    assert [thing["metadata"]["name"] for thing in manifests.load(file)] == ["a", "b"]


@pytest.mark.parametrize("text", ["a: [", "just a text", "kind: Pod"])
def test_what_is_no_manifest_is_refused_by_its_path(tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"broken\.yaml"):
        manifests.load(file)


def test_a_missing_file_is_refused_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.yaml"):
        manifests.load(tmp_path / "absent.yaml")


LONGEST_GRACE = 10
"""Seconds that Pods may take to end; those whose program ends at once never use them."""


BY_DEFAULT = {MANIFESTS / "recovery" / "default.yaml"}
"""Those that are about what Kubernetes does where a manifest says nothing."""


@pytest.mark.parametrize("path", sorted(MANIFESTS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_no_manifest_makes_anybody_wait_for_nothing(path: Path) -> None:
    for thing in manifests.load(path):
        spec = thing.get("spec", {})
        pod = spec.get("template", {}).get("spec", spec)
        if "containers" not in pod:
            continue
        assert pod["terminationGracePeriodSeconds"] <= LONGEST_GRACE
        for container in pod["containers"]:
            assert container["imagePullPolicy"] == "IfNotPresent"
            assert container["resources"]["requests"]
            probes = [value for key, value in container.items() if key.endswith("Probe")]
            assert path in BY_DEFAULT or all(probe["periodSeconds"] == 1 for probe in probes)


def test_each_container_has_a_volume_where_its_manifest_says() -> None:
    (pod,) = manifests.load(MANIFESTS / "volumes" / "shared-on-disk.yaml")
    assert mount_path(pod, "first", "data") == "/first"
    assert mount_path(pod, "second", "data") == "/second"
