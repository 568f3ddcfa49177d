"""Containers that are ended from the inside; the kubelet starts them again, as their Pod says.

They cooperate: the manifest says how, see `manifests/pods/breakable.yaml`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from podproof.cluster.base import Cluster
from podproof.errors import TrialError
from podproof.faults.pod_fault import Irreversible
from podproof.faults.service import api_of
from podproof.kube import files
from podproof.kube.client import Api
from podproof.kube.kinds import Object, name, uid
from podproof.kube.states import container_status

_KILLED = 128 + 9  # as a shell puts SIGKILL


@dataclass(frozen=True)
class _ContainerEnded(Irreversible):
    """A container whose main process is ended.

    Attributes:
        container: Its name.
        instance: The id of the instance that it is; a later one is left alone.
    """

    container: str
    instance: str
    did: ClassVar[str] = ""
    script: ClassVar[str] = ""

    def describe(self) -> str:
        """See `Fault`."""
        return f"container {self.container} of Pod {self.target} {self.did}"

    def demand_possible(self) -> None:
        """It runs, and is the instance that is meant."""
        with api_of(self.cluster) as api:
            self._running(api)

    def inject(self) -> None:
        """Run the command that ends it."""
        with api_of(self.cluster) as api:
            pod = self._running(api)
            # The command may not outlive what it causes, so how it ended tells nothing; `confirm` does.
            with suppress(TrialError):
                files.run(api, pod, self.container, self.script)

    def confirm(self) -> None:
        """The kubelet says how this instance has ended."""
        self.await_sign(
            lambda pod: pod is not None and self._has_ended(pod), f"container {self.container} {self.did}"
        )

    def is_meant(self, ended: Object) -> bool:
        """Whether an end, as the kubelet tells it, is the one that was to be brought about."""
        return bool(ended["exitCode"] == _KILLED and ended.get("reason") == "Error")

    def _running(self, api: Api) -> Object:
        return must_run_in(self.must_find(api), self.container, self.instance)

    def _has_ended(self, pod: Object) -> bool:
        status = container_status(pod, self.container)
        ends = [status.get(key, {}).get("terminated") for key in ("state", "lastState")]
        return any(end and end.get("containerID") == self.instance and self.is_meant(end) for end in ends)


@dataclass(frozen=True)
class ContainerKilled(_ContainerEnded):
    """A container whose main process gets SIGKILL."""

    kind = "container-killed"
    did = "is killed"
    script = "kill -KILL $(cat /tmp/pid)"


@dataclass(frozen=True)
class ContainerTerminated(_ContainerEnded):
    """A container whose main process gets SIGTERM, and ends as it sees fit."""

    kind = "container-terminated"
    did = "is told to end"
    script = "kill -TERM $(cat /tmp/pid)"

    def is_meant(self, ended: Object) -> bool:
        """It ended by itself, well or not: SIGKILL would be somebody else's."""
        return bool(ended["exitCode"] != _KILLED)


@dataclass(frozen=True)
class ContainerOutOfMemory(_ContainerEnded):
    """A container whose main process takes more memory than its limit."""

    kind = "container-out-of-memory"
    did = "runs out of memory"
    script = "echo memory >/tmp/order"

    def is_meant(self, ended: Object) -> bool:
        """The kernel ended it for that."""
        return ended.get("reason") == "OOMKilled"


ENDINGS: dict[str, type[_ContainerEnded]] = {
    "killed": ContainerKilled,
    "terminated": ContainerTerminated,
    "out of memory": ContainerOutOfMemory,
}
"""How a container can be ended."""


def ended(cluster: Cluster, pod: Object, container: str, how: str) -> Irreversible:
    """The end of a container that runs; `how` is one of `ENDINGS`."""
    return ENDINGS[how](
        cluster,
        pod["metadata"]["namespace"],
        name(pod),
        uid(pod),
        container,
        instance_of(pod, container),
    )


def instance_of(pod: Object, container: str) -> str:
    """The id of the instance that a container is; empty if it has none."""
    return str(container_status(pod, container).get("containerID", ""))


def must_run_in(pod: Object, container: str, instance: str) -> Object:
    """Give the Pod back if that instance of a container runs in it.

    Raises:
        TrialError: It does not.
    """
    status = container_status(pod, container)
    if "running" not in status.get("state", {}) or status.get("containerID") != instance:
        raise TrialError(
            f"container {container} of Pod {name(pod)} does not run as it did: breaking it would not show"
        )
    return pod
