"""Pods without network, or without DNS.

A further container that is put into the Pod carries the fault, and its timer: it has the Pod's network, and
leave to change what packets are sent where. So it takes no access to the Node, and nothing of the Pod's own
containers, which go on.
"""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from typing import ClassVar, Self

from podproof.cluster.base import Cluster
from podproof.errors import TrialError
from podproof.faults import signs
from podproof.faults.pod_fault import PodFault
from podproof.faults.service import api_of
from podproof.kube import deadlines, files, states
from podproof.kube.client import Api, ApiError
from podproof.kube.kinds import POD, Object, name, uid

_IMAGE = "registry.k8s.io/e2e-test-images/busybox:1.37.0-2"
_UNREACHABLE = 3
_NOT_MENDED = 4

# Packets go to the loopback device, which drops those that are not for this Pod: nobody is told, as with a
# cable that is cut. The rule is looked at before all routes but those to the Pod itself.
_SCRIPT = f"""\
reaches_api() {{
  timeout 4 nc -w 3 "$KUBERNETES_SERVICE_HOST" "$KUBERNETES_SERVICE_PORT" </dev/null >/dev/null 2>&1
}}
servers() {{ sed -n 's/^nameserver //p' /etc/resolv.conf; }}
asks_dns() {{
  domain=$(sed -n 's/^search .* \\(svc\\.[^ ]*\\).*/\\1/p' /etc/resolv.conf)
  [ "$domain" ] && timeout 4 nslookup "kubernetes.default.$domain" "$(servers | head -n 1)" >/dev/null 2>&1
}}
family() {{ case "$1" in *:*) echo -6 ;; *) echo -4 ;; esac; }}
drop() {{ ip "$1" route add default dev lo table 153; ip "$@" pref 1 table 153; }}
mend() {{
  for family in -4 -6; do
    while ip $family rule del pref 1 table 153; do :; done
    ip $family route flush table 153
  done 2>/dev/null
}}
carry() {{
  trap 'mend; exit 0' TERM
  mkfifo /tmp/end
  reached || exit {_UNREACHABLE}
  cut
  read -t "$1" -r _ <>/tmp/end
  mended
}}
mended() {{
  mend
  reached || reached || reached || exit {_NOT_MENDED}
}}
"""


