"""Steps about single Pods."""

from __future__ import annotations

from pytest_bdd import given

from podproof.kube.kinds import Object
from podproof.kube.scene import Scene


@given("a Ready Pod that nobody owns", target_fixture="pod")
def a_pod_without_owner(scene: Scene) -> Object:
    """Make a bare Pod."""
    return scene.start_pod("replicasets/orphan")
