"""What the kernel allows the processes of a container, as they see it from inside."""

from __future__ import annotations

from dataclasses import dataclass

from podproof.errors import TrialError
from podproof.kube import files
from podproof.kube.client import Api
from podproof.kube.kinds import Object

# Control groups of version 2 have the first files, of version 1 the second.
_READ = """\
cd /sys/fs/cgroup
if [ -e cpu.max ]; then
    cat cpu.max memory.max
else
    cat cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us memory/memory.limit_in_bytes
fi
"""
_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the processes of a container may use together.

    Attributes:
        cpu: CPU time, in cores.
        memory: Memory, in bytes.
    """

    cpu: float
    memory: int

    def __str__(self) -> str:
        return f"{self.cpu:g} cores and {self.memory / 2**20:g} MiB"


def limits(api: Api, pod: Object, container: str) -> Limits:
    """The limits of a container's control group now.

    Raises:
        TrialError: It has no limits, or they cannot be read.
    """
    words = files.must_run(api, pod, container, _READ).split()
    try:
        quota, period, memory = map(int, words)
    except ValueError as error:
        raise TrialError(f"the control group of container {container} has no limits: {words}") from error
    return Limits(quota / period, memory)


def wanted(resources: Object) -> Limits:
    """The limits that a manifest's `limits` name, in thousandths of a core and binary multiples of bytes."""
    memory = resources["memory"]
    return Limits(int(resources["cpu"].removesuffix("m")) / 1000, int(memory[:-2]) * _UNITS[memory[-2:]])
