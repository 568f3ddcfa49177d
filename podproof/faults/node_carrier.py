"""Faults of Nodes of any cluster, without a way into its machines: a privileged Pod on the Node carries them.

Its script has the timer, so that the fault ends whoever else is dead. It is told to hurry through the API
server, which reaches the Pod by itself: the kubelet, which has a part in all other ways, may be broken.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, Self

import urllib3

from podproof.cluster.base import Cluster
from podproof.cluster.embedded.partition import CONTROL_PLANE_ONLY
from podproof.errors import FaultLostError, PodproofError, TrialError
from podproof.faults import signs
from podproof.faults.fault import Fault
from podproof.faults.nodes import CutOff, Partitioned
from podproof.faults.service import api_of, await_service, last_heard_of
from podproof.kube import deadlines, files, states, watch
from podproof.kube.client import Api, ApiError
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import NODE, POD, Object

_IMAGE = "registry.k8s.io/e2e-test-images/busybox:1.37.0-2"
_PORT = 8099
_ASKED = 15
"""Seconds within which whoever gave the order asks whether the fault is there; it does so at once."""
_LATER = 5
"""Seconds by which the timer of the carrier's guard is longer than its own, which begins with its order; if
that takes longer the guard mends first, which does no harm."""

# It waits for an order, as the kubelet has to say first that it runs, and where. Then it waits a second: who
# gave the order, by way of the kubelet, is to know that it has come. $1 is how long it may last, $2 the port.
# Pipes stay open, or what is written into them before somebody reads would be lost. What a fault's own parts
# have to know stands in files, as each runs in a shell of its own. If nobody can ask it any more once the
# fault is there, nobody could tell it to hurry either, so it mends that at once.
_CARRY = """\
trap mend TERM
leave() {{
: >/shared/left
echo over 1<>/shared/over
exit $1
}}
mend() {{
{mends}
leave 0
}}
cat >/tmp/answer <<'END'
read -r method path version
while read -r header && [ "${{#header}}" -gt 1 ]; do :; done
[ ! -p /tmp/asked ] || echo asked 1<>/tmp/asked
case "$path" in */end) echo end 1<>/tmp/end; echo end 1<>/tmp/order ;; esac
state=$({state})
printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 1\\r\\nConnection: close\\r\\n\\r\\n%s' "$state"
END
[ -p /shared/over ] || mkfifo /shared/over
pidof kubelet >/tmp/kubelets || leave 3
read -r pid others </tmp/kubelets
echo "$pid" >/shared/kubelet
{prepares}
mkfifo /tmp/end /tmp/order
exec 4<>/tmp/end 5<>/tmp/order
nc -ll -p "$2" -e sh /tmp/answer &
: >/tmp/waits
read -t "$1" -r order <&5
[ "$order" = begin ] || mend
sleep 1
{breaks}
mkfifo /tmp/asked
exec 6<>/tmp/asked
read -t {asked} -r _ <&6 || mend
read -t "$1" -r _ <&4
mend
"""
# In a container of its own, which outlives the other one if that is killed: then nobody else would mend it.
_GUARD = """\
trap mend TERM
mend() {{
[ ! -s /shared/kubelet ] || read -r pid </shared/kubelet
{mends}
exit 0
}}
[ -p /shared/over ] || mkfifo /shared/over
exec 4<>/shared/over
[ -e /shared/left ] || read -t "$1" -r _ <&4
mend
"""

# The API servers are where the kubelet has connections to; its own clients connect to ports of its own.
# /proc/net/tcp has addresses as the processor has numbers, the last byte first; of an IPv4 address that is
# written as one of IPv6 the last eight digits count.
_FIND_API_SERVERS = r"""
ls -l /proc/$pid/fd >/tmp/sockets
cat /proc/$pid/net/tcp /proc/$pid/net/tcp6 | while read -r _ _ remote state _ _ _ _ _ inode _; do
  [ "$state" = 01 ] && grep -q "socket:\[$inode\]" /tmp/sockets || continue
  port=$((0x${remote##*:}))
  case $port in 443|6443) ;; *) continue ;; esac
  case ${remote%:*} in ????????|0000000000000000FFFF0000????????) ;; *) continue ;; esac
  hex=$(echo "${remote%:*}" | tail -c 9)
  at=$(echo "$hex" | sed 's/\(..\)\(..\)\(..\)\(..\)/0x\4 0x\3 0x\2 0x\1/')
  [ "${at#0x7F }" = "$at" ] && printf '%d.%d.%d.%d %d\n' $at $port
