"""Steady traffic inside the cluster: a Pod that sends requests at a fixed rate and keeps a record of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from podproof.errors import TrialError
from podproof.kube import deadlines
from podproof.kube.changes import Mark
from podproof.kube.client import lines
from podproof.kube.conditions import Check, View, preparing
from podproof.kube.deadlines import Deadline
from podproof.kube.execute import execute
from podproof.kube.kinds import POD, Object, name, uid
from podproof.kube.scene import Scene
from podproof.kube.states import is_over, is_started
from podproof.kube.summary import line
from podproof.traffic import clock, vegeta
from podproof.traffic.record import Record, Request

RATE = 20
"""Requests a second unless told otherwise: an outage is then known to a twentieth of a second."""

_MANIFEST = "traffic/client"
_CONTAINER = "client"
_READINGS = 3  # the best of them counts; each takes a command in the Pod


@dataclass
class Client:
    """A Pod that sends requests.

    Attributes:
        scene: Where it is.
        pod: The Pod.
        target: What it asks for, a URL.
        rate: How many requests it sends a second.
        since: The moment at which the first request had been answered; what was sent before does not count.
    """

    scene: Scene
    pod: Object
    target: str
    rate: int
    since: Mark
    _first: int
    _readings: list[clock.Reading]
    _record: Record | None = None

    @property
    def running(self) -> bool:
        """Whether it has not been stopped."""
        return self._record is None

    def stop(self) -> Record:
        """End it once what is under way has been answered, and give its record; any time after the same one.

        Raises:
            TrialError: It did not end well, or its record lacks something.
        """
        if self._record is None:
            self._readings.append(_read_clock(self.scene, self.pod))
            since = self.scene.recording.mark()
            self._execute("kill -TERM 1")
            over = _is(self.pod, "over", is_over)
            with preparing(f"the client {name(self.pod)} is to end"):
                self.scene.recording.wait_until(over, deadlines.TRAFFIC_ENDED, since)
            record = self.so_far()
            record.demand_whole(self._first)
            self._record = record
        return self._record

    def so_far(self) -> Record:
        """The record until now; while it runs, requests that are under way are not in it.

        Raises:
            TrialError: A clock was set meanwhile.
        """
        if self._record is not None:
            return self._record
        offset = clock.Offset.between(self._readings)
        path = f"{POD.path(self.scene.namespace.name, name(self.pod))}/log"
        told = self.scene.api.text(path, query={"container": _CONTAINER}).splitlines()
        requests = [each for each in vegeta.read(told, offset.seconds) if each.number >= self._first]
        return Record.of(requests, 1 / self.rate, offset.uncertainty)

    def go_on(self, deadline: Deadline = deadlines.TRAFFIC_ANSWERED) -> None:
        """Return after a second's worth of further requests, whatever became of them.

        Raises:
            TrialError: It does not send any more.
        """
        _follow(self.scene, self.pod, {"tailLines": 1}, lambda seen: len(seen) > self.rate, deadline)

    def await_answers(self, deadline: Deadline) -> bool:
        """Return once every request of a second was answered; False if there was no such second in time."""

        def all_answered(seen: list[Request]) -> bool:
            return len(seen) > self.rate and all(each.ok for each in seen[-self.rate :])

        try:
            _follow(self.scene, self.pod, {"tailLines": 1}, all_answered, deadline)
        except TrialError:
            return False
        return True

    def _execute(self, command: str) -> None:
        execute(self.scene.api, self.scene.namespace.name, name(self.pod), _CONTAINER, ["sh", "-c", command])


@dataclass
class Traffic:
    """The clients of one scenario."""

    scene: Scene
    clients: list[Client] = field(default_factory=list)

    def start(self, target: str, *, rate: int = RATE, avoiding: Sequence[str] = ()) -> Client:
        """Start a client and return once a request has been answered.

        Args:
            target: What it asks for: a URL whose host is the name of a Service of the scenario's namespace.
            rate: How many requests it sends a second.
            avoiding: Nodes that it must not run on, because they are going to be broken; Nodes that are kept
                for that have a taint that keeps it away anyhow.

        Raises:
            TrialError: It did not start, or nothing was answered in time.
        """
        pod_name = f"client-{len(self.clients)}" if self.clients else "client"

        def adapt(thing: Object) -> None:
            thing["metadata"]["name"] = pod_name
            for variable in thing["spec"]["containers"][0]["env"]:
                variable["value"] = {"TARGET": target, "RATE": f"{rate}/s"}[variable["name"]]
            if avoiding:
                thing["spec"]["affinity"] = _away_from(avoiding)

        [pod] = self.scene.apply(_MANIFEST, adapt)
        with preparing(f"the client {pod_name} is to be started"):
            self.scene.recording.wait_until(_is(pod, "started", is_started), deadlines.POD_STARTUP)
        seen = _follow(
            self.scene,
            pod,
            {},
            lambda requests: requests[-1].ok,
            deadlines.TRAFFIC_ANSWERED,
        )
        since = self.scene.recording.mark()
        readings = [_read_clock(self.scene, pod) for _ in range(_READINGS)]
        client = Client(self.scene, pod, target, rate, since, seen[-1].number, readings)
        self.clients.append(client)
        return client

    def rows(self) -> list[dict[str, Any]]:
        """Every request of every client for the evidence, in the order of time; see `Record.rows`.

        Those of several clients also say whose each is, as `client`.
        """
        start = self.scene.recording.started.at
        found = []
        for client in self.clients:
            whose = {"client": name(client.pod)} if len(self.clients) > 1 else {}
            found += [row | whose for row in client.so_far().rows(start)]
        return sorted(found, key=lambda row: row["seconds"])


def _follow(
    scene: Scene,
    pod: Object,
    query: dict[str, str | int | bool],
    enough: Callable[[list[Request]], bool],
    deadline: Deadline,
) -> list[Request]:
    """Read a client's log as it is written until there is enough of it; gives the requests that were read."""
    path = f"{POD.path(scene.namespace.name, name(pod))}/log"
    end = time.monotonic() + deadline.patience
    seen: list[Request] = []
    last = ""
    with closing(scene.api.open(path, query={"container": _CONTAINER, "follow": True, **query})) as response:
        # It writes many times a second, so that there is always a next line to see the time pass by.
        for said in lines(response):
            last = said.decode("utf-8", "replace")
            seen += vegeta.read([said])
            if seen and enough(seen):
                return seen
            if time.monotonic() > end:
                break
    words = (seen[-1].error if seen else last) or "none"
    raise TrialError(f"client {name(pod)}: not within {deadline}; its last words: {words}")


def _read_clock(scene: Scene, pod: Object) -> clock.Reading:
    return clock.read(scene.api, scene.namespace.name, name(pod), _CONTAINER)


def _is(pod: Object, state: str, test: Callable[[Object], bool]) -> Check:
    def as_known(view: View) -> Object:
        return view.one(POD, uid(pod)) or pod

    return Check(
        f"Pod {name(pod)} is {state}",
        frozenset({POD}),
        lambda view: test(as_known(view)),
        lambda view: line(as_known(view)),
    )


def _away_from(nodes: Sequence[str]) -> Object:
    term = {
        "matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": [each]} for each in nodes]
    }
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
