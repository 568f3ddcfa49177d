"""How limits in a manifest compare with those of the kernel."""

from __future__ import annotations

from podproof.kube.cgroups import Limits, wanted


def test_a_manifests_limits_in_the_kernels_units() -> None:
    assert wanted({"cpu": "200m", "memory": "32Mi"}) == Limits(0.2, 32 * 2**20)