done | sort -u >/shared/servers
[ -s /shared/servers ] || leave 4
"""
# The Pod itself goes on reaching them, or rather being reached: nobody else could tell it to hurry.
_CUT = r"""
while read -r server port; do
  nsenter -t 1 -n ip rule add from "$(hostname -i)" to "$server" pref 71 lookup main
  nsenter -t 1 -n ip rule add to "$server" pref 72 type blackhole
done </shared/servers
"""
_REJOIN = r"""
while read -r server port; do
  while nsenter -t 1 -n ip rule del to "$server" pref 72 type blackhole; do :; done
  while nsenter -t 1 -n ip rule del from "$(hostname -i)" to "$server" pref 71 lookup main; do :; done
done </shared/servers 2>/dev/null
"""
_IS_CUT = r"""
while read -r server port; do
  if nsenter -t 1 -n nc -w 2 "$server" "$port" </dev/null >/dev/null 2>&1; then echo reached; fi
done </shared/servers | grep -q reached && echo R || echo C"""


@dataclass(frozen=True)
class _ByPod(Fault):
    """Something that a Pod breaks on its Node, and mends.

    A subclass says by which parts of shell scripts, which find the kubelet's process in ``$pid`` and in the
    file ``/shared/kubelet``. Mending what is not broken must do no harm.

    Attributes:
        node: The Node's name.
        namespace: Where the Pod is that carries it.
        carrier: That Pod's name.
        seconds: How long it lasts at most, by the Pod's own timer.
    """

    node: str
    namespace: str
    carrier: str
    seconds: float
    prepares: ClassVar[str] = ":"
    breaks: ClassVar[str]
    mends: ClassVar[str]
    state: ClassVar[str]
    """Says in one letter how it is."""
    broken: ClassVar[str]
    """The letter that it says when it is broken."""

    @classmethod
    def of(cls, cluster: Cluster, node: str, namespace: str, seconds: float) -> Self:
        """The fault of a Node, for so many seconds at most."""
        return cls(cluster, node, namespace, f"podproof-{secrets.token_hex(4)}", seconds)

    @property
    def target(self) -> str:
        """The Node."""
        return self.node

    def demand_possible(self) -> None:
        """The Node is one that may be broken, and is in service."""
        if self.node not in self.cluster.victims:
            raise TrialError(f"Node {self.node} may not be broken: --allow-node-faults {self.node} allows it")
        with api_of(self.cluster) as api:
            ready = [
                each["status"]
                for each in api.get(NODE, None, self.node)["status"]["conditions"]
                if each["type"] == "Ready"
            ]
        if ready != ["True"]:
            raise TrialError(f"Node {self.node} is not Ready: breaking it would not show")

    def prepare(self) -> None:
        """Start the Pod, which breaks nothing before it is told to, and make sure that it can be asked."""
        self.demand_possible()
        with api_of(self.cluster) as api:
            api.create(POD, self.namespace, self._pod())
            pod = self._await(
                api,
                lambda there: there is not None and (states.is_ready(there) or states.is_over(there)),
                deadlines.CARRIER_STARTED,
                self._cannot_start,
            )
            if pod is None or not states.is_ready(pod):
                raise self._cannot_start(pod)
        if (said := self._state()) in {"", self.broken}:
            why = "is broken already" if said else f"cannot be asked: Pod {self.carrier} does not answer"
            raise TrialError(f"Node {self.node} {why}")

    def inject(self) -> None:
        """Give the Pod the order."""
        with api_of(self.cluster) as api:
            pod = api.find(POD, self.namespace, self.carrier)
            if pod is None:
                self.prepare()
                pod = api.get(POD, self.namespace, self.carrier)
            files.must_run(api, pod, "carrier", "echo begin 1<>/tmp/order")

    def confirm(self) -> None:
        """The Node itself says so."""
        if not signs.comes(lambda: self._ask("state") == self.broken, deadlines.FAULT_CONFIRMED):
            why = "" if self._ask("state") else f": Pod {self.carrier} cannot be asked once it is there"
            raise TrialError(f"the fault did not take: {self.describe()}{why}")

    def revert(self) -> None:
        """Tell the Pod to hurry; one that has not started yet is not wanted any more."""
        self._is_over()

    def confirm_reverted(self) -> None:
        """The Pod has ended, which its kubelet says, and the Node is in service; then the Pod is removed.

        If the Pod cannot be told to hurry its timer is waited for.
        """
        own = Deadline(
            "the Pod that carries a fault to end",
            self.seconds,
            "it may be out of reach",
            "its own timer",
            deadlines.CARRIER_STARTED.patience,
        )
        signs.demand_mended(self._is_over, f"Pod {self.carrier} has ended", own)
        with api_of(self.cluster) as api:
            await_service(api, self.node)
            self._delete(api)
            self._await(api, lambda there: there is None, deadlines.POD_REMOVED)

    def _is_over(self) -> bool:
        with api_of(self.cluster) as api:
            pod = api.find(POD, self.namespace, self.carrier)
            if pod is None or states.is_over(pod):
                return True
            if pod.get("status", {}).get("phase") == "Pending":  # so it has not been given its order
                self._delete(api)
                return False
        self._ask("end")
        return False

    def _state(self) -> str:
        """How it is, in one letter; empty if the Pod does not answer."""
        said: list[str] = []

        def has_said() -> bool:
            said.append(self._ask("state"))
            return bool(said[-1])

        signs.comes(has_said, deadlines.FAULT_CONFIRMED)
        return said[-1]

    def _ask(self, what: str) -> str:
        """Have the Pod's answer, how it is in one letter; empty if there is none."""
        path = POD.path(self.namespace, f"{self.carrier}:{_PORT}", f"proxy/{what}")
        # Where a Pod has ended the API server waits half a minute for it.
        with api_of(self.cluster) as api, suppress(PodproofError, urllib3.exceptions.HTTPError):
            return api.text_once(path, deadlines.NODE_ANSWERS.seconds)
        return ""

    def _delete(self, api: Api) -> None:
        try:
            api.delete(POD, self.namespace, self.carrier)
        except ApiError as error:
            if error.status != 404:
                raise

    def _cannot_start(self, pod: Object | None) -> TrialError:
        """Why the Pod that is to carry it does not."""
        codes = {3: "it shows no kubelet", 4: "its kubelet shows no connection to an API server by IPv4"}
        why = f"Pod {self.carrier} is gone"
        if pod is not None:
            status = pod.get("status", {})
            ended = states.container_status(pod, "carrier").get("state", {}).get("terminated", {})
            told = " ".join(str(status[each]) for each in ("phase", "reason", "message") if each in status)
            why = codes.get(ended.get("exitCode")) or states.why_not_started(pod) or f"its Pod is {told}"
        return TrialError(f"Node {self.node} cannot be broken: {why}")

    def _container(self, name: str, script: str, seconds: int) -> Object:
        text = script.format(
            prepares=self.prepares, breaks=self.breaks, mends=self.mends, state=self.state, asked=_ASKED
        )
        amounts = {"cpu": "50m", "memory": "64Mi"}
        return {
            "name": name,
            "image": _IMAGE,
            "imagePullPolicy": "IfNotPresent",
            "command": ["sh", "-c", text, "sh", str(seconds), str(_PORT)],
            "securityContext": {"privileged": True, "runAsUser": 0},
            # As much as it asks for: the kernel ends such a one last when memory is short.
            "resources": {"requests": amounts, "limits": amounts},
            "volumeMounts": [{"name": "shared", "mountPath": "/shared"}],
        }

    def _await(
        self,
        api: Api,
        holds: Callable[[Object | None], bool],
        within: Deadline,
        stuck: Callable[[Object | None], Exception] | None = None,
    ) -> Object | None:
        return watch.until(api, POD, self.namespace, self.carrier, holds, within, stuck)

    def _pod(self) -> Object:
        seconds = math.ceil(self.seconds)
        carrier = self._container("carrier", _CARRY, seconds)
        carrier["readinessProbe"] = {
            "exec": {"command": ["test", "-e", "/tmp/waits"]},  # noqa: S108 - in a container
            "periodSeconds": 1,
        }
        guard = self._container("guard", _GUARD, seconds + _LATER)
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": self.carrier},
            "spec": {
                "nodeName": self.node,
                "hostPID": True,
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 10,  # for mending, on a Node that is busy
                # Whatever the Node is marked with, the Pod stays until it has mended it.
                "tolerations": [{"operator": "Exists"}],
                "containers": [carrier, guard],
                "volumes": [{"name": "shared", "emptyDir": {}}],
            },
        }


