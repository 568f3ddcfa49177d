"""Every fault of the machines of an embedded cluster, as the tests know it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from podproof.cluster.embedded.cluster import EmbeddedCluster
from podproof.cluster.embedded.partition import PARTS
from podproof.faults.fault import Fault
from podproof.faults.injected import injected
from podproof.faults.nodes import Cordoned, CutOff, OutOfService, Partitioned, PoweredOff
from podproof.faults.programs import CONTROL_PLANE, ProgramStopped, broken
from podproof.kube.deadlines import Deadline

Make = Callable[[EmbeddedCluster], Fault]

LASTS = Deadline("a fault of a test to be undone", 60, "nothing here takes that long", "the test's patience")


def _every() -> dict[str, Make]:
    found: dict[str, Make] = {
        "powered off": lambda cluster: PoweredOff(cluster, cluster.victims[0]),
        "cut off": lambda cluster: CutOff(cluster, cluster.victims[0]),
        "out of service": lambda cluster: OutOfService(cluster, cluster.victims[0]),
        "cordoned": lambda cluster: Cordoned(cluster, cluster.victims[0]),
        "containerd stopped": lambda cluster: ProgramStopped(cluster, cluster.victims[0], "containerd"),
    }
    for part in PARTS:
        found[f"without {part}"] = lambda cluster, part=part: Partitioned(  # type: ignore[misc]
            cluster, cluster.victims[0], part, LASTS.seconds
        )
    for program in ("kubelet", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"):
        found |= _of_program(program)
    return found


def _of_program(program: str) -> dict[str, Make]:
    def machine(cluster: EmbeddedCluster) -> str:
        return cluster.victims[0] if program == "kubelet" else CONTROL_PLANE

    return {
        f"{program} {how}": lambda cluster, how=how: broken(cluster, machine(cluster), program, how)  # type: ignore[misc]
        for how in ("stopped", "frozen", "killed")
    }


FAULTS = _every()
"""Each fault by its name in the tests."""


def main(cluster: str, which: str) -> None:
    """Inject a fault, say so, and keep it until somebody ends this process."""
    fault = FAULTS[which](EmbeddedCluster(cluster))
    print(json.dumps({"fault": which}), flush=True)
    with injected(fault, LASTS):
        print("injected", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
