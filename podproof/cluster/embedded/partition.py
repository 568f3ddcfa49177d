"""A Node that is cut off from a part of the network, by its own packet filter.

What is dropped stands in a set whose elements the kernel forgets by itself after a while, so that a partition
ends even if everybody has forgotten it.
"""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Sequence

from podproof.errors import ClusterError, UsageError

from . import waits
from .machine import Machine
from .network import Addresses
from .node import NodeSpec

TABLE = "podproof_fault"

CONTROL_PLANE_ONLY = "the control plane"
OTHER_NODES = "the other Nodes"
INCOMING = "all that comes in"
OUTGOING = "all that goes out"
PARTS = (CONTROL_PLANE_ONLY, OTHER_NODES, INCOMING, OUTGOING)
"""What a Node can be cut off from; the last two in one direction only."""

_RULES = """\
table inet {table}
delete table inet {table}
table inet {table} {{
  set away {{ type ipv4_addr; flags interval, timeout; elements = {{ {elements} }}; }}
  chain incoming {{ type filter hook prerouting priority -310; {incoming} }}
  chain outgoing {{ type filter hook postrouting priority 310; {outgoing} }}
}}
"""
_IN = 'iifname "eth0" ip saddr @away counter drop;'
_OUT = 'oifname "eth0" ip daddr @away counter drop;'
_EVERYWHERE = ("0.0.0.0/1", "128.0.0.0/1")


class Partition:
    """What one Node can be cut off from.

    Args:
        machine: The Node's.
        spec: The Node.
        specs: All Nodes of the cluster.
        addresses: The cluster's.
    """

    def __init__(
        self, machine: Machine, spec: NodeSpec, specs: Sequence[NodeSpec], addresses: Addresses
    ) -> None:
        self._machine = machine
        self._others = [each for each in specs if each.number != spec.number]
        self._addresses = addresses

    def cut(self, away: str, seconds: float) -> None:
        """Drop packets.

        Args:
            away: One of `PARTS`.
            seconds: After which the kernel drops no more.

        Raises:
            UsageError: There is no such part.
            ClusterError: The kernel refuses it.
        """
        if away == CONTROL_PLANE_ONLY:
            ranges: Sequence[str] = [self._addresses.control_plane]
        elif away == OTHER_NODES:
            ranges = [each for spec in self._others for each in (spec.address, spec.pod_range)]
        elif away in (INCOMING, OUTGOING):
            ranges = _EVERYWHERE
        else:
            raise UsageError(f"a Node cannot be cut off from {away}; from {', '.join(PARTS)} it can")
        lasts = f"timeout {math.ceil(seconds)}s"
        self._nft(
            _RULES.format(
                table=TABLE,
                elements=", ".join(f"{each} {lasts}" for each in ranges),
                incoming="" if away == OUTGOING else _IN,
                outgoing="" if away == INCOMING else _OUT,
            )
        )

    def mend(self) -> None:
        """Drop nothing any more; a Node without power drops nothing anyhow."""
        if self._machine.is_on:
            self._nft(f"table inet {TABLE}\ndelete table inet {TABLE}\n")

    def dropped(self) -> int:
        """How many packets were dropped since the cut; 0 if there is none."""
        told = json.loads(self._nft("", "-j", "list", "ruleset"))["nftables"]
        rules = [each["rule"] for each in told if "rule" in each]
        return sum(
            part["counter"]["packets"]
            for rule in rules
            if rule["table"] == TABLE
            for part in rule["expr"]
            if "counter" in part
        )

    def reached_from(self, other: str) -> bool:
        """Whether another machine of the cluster gets a connection to the Node's kubelet.

        Args:
            other: A Node's name, or ``"control-plane"``.
        """
        pid = Machine(self._machine.paths, other, "").pid
        seconds = f"{waits.CONNECT_SECONDS:g}"
        connect = f"exec 3<>/dev/tcp/{self._machine.address}/10250"
        command = ["nsenter", f"--net=/proc/{pid}/ns/net", "--", "timeout", seconds, "bash", "-c", connect]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def _nft(self, rules: str, *arguments: str) -> str:
        network = f"--net=/proc/{self._machine.pid}/ns/net"
        done = subprocess.run(
            ["nsenter", network, "--", "nft", *(arguments or ("-f", "-"))],
            input=rules,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ClusterError(f"{self._machine.name}: its packet filter refuses: {done.stderr.strip()}")
        return done.stdout