@dataclass(frozen=True)
class _PodNetwork(PodFault):
    """A Pod whose network is broken.

    Attributes:
        carrier: The name of the container that carries it.
        seconds: How long it lasts at most, by that container's own timer.
    """

    carrier: str
    seconds: float
    did: ClassVar[str] = ""
    functions: ClassVar[str] = ""
    """`reached` succeeds if what is to be cut off can be reached, `cut` cuts it off, `sign` succeeds then."""

    @classmethod
    def of(cls, cluster: Cluster, pod: Object, seconds: float) -> Self:
        """The fault of a running Pod, for so many seconds at most."""
        carrier = f"podproof-{secrets.token_hex(4)}"
        return cls(cluster, pod["metadata"]["namespace"], name(pod), uid(pod), carrier, seconds)

    def describe(self) -> str:
        """See `Fault`."""
        return f"Pod {self.target} {self.did}"

    def demand_possible(self) -> None:
        """It runs, in a network of its own."""
        with api_of(self.cluster) as api:
            if self.must_find(api)["spec"].get("hostNetwork"):
                raise TrialError(
                    f"Pod {self.target} has its Node's network: breaking it would break the Node's"
                )

    def inject(self) -> None:
        """Put the container that carries it into the Pod."""
        with api_of(self.cluster) as api:
            self._put(api, self.carrier, "carry", str(math.ceil(self.seconds)))

    def confirm(self) -> None:
        """The container could reach what it cannot any more."""

        def started(pod: Object | None) -> bool:
            return pod is None or bool({"running", "terminated"} & _state(pod, self.carrier).keys())

        self.await_sign(started, f"container {self.carrier} has started", deadlines.CARRIER_STARTED)
        signs.demand(self._is_cut, self.describe())

    def revert(self) -> None:
        """Tell the container to hurry, or start another one if it was ended by somebody else."""
        with api_of(self.cluster) as api:
            pod = self.find(api)
            if pod is None or not _has(pod, self.carrier):
                return
            ended = _state(pod, self.carrier).get("terminated")
            if ended and ended["exitCode"] not in {0, _UNREACHABLE}:
                self._put(api, self._mender, "mended")

    def confirm_reverted(self) -> None:
        """The container has ended well: what was cut off could be reached again."""
        signs.demand_mended(self._is_over, f"not: {self.describe()}", deadlines.CARRIER_STARTED)

    @property
    def _mender(self) -> str:
        return f"{self.carrier}-mend"

    def _is_cut(self) -> bool:
        with api_of(self.cluster) as api:
            pod = self.must_find(api)
            if ended := _state(pod, self.carrier).get("terminated"):
                told = {_UNREACHABLE: "what is to be cut off cannot be reached anyway"}
                raise TrialError(
                    f"the fault did not take: {self.describe()}: "
                    + told.get(ended["exitCode"], f"container {self.carrier} ended: {ended}")
                )
            try:
                return files.run(api, pod, self.carrier, f"{_SCRIPT}{self.functions}\nsign").ok
            except TrialError:  # it has ended, and the kubelet is about to say how
                return False

    def _is_over(self) -> bool:
        with api_of(self.cluster) as api:
            pod = self.find(api)
            if pod is None or states.is_over(pod) or not _has(pod, self.carrier):
                return True
            carrier = self._mender if _has(pod, self._mender) else self.carrier
            if ended := _state(pod, carrier).get("terminated"):
                return ended["exitCode"] in {0, _UNREACHABLE}
            if carrier == self.carrier and "running" in _state(pod, carrier):
                # It may not be listening yet, so it is told until it has ended.
                try:
                    files.run(api, pod, carrier, "[ ! -p /tmp/end ] || echo 1<>/tmp/end")
                except TrialError:
                    return False
            return False

    def _put(self, api: Api, container: str, *words: str) -> None:
        body: Object = {
            "metadata": {"uid": self.uid},
            "spec": {
                "ephemeralContainers": [
                    {
                        "name": container,
                        "image": _IMAGE,
                        "imagePullPolicy": "IfNotPresent",
                        "command": ["sh", "-c", f'{_SCRIPT}{self.functions}\n"$@"', "sh", *words],
                        "securityContext": {
                            "runAsUser": 0,
                            "runAsNonRoot": False,
                            "capabilities": {"add": ["NET_ADMIN"]},
                        },
                    }
                ]
            },
        }
        try:
            api.request(
                "PATCH",
                POD.path(self.namespace, self.pod, "ephemeralcontainers"),
                body=body,
                content_type="application/strategic-merge-patch+json",
            )
        except ApiError as error:
            raise TrialError(f"cannot put a container into Pod {self.target}: {error.message}") from error


@dataclass(frozen=True)
class PodCutOff(_PodNetwork):
    """A Pod all of whose packets are dropped."""

    kind = "pod-cut-off"
    did = "is cut off from the network"
    functions = """\
reached() { reaches_api; }
cut() { drop -4 rule add; drop -6 rule add; } 2>/dev/null
sign() { ! reaches_api && ! asks_dns; }
"""


@dataclass(frozen=True)
class DnsGone(_PodNetwork):
    """A Pod whose DNS servers do not answer."""

    kind = "pod-dns-gone"
    did = "has no DNS"
    functions = """\
reached() { asks_dns; }
cut() {
  for server in $(servers); do
    drop $(family $server) rule add to $server
  done 2>/dev/null
}
sign() { ! asks_dns && reaches_api; }
"""


def _state(pod: Object, container: str) -> Object:
    """What the kubelet says of a container that was put into the Pod; empty before it says anything."""
    statuses = pod.get("status", {}).get("ephemeralContainerStatuses", ())
    found: Object = next((each["state"] for each in statuses if each["name"] == container), {})
    return found


def _has(pod: Object, container: str) -> bool:
    return any(each["name"] == container for each in pod["spec"].get("ephemeralContainers", ()))
