"""The recording on a real cluster: what it keeps, what it answers, and what it refuses to answer."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import cast

import pytest

from podproof.errors import TrialError
from podproof.kube import deadlines, watcher
from podproof.kube.changes import Gap
from podproof.kube.client import Api
from podproof.kube.conditions import Check, Condition, Falsified, View
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import EVENT, POD, Kind, Object, name
from podproof.kube.namespaces import Namespace
from podproof.kube.recording import Recording
from podproof.kube.watch import ExpiredError, Stream

CONFIG_MAP = Kind("ConfigMap", "v1", "configmaps")
SOON = Deadline("a test", 20, "a test", "a test")
AT_ONCE = Deadline("a test", 0.3, "a test", "a test")


def config_map(called: str, value: str = "") -> Object:
    metadata = {"name": called}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"value": value}}


def values(view: View) -> dict[str, str]:
    return {
        name(each): each["data"]["value"]
        for each in view.all(CONFIG_MAP)
        if name(each) != "kube-root-ca.crt"  # in every namespace
    }


def they_are(test: Callable[[dict[str, str]], bool], text: str = "the values are as wanted") -> Condition:
    return Check(
        text, frozenset({CONFIG_MAP}), lambda view: test(values(view)), lambda view: str(values(view))
    )


@pytest.fixture
def recorded(api: Api, namespace: Namespace) -> Recording:
    return Recording(api, namespace.name, (CONFIG_MAP, POD))


def cut(recorded: Recording) -> None:
    """Cut the connection of the watch, both ways: nothing that the server sends from now on gets through."""
    stream = recorded._watchers[CONFIG_MAP]._stream
    assert stream is not None
    shutdown = stream._response._sock_shutdown
    assert shutdown is not None
    shutdown(socket.SHUT_RDWR)


def forget(recorded: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut the connection, and find when resuming that the server has forgotten what came since.

    A young cluster has forgotten nothing yet, so that one answer is put in its place.
    """

    def resume(*_: object) -> Stream:
        monkeypatch.setattr(watcher, "Stream", Stream)
        raise ExpiredError

    monkeypatch.setattr(watcher, "Stream", resume)
    cut(recorded)


def test_a_wait_ends_with_the_change_that_it_waits_for(recorded: Recording, namespace: Namespace) -> None:
    with recorded:
        since = recorded.mark()
        threading.Timer(0.3, lambda: namespace.apply(config_map("a", "1"), "a test")).start()
        seen = recorded.wait_until(they_are(lambda now: now == {"a": "1"}), SOON, since)
    assert seen.at - since.at > 0.3
    assert seen.change is not None
    assert seen.change.type == "ADDED"
    assert seen.server is not None
    assert -0.5 < (seen.wall - seen.server).total_seconds() < 2


def test_a_state_that_has_passed_is_still_seen(recorded: Recording, namespace: Namespace) -> None:
    with recorded:
        since = recorded.mark()
        for value in "123":
            namespace.apply(config_map("a", value), "a test")
        recorded.wait_until(they_are(lambda now: now == {"a": "3"}), SOON, since)
        passed = recorded.wait_until(they_are(lambda now: now == {"a": "2"}), SOON, since)
        assert values(passed.world) == {"a": "2"}
        assert values(recorded.world()) == {"a": "3"}


def test_a_wait_that_fails_says_what_was_there_and_for_how_long(
    recorded: Recording, namespace: Namespace
) -> None:
    with recorded:
        namespace.apply(config_map("a", "1"), "a test")
        with pytest.raises(Falsified) as failed:
            recorded.wait_until(they_are(lambda now: "b" in now, "there is a b"), AT_ONCE)
    assert failed.value.expected == "there is a b"
    assert failed.value.observed == "{'a': '1'}"
    assert failed.value.bound == AT_ONCE
    assert "ConfigMap a ADDED" in failed.value.last_events[-1]


def test_a_wait_for_the_impossible_ends_at_once(recorded: Recording) -> None:
    class Hopeless(Check):
        def impossible(self, view: View) -> str | None:
            del view
            return "it is gone"

    never = Hopeless("x", frozenset({CONFIG_MAP}), lambda _: False, lambda _: "nothing")
    started = time.monotonic()
    with recorded, pytest.raises(Falsified, match="it can never be any more: it is gone"):
        recorded.wait_until(never, SOON)
    assert time.monotonic() - started < SOON.seconds / 2


def test_a_breach_that_lasted_a_moment_is_found(api: Api, recorded: Recording, namespace: Namespace) -> None:
    with recorded:
        namespace.apply(config_map("a", "1"), "a test")
        recorded.wait_until(they_are(lambda now: now == {"a": "1"}), SOON)
        since = recorded.mark()
        api.delete(CONFIG_MAP, namespace.name, "a")
        namespace.apply(config_map("a", "1"), "a test")
        recorded.wait_until(they_are(lambda now: now == {"a": "1"}), SOON)
        with pytest.raises(Falsified, match="all the time: there is an a"):
            recorded.always(they_are(lambda now: "a" in now, "there is an a"), since)
        recorded.never(they_are(lambda now: len(now) > 1), since)


def test_always_waits_for_what_is_under_way(recorded: Recording, namespace: Namespace) -> None:
    with recorded:
        since = recorded.mark()
        namespace.apply(config_map("a", "1"), "a test")  # the watch may deliver it later than this returns
        with pytest.raises(Falsified):
            recorded.never(they_are(lambda now: "a" in now), since)


