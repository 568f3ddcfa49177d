"""Requests that a Pod sends, few enough to look at each: what came back, or why nothing did.

The asking container runs upstream's `agnhost netexec`, which sends a request on behalf of whoever asks it:
its `/dial`, github.com/kubernetes/kubernetes/blob/master/test/images/agnhost/netexec/netexec.go. It looks the
name up and connects anew for every request, as a client does that has just started.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from podproof.errors import TrialError
from podproof.kube import deadlines
from podproof.kube.changes import Mark
from podproof.kube.client import Api
from podproof.kube.deadlines import Deadline
from podproof.kube.execute import execute
from podproof.kube.kinds import Object, name
from podproof.traffic.again import ask_until

_DIAL = """\
left=$2
while [ "$left" -gt 0 ]; do
    wget -q -O - "$1" 2>&1
    echo
    left=$((left - 1))
done
"""
_UNKNOWN_HOST = "400 Bad Request"
"""How `/dial` answers when it cannot look the host up; it says no more."""

NAME_UNKNOWN = "name unknown"
"""The error of a request whose host could not be looked up."""


Protocol = Literal["http", "udp"]
"""What netexec serves: HTTP, which is over TCP, or datagrams."""

_DEFAULT_PORTS: dict[Protocol, int] = {"http": 8080, "udp": 8081}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes.

    Attributes:
        host: A name or an address.
        port: The port's number.
        protocol: See `Protocol`.
    """

    host: str
    port: int
    protocol: Protocol = "http"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{'udp' if self.protocol == 'udp' else 'tcp'}"


@dataclass(frozen=True, slots=True)
class Reply:
    """How one request ended.

    Attributes:
        answer: What came back; None if nothing did.
        error: Why nothing did, in the words of the asking Pod's system, for example ``"connection refused"``.
    """

    answer: str | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A request that a Pod can send any number of times.

    Attributes:
        api: The server.
        client: The Pod that sends it.
        container: The container that sends it.
        target: Where it goes.
        request: What is asked: a path for HTTP, the datagram's text for UDP.
    """

    api: Api
    client: Object
    container: str
    target: Target
    request: str = "hostname"

    def send(self, times: int = 1) -> list[Reply]:
        """Send it, one after the other; gives what came of each, in order.

        Raises:
            TrialError: The asking Pod could not be told to ask.
        """
        query = {
            "host": self.target.host,
            "port": self.target.port,
            "protocol": self.target.protocol,
            "request": self.request,
        }
        url = f"http://127.0.0.1:{netexec_port(self.client, self.container)}/dial?{urlencode(query)}"
        metadata = self.client["metadata"]
        result = execute(
            self.api,
            metadata["namespace"],
            metadata["name"],
            self.container,
            ["sh", "-c", _DIAL, "sh", url, str(times)],
            deadlines.COMMAND + deadlines.REQUEST * times,
        )
        replies = [parse(line) for line in result.stdout.splitlines() if line.strip()]
        if len(replies) != times:
            raise TrialError(
                f"Pod {name(self.client)} tells of {len(replies)} requests to {self.target}, not {times}: "
                f"{result.stderr.strip() or result.stdout.strip() or 'it says nothing'}"
            )
        return replies

    def until(
        self,
        holds: Callable[[Sequence[Reply]], bool],
        expected: str,
        deadline: Deadline,
        *,
        times: int = 1,
        since: Mark | None = None,
    ) -> float:
        """Send rounds of requests until the replies of one are as wanted; gives the seconds until that began.

        For what comes to hold a moment after the API says so, and that no watch shows.

        Args:
            holds: Given the replies of a round, whether they are as wanted.
            expected: What is wanted, in words.
            deadline: How long it may take.
            times: Requests in a round.
            since: The moment from which on time counts; now if None.

        Raises:
            Falsified: No round was so in time.
            TrialError: The asking Pod could not be told to ask.
        """
        return ask_until(
            lambda: self.send(times),
            holds,
            expected,
            lambda replies: f"requests to {self.target}: {tell(replies)}",
            deadline,
            since,
        )


def answers(replies: Sequence[Reply]) -> set[str]:
    """The different answers; requests without one add nothing."""
    return {reply.answer for reply in replies if reply.answer is not None}


def all_answered(replies: Sequence[Reply]) -> bool:
    """Whether every request was."""
    return all(reply.answer is not None for reply in replies)


def none_answered(replies: Sequence[Reply]) -> bool:
    """Whether no request was."""
    return not answers(replies)


def tell(replies: Sequence[Reply]) -> str:
    """Some replies in words, for example ``"20 answered 'web-a', 10 got nothing (connection refused)"``."""
    said = Counter(
        f"answered {reply.answer!r}" if reply.answer is not None else f"got nothing ({reply.error})"
        for reply in replies
    )
    return ", ".join(f"{count} {what}" for what, count in said.most_common())


def netexec_port(pod: Object, container: str, protocol: Protocol = "http") -> int:
    """Where a container that runs `agnhost netexec` listens: as its command says, or else by default."""
    spec = next(each for each in pod["spec"]["containers"] if each["name"] == container)
    words = " ".join([*spec.get("command", ()), *spec.get("args", ())])
    found = re.search(rf"--{protocol}-port=(\d+)", words)
    return int(found[1]) if found else _DEFAULT_PORTS[protocol]


def parse(line: str) -> Reply:
    """How a request ended, by what `/dial` answered or `wget` said instead.

    Raises:
        TrialError: It is neither: nothing was asked.
    """
    try:
        told = json.loads(line)
    except ValueError as error:
        if _UNKNOWN_HOST in line:
            return Reply(None, NAME_UNKNOWN)
        raise TrialError(f"the asking container's own server says {line.strip()!r}") from error
    if "errors" in told:
        return Reply(None, str(told["errors"][0]).rpartition(": ")[2].strip("'"))
    return Reply("".join(told.get("responses", ())))
