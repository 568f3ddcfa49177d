"""Waiting for one object outlasts a server that is busy."""

from __future__ import annotations

import json
from typing import cast

import pytest

from podproof.errors import TrialError
from podproof.kube.client import Api, ApiError
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import POD, Object
from podproof.kube.watch import until

ADDED = {"type": "ADDED", "object": {"metadata": {"name": "a", "resourceVersion": "2"}}}


class Answer:
    """A stream that shows a Pod."""

    def stream(self, _: int) -> list[bytes]:
        return [json.dumps(ADDED).encode() + b"\n"]

    def close(self) -> None:
        """Nothing to let go of."""


class Server:
    """An API server without Pods that refuses to open so many streams, then opens one."""

    def __init__(self, refusals: int, status: int) -> None:
        self.refusals = refusals
        self.status = status

    def request(self, *_: object, **__: object) -> Object:
        return {"items": [], "metadata": {"resourceVersion": "1"}}

    def open(self, *_: object, **__: object) -> Answer:
        if self.refusals:
            self.refusals -= 1
            raise ApiError("GET /any", self.status, "", "", {})
        return Answer()


def wait(server: Server, seconds: float) -> Object | None:
    bound = Deadline("a test", seconds, "a test", "a test")
    return until(cast(Api, server), POD, "any", "a", lambda pod: pod is not None, bound)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(status: int) -> None:
    assert wait(Server(2, status), 10) == ADDED["object"]


def test_a_server_that_stays_busy_is_waited_for_until_time_is_up() -> None:
    with pytest.raises(TrialError, match="Pod a was not as wanted"):
        wait(Server(1000, 503), 0.3)


def test_a_server_that_forbids_is_not_asked_again() -> None:
    server = Server(5, 403)
    with pytest.raises(ApiError):
        wait(server, 10)
    assert server.refusals == 4


class Idle(Server):
    """One whose Pods never change: each stream ends when the server was told to end it."""

    def open(self, *_: object, **arguments: object) -> Answer:
        self.asked = cast(dict[str, object], arguments["query"])["timeoutSeconds"]
        answer = Answer()
        answer.stream = lambda _: []  # type: ignore[method-assign]
        return answer


def test_what_is_seen_meanwhile_may_end_a_wait_although_no_object_changes() -> None:
    looks = 0

    def meanwhile() -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise ValueError("enough")

    server = Idle(0, 0)
    bound = Deadline("a test", 60, "a test", "a test")
    with pytest.raises(ValueError, match="enough"):
        until(cast(Api, server), POD, "any", "a", lambda _: False, bound, meanwhile=meanwhile)
    assert server.asked == 2, "seconds until the next look"
