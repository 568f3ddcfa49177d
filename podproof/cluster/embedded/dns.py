"""Asking a cluster's DNS from one of its Nodes, as a Pod with the Node's network would."""

import socket
import struct
import threading

import tenacity

from podproof.errors import ClusterError

from . import waits
from .network import DNS_ADDRESS

NAME = "kubernetes.default.svc.cluster.local"
"""The API server's Service, which every cluster has."""

_PORT = 53
_RECURSIVE, _TYPE_A, _CLASS_IN = 0x0100, 1, 1  # RFC 1035, section 4.1
_ERROR_BITS = 0x000F


def await_answer(node: str, pid: int) -> None:
    """Return when DNS has answered a question that came from a Node.

    Args:
        node: Its name, for the error.
        pid: A process of it.

    Raises:
        ClusterError: It did not in time.
    """
    asking = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda answered: not answered),
        stop=tenacity.stop_after_delay(waits.DNS_ANSWERS.seconds),
    )
    with _socket_of(pid) as connection:
        connection.settimeout(waits.DNS_QUESTION_SECONDS)
        try:
            asking(_answers, connection)
        except tenacity.RetryError:
            raise ClusterError(
                f"DNS does not answer {node} within {waits.DNS_ANSWERS}: podproof logs {node} tells "
                "what its kube-proxy says"
            ) from None


def _answers(connection: socket.socket) -> bool:
    """Ask once; false if no answer came, or one without an address."""
    try:
        connection.sendto(_question(), (DNS_ADDRESS, _PORT))
        answer = connection.recv(512)
    except OSError:  # no way there yet, or silence
        return False
    if len(answer) < 12:
        return False
    _, flags, _, answers = struct.unpack_from("!4H", answer)
    return not flags & _ERROR_BITS and answers > 0


def _question() -> bytes:
    header = struct.pack("!6H", 1, _RECURSIVE, 1, 0, 0, 0)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in NAME.split("."))
    return header + labels + b"\0" + struct.pack("!2H", _TYPE_A, _CLASS_IN)


def _socket_of(pid: int) -> socket.socket:
    """A UDP socket in the network namespace of a process; a socket stays where it was made."""
    from pyroute2 import netns  # imported late: it takes a quarter of a second

    made: list[socket.socket] = []

    def make() -> None:
        netns.setns(f"/proc/{pid}/ns/net", flags=0)
        made.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

    # Only the thread that enters the namespace is in it, and ends there.
    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if not made:
        raise ClusterError(f"the network of process {pid} cannot be entered")
    return made[0]