@dataclass(frozen=True)
class KubeletFrozenByPod(_ByPod):
    """A kubelet that the kernel lets do nothing."""

    kind = "kubelet-frozen-by-pod"
    breaks = "kill -STOP $pid"
    mends = '[ -z "$pid" ] || kill -CONT $pid'
    state = "sed 's/.*) //; s/ .*//' /proc/$(cat /shared/kubelet)/stat"
    broken = "T"

    def describe(self) -> str:
        """See `Fault`."""
        return f"kubelet of {self.node} is frozen"


@dataclass(frozen=True)
class CutOffByPod(_ByPod):
    """A Node that is cut off from the control plane, and whose Pods run on.

    Its own kernel drops what is for the API servers that its kubelet has connections to. That it is cut off
    shows in that it gets no connection to any of them, and in its lease, which it does not renew.
    """

    kind = "node-cut-off-by-pod"
    prepares = _FIND_API_SERVERS
    breaks = _CUT
    mends = _REJOIN
    state = _IS_CUT
    broken = "C"

    def describe(self) -> str:
        """See `Fault`."""
        return f"Node {self.node} is cut off from the control plane"

    def sign(self) -> str:
        """When it was last heard of, while it runs and has no connection."""
        if (said := self._state()) != self.broken:
            raise FaultLostError(
                f"Node {self.node} is not cut off any more"
                if said
                else f"whether Node {self.node} is still cut off is not known: its Pod does not answer"
            )
        return last_heard_of(self.cluster, self.node)


def cut_off(cluster: Cluster, node: str, namespace: str, seconds: float) -> CutOff | CutOffByPod:
    """The fault that cuts a Node off, whatever the cluster has for it.

    Args:
        cluster: The cluster.
        node: The Node's name.
        namespace: Where a Pod may be that carries it, if the cluster has no switch for it.
        seconds: How long that Pod keeps it up at most.
    """
    if hasattr(cluster, "isolate"):
        return CutOff(cluster, node)
    return CutOffByPod.of(cluster, node, namespace, seconds)


def cut_off_from(
    cluster: Cluster, node: str, away: str, namespace: str, seconds: float
) -> Partitioned | CutOffByPod:
    """The fault that cuts a Node off from a part of the network; see `cut_off`.

    Args:
        cluster: The cluster.
        node: The Node's name.
        away: From what, in the cluster's words.
        namespace: See `cut_off`.
        seconds: See `cut_off`; the cluster's own switch ends it likewise.
    """
    if away == CONTROL_PLANE_ONLY and not hasattr(cluster, "partition"):
        return CutOffByPod.of(cluster, node, namespace, seconds)
    return Partitioned(cluster, node, away, seconds)
