"""The cluster's own network: a bridge in a namespace of its own, a cable to each machine, one to the host.

No route leads out of it: what a Node or a Pod sends to any other address ends at the bridge.
"""

import hashlib
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from podproof.errors import ClusterError

from . import daemon
from .paths import MARK, ClusterPaths

SERVICE_RANGE = "10.96.0.0/16"
POD_RANGE = "10.244.0.0/16"
DNS_ADDRESS = "10.96.0.10"

_PREFIX = 24
_BRIDGE = "cables"


@dataclass(frozen=True)
class Route:
    """A route of a machine: a range by way of another machine's address."""

    destination: str
    gateway: str


@dataclass(frozen=True)
class Addresses:
    """The addresses of one cluster, out of the range that is set aside for tests of networks (RFC 2544).

    Attributes:
        index: 0 to 255, another one for each cluster that runs.
    """

    index: int

    @property
    def host(self) -> str:
        """The host's end."""
        return f"198.18.{self.index}.1"

    @property
    def control_plane(self) -> str:
        """The API server's machine."""
        return f"198.18.{self.index}.10"

    @property
    def nowhere(self) -> str:
        """The default gateway, which leads nowhere; without one, Service addresses could not be sent to."""
        return f"198.18.{self.index}.254"

    def node(self, number: int) -> str:
        """The Node of that number, from 1."""
        return f"198.18.{self.index}.{10 + number}"

    @property
    def link(self) -> str:
        """The name of the host's end of the cable."""
        return f"podproof{self.index}"


def pod_range(number: int) -> str:
    """The Pod addresses of the Node of that number, from 1."""
    return f"10.244.{number}.0/24"


def first_free_index(taken: Collection[int]) -> int:
    """The lowest index that is not taken and whose link does not exist.

    Raises:
        ClusterError: All are taken.
    """
    links = {path.name for path in Path("/sys/class/net").iterdir()}
    for index in range(256):
        if index not in taken and Addresses(index).link not in links:
            return index
    raise ClusterError("256 clusters run already: podproof down --name NAME ends one")


def lay(paths: ClusterPaths, addresses: Addresses, routes: Sequence[Route]) -> None:
    """Make the bridge, and the cable from it to the host.

    The bridge knows the way back to Pods, so that whoever asks for an address elsewhere is told at once
    that it cannot be reached, instead of waiting in vain.

    The bridge's namespace lives as long as one process in it; when that ends, the kernel removes the bridge
    and every cable to it.
    """
    said, say = os.pipe()
    script = f"echo 1 >/proc/sys/net/ipv4/ip_forward; echo here >&{say}; exec {say}>&-; exec sleep infinity"
    environment = {"PATH": os.environ.get("PATH", os.defpath), MARK: str(paths.root)}
    try:
        keeper = daemon.spawn(
            ["unshare", "--net", "--", "bash", "-c", script],
            environment,
            paths.root / "network.log",
            keep=(say,),
        )
    finally:
        os.close(say)
    (paths.root / "network.pid").write_text(str(keeper))
    with os.fdopen(said) as keepers_words:
        if keepers_words.readline() != "here\n":
            raise ClusterError("a network namespace cannot be made: podproof doctor says what lacks")
    with _inside(keeper) as bridge_side:
        bridge_side.link("set", index=_index(bridge_side, "lo"), state="up")
        bridge_side.link("add", ifname=_BRIDGE, kind="bridge")
        bridge = _index(bridge_side, _BRIDGE)
        bridge_side.link("set", index=bridge, state="up")
        bridge_side.addr("add", index=bridge, address=addresses.nowhere, prefixlen=_PREFIX)
        for route in routes:
            bridge_side.route("add", dst=route.destination, gateway=route.gateway)
    with _here() as host:
        host.link("add", ifname=addresses.link, kind="veth", peer={"ifname": "host", "net_ns_pid": keeper})
        index = _index(host, addresses.link)
        host.addr("add", index=index, address=addresses.host, prefixlen=_PREFIX)
        host.link("set", index=index, state="up")
    with _inside(keeper) as bridge_side:
        _join(bridge_side, "host")


