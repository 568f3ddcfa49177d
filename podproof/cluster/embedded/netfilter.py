"""Asking the kernel what of netfilter it has, with its tools' messages (linux/netfilter/nfnetlink.h)."""

import errno
import os
import socket
import struct

_NETFILTER = 12  # NETLINK_NETFILTER
_QUEUE, _COMPAT = 3, 11  # NFNL_SUBSYS_QUEUE, NFNL_SUBSYS_NFT_COMPAT
_REQUEST, _ACKNOWLEDGE, _ERROR = 0x1, 0x4, 0x2  # NLM_F_REQUEST, NLM_F_ACK, NLMSG_ERROR
_HEADER = struct.Struct("=IHHII")
_TARGET = 1
"""What tells a target of iptables from a match."""
_BIND = 3  # NFQNL_CFG_CMD_PF_BIND, which kernels have ignored since 3.8, and answered
_SECONDS = 5.0
"""A kernel answers at once, or after it has loaded a module."""


def why_no_queue() -> str:
    """Why packets cannot be held back for a program to judge; empty if they can.

    Asks and changes nothing, except that the kernel may load its modules.
    """
    target = struct.pack(">I", _TARGET)
    asked = _attribute(1, b"NFQUEUE\0") + _attribute(2, struct.pack(">I", 3)) + _attribute(3, target)
    for what, subsystem, kind, attributes in (
        ("nft_compat or xt_NFQUEUE", _COMPAT, 0, asked),
        ("nfnetlink_queue", _QUEUE, 2, _attribute(1, struct.pack(">BBH", _BIND, 0, socket.AF_INET))),
    ):
        if error := _ask(subsystem << 8 | kind, attributes):
            return f"no {what} ({os.strerror(error)})"
    return ""


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _ask(kind: int, attributes: bytes) -> int:
    """Send a request; gives the error that the kernel answers with, 0 if that is none."""
    body = struct.pack(">BBH", socket.AF_INET, 0, 0) + attributes
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER) as kernel:
        kernel.settimeout(_SECONDS)
        kernel.send(_HEADER.pack(_HEADER.size + len(body), kind, _REQUEST | _ACKNOWLEDGE, 1, 0) + body)
        try:
            while True:
                answer = kernel.recv(65536)
                while answer:
                    length, what, *_ = _HEADER.unpack_from(answer)
                    if what == _ERROR:
                        return -int(struct.unpack_from("=i", answer, _HEADER.size)[0])
                    answer = answer[length + -length % 4 :]
        except TimeoutError:
            return errno.ETIMEDOUT
