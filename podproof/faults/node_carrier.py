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

from podproof.cluster.base import Cluster
from podproof.errors import PodproofError, TrialError
from podproof.faults import signs
from podproof.faults.fault import Fault
from podproof.faults.service import api_of, await_service
from podproof.kube import deadlines, files, states, watch
from podproof.kube.client import Api, ApiError
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import NODE, POD, Object

_IMAGE = "registry.k8s.io/e2e-test-images/busybox:1.37.0-2"
_PORT = 8099

# It waits for an order, as the kubelet has to say first that it runs, and where. Then it waits a second: who
# gave the order, by way of the kubelet, is to know that it has come.
_SCRIPT = """\
trap mend TERM
mend() { [ -z "$pid" ] || kill -CONT $pid; exit 0; }
cat >/tmp/answer <<'END'
read -r method path version
while read -r header && [ "${#header}" -gt 1 ]; do :; done
case "$path" in */end) echo end 1<>/tmp/end; [ ! -p /tmp/order ] || echo end 1<>/tmp/order ;; esac
state=$(sed 's/.*) //' "/proc/$(cat /tmp/kubelet)/stat")
printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 1\\r\\nConnection: close\\r\\n\\r\\n%s' "${state%% *}"
END
pidof kubelet >/tmp/kubelet || exit 3
read -r pid others </tmp/kubelet
echo "$pid" >/tmp/kubelet
mkfifo /tmp/end
nc -ll -p "$2" -e sh /tmp/answer &
mkfifo /tmp/order
read -t "$1" -r order <>/tmp/order
[ "$order" = begin ] || mend
(sleep 1; kill -STOP $pid) &
read -t "$1" -r _ <>/tmp/end
mend
"""


@dataclass(frozen=True)
class KubeletFrozenByPod(Fault):
    """A kubelet that the kernel lets do nothing, on a Node of any cluster that may be broken.

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
    kind = "kubelet-frozen-by-pod"

    @classmethod
    def of(cls, cluster: Cluster, node: str, namespace: str, seconds: float) -> KubeletFrozenByPod:
        """The fault of a Node, for so many seconds at most."""
        return cls(cluster, node, namespace, f"podproof-{secrets.token_hex(4)}", seconds)

    @property
    def target(self) -> str:
        """The Node."""
        return self.node

    def describe(self) -> str:
        """See `Fault`."""
        return f"kubelet of {self.node} is frozen"

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
            raise TrialError(f"Node {self.node} is not Ready: freezing its kubelet would not show")

    def inject(self) -> None:
        """Start the Pod, and give it the order."""
        with api_of(self.cluster) as api:
            api.create(POD, self.namespace, self._pod())
            pod = self._await(
                api,
                lambda there: there is not None and (states.is_ready(there) or states.is_over(there)),
                deadlines.CARRIER_STARTED,
            )
            if pod is None or not states.is_ready(pod):
                raise TrialError(f"the fault did not take: Node {self.node} shows no kubelet")
            files.must_run(api, pod, "carrier", "echo begin 1<>/tmp/order")

    def confirm(self) -> None:
        """The kernel of the Node says so."""
        signs.demand(lambda: self._ask("state") == "T", self.describe())

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

    def _ask(self, what: str) -> str:
        """Have the Pod's answer, the state of the kubelet's process in one letter; empty if there is none."""
        with api_of(self.cluster) as api, suppress(PodproofError):
            return api.text(POD.path(self.namespace, f"{self.carrier}:{_PORT}", f"proxy/{what}"))
        return ""

    def _delete(self, api: Api) -> None:
        try:
            api.delete(POD, self.namespace, self.carrier)
        except ApiError as error:
            if error.status != 404:
                raise

    def _await(self, api: Api, holds: Callable[[Object | None], bool], within: Deadline) -> Object | None:
        return watch.until(api, POD, self.namespace, self.carrier, holds, within)

    def _pod(self) -> Object:
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": self.carrier},
            "spec": {
                "nodeName": self.node,
                "hostPID": True,
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 1,
                # Whatever the Node is marked with, the Pod stays until it has mended it.
                "tolerations": [{"operator": "Exists"}],
                "containers": [
                    {
                        "name": "carrier",
                        "image": _IMAGE,
                        "imagePullPolicy": "IfNotPresent",
                        "command": ["sh", "-c", _SCRIPT, "sh", str(math.ceil(self.seconds)), str(_PORT)],
                        "securityContext": {"privileged": True, "runAsUser": 0},
                        "readinessProbe": {
                            "exec": {"command": ["test", "-p", "/tmp/order"]},  # noqa: S108 - in a container
                            "periodSeconds": 1,
                        },
                    }
                ],
            },
        }
