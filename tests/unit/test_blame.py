"""What is the trial's failure, such as a watch that delivers late, is never the cluster's."""

from __future__ import annotations

import time
from typing import cast

import pytest

from podproof.errors import TrialError
from podproof.kube.changes import Mark
from podproof.kube.client import Api
from podproof.kube.conditions import Check, Falsified, View
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import POD, REPLICA_SET, Kind, Object, name
from podproof.kube.recording import Recording

BRIEF = Deadline("a test", 0.05, "a test", "a test")


class Server:
    """An API server that has some Pods and can make a recording hear of them when it is asked."""

    def __init__(self) -> None:
        self.items: list[Object] = []
        self.recording: Recording | None = None

    def list(self, kind: Kind, _: str) -> Object:
        if kind == POD and self.recording:
            for each in self.items:
                watcher = self.recording._watchers[POD]
                self.recording._take(watcher, "ADDED", {**each, "metadata": dict(each["metadata"])})
        return {"items": self.items if kind == POD else []}


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def recording(server: Server) -> Recording:
    return Recording(cast(Api, server), "any", (POD, REPLICA_SET))


def pod(called: str, **status: object) -> Object:
    metadata = {
        "name": called,
        "uid": called,
        "resourceVersion": "1",
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    return {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": {}, "status": status}


def there_is(called: str, kind: Kind = POD) -> Check:
    def names(view: View) -> list[str]:
        return [name(each) for each in view.all(kind)]

    return Check(
        f"there is a {called}",
        frozenset({kind}),
        lambda view: called in names(view),
        lambda view: str(names(view)),
    )


def break_watch(recording: Recording, since: Mark, start: float, end: float) -> None:
    recording._watchers[POD].breaks.append((since.at + start, since.at + end))


def test_what_does_not_come_is_false(recording: Recording) -> None:
    with pytest.raises(Falsified):
        recording.wait_until(there_is("a"), BRIEF)


def test_what_is_delivered_after_the_time_is_not_proven(recording: Recording, server: Server) -> None:
    server.items, server.recording = [pod("a")], recording
    with pytest.raises(TrialError, match="whether it came in time is not known: there is a a"):
        recording.wait_until(there_is("a"), BRIEF)


def test_what_is_delivered_late_but_is_something_else_is_false(recording: Recording, server: Server) -> None:
    server.items, server.recording = [pod("b")], recording
    with pytest.raises(Falsified, match=r"observed: \['b'\]"):
        recording.wait_until(there_is("a"), BRIEF)


def test_a_watch_that_was_interrupted_in_that_time_proves_nothing(recording: Recording) -> None:
    since = recording.mark()
    break_watch(recording, since, 0.01, 0.02)
    with pytest.raises(TrialError, match="the watch of Pod was interrupted"):
        recording.wait_until(there_is("a"), BRIEF, since)


def test_an_interruption_of_another_time_or_kind_is_of_no_matter(recording: Recording) -> None:
    since = recording.mark()
    break_watch(recording, since, -2, -1)
    with pytest.raises(Falsified):
        recording.wait_until(there_is("a"), BRIEF, since)
    break_watch(recording, since, 0.01, 0.02)
    with pytest.raises(Falsified):
        recording.wait_until(there_is("a", REPLICA_SET), BRIEF, since)


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (
            {
                "containerStatuses": [
                    {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no way"}}}
                ]
            },
            "ImagePullBackOff: no way",
        ),
        (
            {
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/4"}
                ]
            },
            "Unschedulable: 0/4",
        ),
    ],
)
def test_pods_without_image_or_place_prove_nothing(
    recording: Recording, server: Server, status: dict[str, object], why: str
) -> None:
    server.items = [pod("a", **status)]
    recording._take(recording._watchers[POD], "ADDED", pod("a", **status))
    with pytest.raises(TrialError, match=f"Pod a cannot be started here .{why}"):
        recording.wait_until(there_is("b", REPLICA_SET), BRIEF)


def test_what_came_in_time_counts_whatever_else_happened(recording: Recording) -> None:
    since = recording.mark()
    recording._take(recording._watchers[POD], "ADDED", pod("a"))
    break_watch(recording, since, 0.01, 0.02)
    assert recording.wait_until(there_is("a"), BRIEF, since).at <= time.monotonic()
