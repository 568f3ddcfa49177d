"""Containers that fall ill, and volumes that are full: what a timer inside of the Pod undoes.

The containers cooperate: the manifest says how, see `manifests/pods/breakable.yaml`.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass

from podproof.cluster.base import Cluster
from podproof.errors import TrialError
from podproof.faults import signs
from podproof.faults.container_endings import instance_of
from podproof.faults.service import api_of
from podproof.faults.timed import Timed
from podproof.kube import deadlines, files, states
from podproof.kube.kinds import Object, name, uid

_STATE = "state=$(sed 's/.*) //' \"/proc/$(cat /tmp/pid)/stat\")"
"""What the kernel says of the main process begins with one letter: T if it is stopped."""


@dataclass(frozen=True)
class ContainerFrozen(Timed):
    """A container whose main process the kernel lets do nothing."""

    kind = "container-frozen"
    breaks = "kill -STOP $(cat /tmp/pid)"
    mends = "kill -CONT $(cat /tmp/pid)"
    broken = f'{_STATE}; [ "${{state%% *}}" = T ]'
    healthy = f'{_STATE} && [ "${{state%% *}}" != T ]'

    def describe(self) -> str:
        """See `Fault`."""
        return f"container {self.container} of Pod {self.target} is frozen"


@dataclass(frozen=True)
class VolumeFull(Timed):
    """A volume that has no room for anything: to write to it is refused, as on a full disk.

    Attributes:
        volume: Its name. It must be in memory and have a limit: any other shares the Node's disk.
        path: Where the container has it.
    """

    volume: str
    path: str
    kind = "volume-full"
    breaks = 'dd if=/dev/zero of="$3/podproof-filler" bs=64k 2>/dev/null; :'
    mends = 'rm -f "$3/podproof-filler"'
    healthy = 'echo probe >"$3/podproof-probe"; probed=$?; rm -f "$3/podproof-probe"; [ $probed = 0 ]'
    broken = 'echo probe >"$3/podproof-probe"; probed=$?; rm -f "$3/podproof-probe"; [ $probed != 0 ]'
    ends_with_container = False

    @property
    def words(self) -> tuple[str, ...]:
        """See `path`."""
        return (self.path,)

    def describe(self) -> str:
        """See `Fault`."""
        return f"volume {self.volume} of Pod {self.target} is full"

    def demand_possible(self) -> None:
        """It can be filled without filling anything else, and can be written to."""
        with api_of(self.cluster) as api:
            volumes = self.must_find(api)["spec"].get("volumes", ())
        volume: Object = next((each for each in volumes if each["name"] == self.volume), {})
        source = volume.get("emptyDir", {})
        if source.get("medium") != "Memory" or "sizeLimit" not in source:
            raise TrialError(
                f"volume {self.volume} of Pod {self.target} is no emptyDir in memory with a sizeLimit: "
                "filling it would fill the Node's disk"
            )
        super().demand_possible()


@dataclass(frozen=True)
class CrashLoop(Timed):
    """A container that crashes after each start, until a file in its volume is gone or has expired.

    The file's commands run in another container of the Pod, as this one hardly ever runs.

    Attributes:
        crashing: The container that crashes.
        crashing_instance: The id of the instance that it was before.
        path: Where `container` has the volume.
        crashing_path: Where `crashing` has it.
    """

    crashing: str
    crashing_instance: str
    path: str
    crashing_path: str
    kind = "container-crash-loop"
    breaks = 'echo $(($(date +%s) + $2)) >"$3/podproof-crash"'
    mends = 'rm -f "$3/podproof-crash"'
    broken = '[ -e "$3/podproof-crash" ]'
    healthy = '[ -d "$3" ] && [ ! -e "$3/podproof-crash" ]'
    ends_with_container = False

    @property
    def words(self) -> tuple[str, ...]:
        """See `path`."""
        return (self.path,)

    def describe(self) -> str:
        """See `Fault`."""
        return f"container {self.crashing} of Pod {self.target} crashes in a loop"

    def inject(self) -> None:
        """Write the file, then make it crash."""
        super().inject()
        crash = '[ ! -e "$1/podproof-crash" ] || echo crash >/tmp/order'
        with api_of(self.cluster) as api:
            pod = self.must_find(api)
            if instance_of(pod, self.crashing) != self.crashing_instance:
                raise TrialError(f"container {self.crashing} of Pod {self.target} is not as it was")
            with suppress(TrialError):  # the command may not outlive what it causes; `confirm` tells
                files.run(api, pod, self.crashing, crash, self.crashing_path)

    def confirm(self) -> None:
        """The kubelet waits before it starts it again."""
        super().confirm()
        self.await_sign(
            lambda pod: pod is not None and self._waiting(pod) == "CrashLoopBackOff",
            f"the kubelet says CrashLoopBackOff of container {self.crashing}",
        )

    def confirm_reverted(self) -> None:
        """The file is gone, and the container runs; the kubelet's back-off takes its time."""
        super().confirm_reverted()
        signs.demand_mended(self._runs, f"container {self.crashing} runs", deadlines.CRASH_BACK_OFF)

    def _runs(self) -> bool:
        with api_of(self.cluster) as api:
            pod = self.find(api)
        status = states.container_status(pod or {}, self.crashing)
        return pod is None or states.is_over(pod) or "running" in status.get("state", {})

    def _waiting(self, pod: Object) -> str:
        state = states.container_status(pod, self.crashing).get("state", {})
        return str(state.get("waiting", {}).get("reason", ""))


def frozen(cluster: Cluster, pod: Object, container: str, seconds: float) -> ContainerFrozen:
    """A container of a running Pod, frozen for so many seconds at most."""
    return ContainerFrozen(cluster, *_where(pod, container), seconds)


def full(cluster: Cluster, pod: Object, container: str, volume: str, seconds: float) -> VolumeFull:
    """A volume of a running Pod, filled by one of its containers for so many seconds at most."""
    path = files.mount_path(pod, container, volume)
    return VolumeFull(cluster, *_where(pod, container), seconds, volume, path)


def crash_loop(
    cluster: Cluster, pod: Object, container: str, *, volume: str, beside: str, seconds: float
) -> CrashLoop:
    """A container of a running Pod that crashes after each start.

    Args:
        cluster: Where.
        pod: The Pod.
        container: The one that crashes.
        volume: The volume that its script looks in.
        beside: Another container that has that volume.
        seconds: How long it lasts at most.
    """
    return CrashLoop(
        cluster,
        *_where(pod, beside),
        seconds,
        container,
        instance_of(pod, container),
        files.mount_path(pod, beside, volume),
        files.mount_path(pod, container, volume),
    )


def _where(pod: Object, container: str) -> tuple[str, str, str, str, str, str]:
    return (
        pod["metadata"]["namespace"],
        name(pod),
        uid(pod),
        container,
        instance_of(pod, container),
        secrets.token_hex(4),
    )