def test_a_broken_watch_resumes_and_loses_nothing(recorded: Recording, namespace: Namespace) -> None:
    with recorded:
        since = recorded.mark()
        cut(recorded)
        for value in "123":
            namespace.apply(config_map("a", value), "a test")
        recorded.wait_until(they_are(lambda now: now == {"a": "3"}), SOON, since)
        recorded.never(they_are(lambda now: "b" in now), since)
    assert [each.thing["data"]["value"] for each in recorded.history(CONFIG_MAP, "a")] == ["1", "2", "3"]
    assert recorded.resumed == 1
    assert not recorded.gaps


def test_what_spans_a_gap_is_not_proven(
    recorded: Recording, namespace: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recorded:
        namespace.apply(config_map("a", "1"), "a test")
        recorded.wait_until(they_are(lambda now: now == {"a": "1"}), SOON)
        since = recorded.mark()
        forget(recorded, monkeypatch)
        namespace.apply(config_map("b", "2"), "a test")
        recorded.wait_until(they_are(lambda now: now == {"a": "1", "b": "2"}), SOON, since)
        (gap,) = recorded.gaps
        assert isinstance(gap, Gap)
        assert gap.kind == CONFIG_MAP
        with pytest.raises(TrialError, match="the recording of ConfigMap has a gap"):
            recorded.never(they_are(lambda now: "c" in now), since)
        with pytest.raises(TrialError, match="has a gap"):
            recorded.wait_until(they_are(lambda now: "c" in now), AT_ONCE, since)
        # Neither another kind nor another time is touched.
        pods = Check("Pods", frozenset({POD}), lambda view: bool(view.all(POD)), lambda _: "")
        recorded.never(pods, since)
        recorded.never(they_are(lambda now: "c" in now), recorded.mark())
    assert "GAP" in [row["type"] for row in recorded.timeline()]


def test_what_went_in_a_gap_is_known_to_be_gone(
    api: Api, recorded: Recording, namespace: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recorded:
        namespace.apply(config_map("a", "1"), "a test")
        recorded.wait_until(they_are(lambda now: now == {"a": "1"}), SOON)
        recorded._watchers[CONFIG_MAP]._on_change = lambda *_: None
        api.delete(CONFIG_MAP, namespace.name, "a")
        api.create(CONFIG_MAP, namespace.name, config_map("b"))
        assert values(recorded.world()) == {"a": "1"}
        forget(recorded, monkeypatch)
        recorded.wait_until(they_are(lambda now: now == {"b": ""}), SOON)
    assert "VANISHED" in [each.type for each in recorded.history(CONFIG_MAP, "a")]


def test_a_watch_that_lags_behind_the_server_is_not_proven(
    recorded: Recording, namespace: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "WATCH_CAUGHT_UP", AT_ONCE)
    with recorded:
        recorded._watchers[CONFIG_MAP]._on_change = lambda *_: None
        since = recorded.mark()
        namespace.apply(config_map("a", "1"), "a test")
        with pytest.raises(TrialError, match="the recording of ConfigMap is behind the server"):
            recorded.never(they_are(lambda now: "a" in now), since)


def test_a_kind_that_is_not_watched_cannot_be_asked_about(recorded: Recording) -> None:
    nodes = Check("x", frozenset({Kind("Node", "v1", "nodes", False)}), lambda _: False, lambda _: "")
    with recorded, pytest.raises(TrialError, match="does not watch Node"):
        recorded.wait_until(nodes, AT_ONCE)


def test_all_watches_end_at_once(recorded: Recording) -> None:
    with recorded:
        started = time.monotonic()
    assert time.monotonic() - started < 1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("watch ")]


def test_the_timeline_is_plain_and_in_order(recorded: Recording, namespace: Namespace) -> None:
    with recorded:
        namespace.apply(config_map("a", "1"), "a test")
        recorded.wait_until(they_are(lambda now: "a" in now), SOON)
    rows = recorded.timeline()
    assert [row["seconds"] for row in rows] == sorted(row["seconds"] for row in rows)
    assert {"seconds", "arrived", "server", "kind", "name", "uid", "type", "summary"} == rows[-1].keys()


def test_what_the_scheduler_says_tells_how_late_it_arrives(api: Api, namespace: Namespace) -> None:
    scheduled = Check(
        "a Pod was scheduled",
        frozenset({EVENT}),
        lambda view: any(each["reason"] == "Scheduled" for each in view.all(EVENT)),
        lambda view: str(len(view.all(EVENT))),
    )
    container = {"name": "any", "image": "any"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [container]}}
    with Recording(api, namespace.name, (EVENT,)) as recorded:
        namespace.apply(pod, "a test")
        recorded.wait_until(scheduled, SOON)
    [late] = recorded.event_lateness()
    assert 0 < late < 2


def test_a_server_that_has_forgotten_says_so_in_the_stream_too() -> None:
    # As kube-apiserver 1.37 sends it for a resource version that is too old.
    line = (
        b'{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",'
        b'"message":"too old resource version: 1 (442)","reason":"Expired","code":410}}\n'
    )

    class Answer:
        def stream(self, _: int) -> list[bytes]:
            return [line[:50], line[50:]]

    class Server:
        def open(self, *_: object, **__: object) -> Answer:
            return Answer()

    stream = Stream(cast(Api, Server()), CONFIG_MAP, "any", "1")
    with pytest.raises(ExpiredError):
        list(stream)
