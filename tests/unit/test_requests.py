"""What is understood of the words of the tools that send requests and look names up."""

from __future__ import annotations

import pytest

from podproof.errors import TrialError
from podproof.traffic import names, probe
from podproof.traffic.probe import Reply

_BUSYBOX = """\
Server:\t\t10.96.0.10
Address:\t10.96.0.10:53


Name:\tweb.lab.svc.cluster.local
Address: 10.96.49.235

"""
_BIND = """\
Server:\t\t10.96.0.10
Address:\t10.96.0.10#53

Name:\tweb.lab.svc.cluster.local
Address: 10.244.1.2
Name:\tweb.lab.svc.cluster.local
Address: 10.244.2.2

"""
_PORT = """\
Server:\t\t10.96.0.10
Address:\t10.96.0.10:53

_http._tcp.web.lab.svc.cluster.local\tservice = 0 100 80 web.lab.svc.cluster.local{dot}

"""
_UNKNOWN = """\
Server:\t\t10.96.0.10
Address:\t10.96.0.10:53

** server can't find web.lab.svc.cluster.local.: NXDOMAIN

"""


@pytest.mark.parametrize(
    ("output", "addresses"),
    [
        pytest.param(_BUSYBOX, {"10.96.49.235"}, id="busybox"),
        pytest.param(_BIND, {"10.244.1.2", "10.244.2.2"}, id="BIND"),
        pytest.param(_UNKNOWN, set(), id="unknown"),
    ],
)
def test_addresses_are_those_of_the_name_and_not_the_servers(output: str, addresses: set[str]) -> None:
    assert names.parse(output) == addresses


@pytest.mark.parametrize("dot", ["", "."])
def test_a_port_is_found_with_its_host(dot: str) -> None:
    assert names.parse(_PORT.format(dot=dot), ports=True) == {"80 of web.lab.svc.cluster.local"}


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        pytest.param('{"responses":["web-a"]}', Reply("web-a"), id="answered"),
        pytest.param("{}", Reply(""), id="answered with nothing"),
        pytest.param(
            '{"errors":["Get \\"http://10.0.0.1:81/hostname\\": dial tcp 10.0.0.1:81: connect: '
            'connection refused"]}',
            Reply(None, "connection refused"),
            id="refused",
        ),
        pytest.param(
            '{"errors":["reading from udp connection failed. err:\'read udp 127.0.0.1:4->127.0.0.1:8: read: '
            "connection refused'\"]}",
            Reply(None, "connection refused"),
            id="a datagram refused",
        ),
        pytest.param(
            "wget: server returned error: HTTP/1.1 400 Bad Request",
            Reply(None, probe.NAME_UNKNOWN),
            id="unknown",
        ),
    ],
)
def test_a_request_is_answered_or_says_why_not(line: str, reply: Reply) -> None:
    assert probe.parse(line) == reply


def test_a_client_that_cannot_be_told_to_ask_fails_the_trial() -> None:
    with pytest.raises(TrialError, match="Connection refused"):
        probe.parse("wget: can't connect to remote host (127.0.0.1): Connection refused")
