"""Every fault of Pods and containers, as the tests know it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

from podproof.cluster.base import Cluster
from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.faults.container_endings import ENDINGS, ended
from podproof.faults.fault import Fault
from podproof.faults.injected import injected
from podproof.faults.inside import crash_loop, frozen, full
from podproof.faults.pod_losses import LOSSES, lost
from podproof.faults.pod_network import DnsGone, PodCutOff
from podproof.faults.service import api_of
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import POD, Object

MANIFEST = "pods/breakable"
LASTS = Deadline("a fault of a test to be undone", 120, "nothing here takes that long", "the test's patience")

Make = Callable[[Cluster, Object, float], Fault]
"""Makes a fault of a Pod of `MANIFEST` that lasts for so many seconds."""

LASTING: dict[str, Make] = {
    "frozen": lambda cluster, pod, seconds: frozen(cluster, pod, "app", seconds),
    "volume full": lambda cluster, pod, seconds: full(cluster, pod, "beside", "data", seconds),
    "crash loop": lambda cluster, pod, seconds: crash_loop(
        cluster, pod, "app", volume="data", beside="beside", seconds=seconds
    ),
    "cut off": PodCutOff.of,
    "without DNS": DnsGone.of,
}
"""Those that are undone."""


def _irreversible() -> dict[str, Make]:
    def loss(how: str, cluster: Cluster, pod: Object, _: float) -> Fault:
        return lost(cluster, pod, how)

    def end(how: str, cluster: Cluster, pod: Object, _: float) -> Fault:
        return ended(cluster, pod, "app", how)

    found: dict[str, Make] = {f"Pod {how}": functools.partial(loss, how) for how in LOSSES}
    return found | {f"container {how}": functools.partial(end, how) for how in ENDINGS}


FAULTS = LASTING | _irreversible()
"""Each fault by its name in the tests."""


def main(cluster: str, which: str, namespace: str, pod: str, seconds: str) -> None:
    """Inject a fault, say so, and keep it until somebody ends this process."""
    where = EmbeddedCluster(cluster)
    with api_of(where) as api:
        fault = FAULTS[which](where, api.get(POD, namespace, pod), float(seconds))
    print(f"about to inject {fault.kind}", flush=True)
    with injected(fault, LASTS):
        print("injected", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
