"""What the cluster's DNS says, asked from a Pod by the `nslookup` that every image with a shell has."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from podproof.errors import TrialError
from podproof.kube.changes import Mark
from podproof.kube.client import Api
from podproof.kube.deadlines import Deadline
from podproof.kube.execute import Result, execute
from podproof.kube.kinds import Object
from podproof.traffic.again import ask_until

_ABSENT = re.compile(r"NXDOMAIN|No answer", re.IGNORECASE)
_ADDRESS = re.compile(r"^Address(?: \d+)?:\s*(\S+)", re.MULTILINE)
_SERVICE = re.compile(r"service = \d+ \d+ (\d+) (\S+?)\.?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LookUp:
    """A question to the cluster's DNS that a Pod can ask any number of times.

    Attributes:
        api: The server.
        client: The Pod that asks.
        container: The container that asks.
        name: The name, in full.
        ports: Whether ports (SRV records) are asked for rather than addresses (A and AAAA).
    """

    api: Api
    client: Object
    container: str
    name: str
    ports: bool = False

    def find(self) -> frozenset[str]:
        """The addresses, or the ports as ``"80 of web.shop.svc.cluster.local"``; none for an unknown name.

        Raises:
            TrialError: The cluster's DNS gave no answer at all.
        """
        # With a dot at its end the name is complete: no search list lengthens it.
        asked = f"{self.name}."
        kind = ["-type=srv"] if self.ports else []
        result = _run(self.api, self.client, self.container, ["nslookup", *kind, asked])
        found = parse(result.stdout, ports=self.ports)
        if not found and not _ABSENT.search(result.stdout + result.stderr):
            said = " ".join((result.stdout + result.stderr).split())
            raise TrialError(f"nslookup {asked} in Pod {self.client['metadata']['name']} says: {said}")
        return found

    def until(
        self,
        holds: Callable[[frozenset[str]], bool],
        expected: str,
        deadline: Deadline,
        since: Mark | None = None,
    ) -> float:
        """Ask until the answer is as wanted; gives the seconds until that was asked for.

        Args:
            holds: Given what was found, whether that is as wanted.
            expected: What is wanted, in words.
            deadline: How long it may take.
            since: The moment from which on time counts; now if None.

        Raises:
            Falsified: It was not so in time.
            TrialError: The cluster's DNS gave no answer at all.
        """
        return ask_until(
            self.find,
            holds,
            expected,
            lambda found: f"{self.name} stands for {', '.join(sorted(found)) or 'nothing'}",
            deadline,
            since,
        )


def parse(output: str, *, ports: bool = False) -> frozenset[str]:
    """What `nslookup` has found, by what it wrote; see `LookUp.find`. Busybox' and BIND's write alike."""
    # The first paragraph names the server that was asked.
    _, _, told = output.replace("\r", "").partition("\n\n")
    if ports:
        return frozenset(f"{port} of {host}" for port, host in _SERVICE.findall(told))
    return frozenset(_ADDRESS.findall(told))


def cluster_domain(api: Api, pod: Object, container: str) -> str:
    """The domain that all Services' full names end with, as the Pod's own resolver was told.

    Raises:
        TrialError: It was told of none.
    """
    configuration = _run(api, pod, container, ["cat", "/etc/resolv.conf"]).stdout
    own = f"{pod['metadata']['namespace']}.svc."
    for line in configuration.splitlines():
        keyword, *domains = line.split() or [""]
        for domain in domains if keyword == "search" else ():
            if domain.startswith(own):
                return domain.removeprefix(own).rstrip(".")
    raise TrialError(f"the resolver of Pod {pod['metadata']['name']} knows no domain of the cluster")


def _run(api: Api, pod: Object, container: str, command: list[str]) -> Result:
    return execute(api, pod["metadata"]["namespace"], pod["metadata"]["name"], container, command)