def plug(paths: ClusterPaths, name: str, pid: int, address: str, routes: Sequence[Route]) -> None:
    """Lay the cable from the bridge to the machine whose process 1 is `pid`, and configure its end.

    Raises:
        ClusterError: The cluster's bridge is gone.
    """
    keeper = _keeper(paths)
    nowhere = f"{address.rsplit('.', 1)[0]}.254"
    with _inside(keeper) as bridge_side:
        # A machine whose power was cut may leave its cable for the instant that the kernel takes.
        for old in bridge_side.link_lookup(ifname=name):
            bridge_side.link("del", index=old)
        bridge_side.link("add", ifname=name, kind="veth", peer={"ifname": "eth0", "net_ns_pid": pid})
        _join(bridge_side, name)
    with _inside(pid) as machine_side:
        machine_side.link("set", index=_index(machine_side, "lo"), state="up")
        index = _index(machine_side, "eth0")
        machine_side.link("set", index=index, address=_hardware_address(int(address.rsplit(".", 1)[1])))
        machine_side.addr("add", index=index, address=address, prefixlen=_PREFIX)
        machine_side.link("set", index=index, state="up")
        machine_side.route("add", dst="default", gateway=nowhere)
        for route in routes:
            machine_side.route("add", dst=route.destination, gateway=route.gateway)


def unplug(paths: ClusterPaths, name: str) -> None:
    """Cut the cable to a machine, which runs on and sees that its end carries nothing."""
    with _inside(_keeper(paths)) as bridge_side:
        bridge_side.link("set", index=_index(bridge_side, name), state="down")


def plug_again(paths: ClusterPaths, name: str) -> None:
    """Mend the cable to a machine, if it is there."""
    with _inside(_keeper(paths)) as bridge_side:
        for index in bridge_side.link_lookup(ifname=name):
            bridge_side.link("set", index=index, state="up")


def keeper_of(paths: ClusterPaths) -> int | None:
    """The process that keeps the bridge's namespace, if it lives."""
    try:
        process = psutil.Process(int((paths.root / "network.pid").read_text()))
        return process.pid if process.environ().get(MARK) == str(paths.root) else None
    except (FileNotFoundError, ValueError, psutil.Error):
        return None


def _keeper(paths: ClusterPaths) -> int:
    keeper = keeper_of(paths)
    if keeper is None:
        raise ClusterError(
            f"the network of cluster {paths.name} is gone: podproof up --name {paths.name} mends it"
        )
    return keeper


def unplug_host(addresses: Addresses) -> None:
    """Remove the host's end of the cable, and with it the other one."""
    with _here() as host:
        for index in host.link_lookup(ifname=addresses.link):
            host.link("del", index=index)


def _hardware_address(number: int) -> str:
    """A locally administered address of an interface, which keeps it over a power-off as a card does."""
    digest = hashlib.sha256(b"eth0").hexdigest()
    return ":".join(["02", *(digest[at : at + 2] for at in (0, 2, 4, 6)), f"{number:02x}"])


def _here() -> Any:
    from pyroute2 import IPRoute  # imported late: it takes a quarter of a second

    return IPRoute()


def _inside(pid: int) -> Any:
    """A connection to the kernel from within the network namespace of a process."""
    from pyroute2 import NetNS

    return NetNS(f"/proc/{pid}/ns/net", flags=0)


def _index(connection: Any, name: str) -> int:
    found: list[int] = connection.link_lookup(ifname=name)
    if not found:
        raise ClusterError(f"the kernel made no interface {name}")
    return found[0]


def _join(bridge_side: Any, name: str) -> None:
    bridge_side.link("set", index=_index(bridge_side, name), master=_index(bridge_side, _BRIDGE), state="up")
