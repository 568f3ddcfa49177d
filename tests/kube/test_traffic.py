"""Steady traffic on a real cluster: its record is whole, its times are right, and an outage is seen."""

from __future__ import annotations

import pytest

from podproof.errors import TrialError
from podproof.kube import deadlines
from podproof.kube.conditions import Check
from podproof.kube.deadlines import Deadline
from podproof.kube.kinds import DEPLOYMENT, ENDPOINT_SLICE, POD, Object, name, uid
from podproof.kube.rollouts import duration, finished
from podproof.kube.scene import Scene
from podproof.traffic import steady
from podproof.traffic.steady import Traffic

TARGET = "http://web/hostname"


@pytest.fixture
def deployment(scene: Scene) -> Object:
    made = next(each for each in scene.apply("deployments/recreate") if each["kind"] == DEPLOYMENT.name)
    scene.recording.wait_until(finished(made), duration(made))
    return made


def scale(scene: Scene, deployment: Object, count: int) -> None:
    """Scale to so many Pods and wait until the Service has just those."""
    scene.api.merge(
        DEPLOYMENT, scene.namespace.name, name(deployment), {"spec": {"replicas": count}}, "scale"
    )
    served = Check(
        f"{count} endpoints",
        frozenset({ENDPOINT_SLICE}),
        lambda view: (
            sum(
                bool(each["conditions"]["ready"])
                for one in view.all(ENDPOINT_SLICE)
                for each in one.get("endpoints") or ()
            )
            == count
        ),
        lambda _: "another number",
    )
    scene.recording.wait_until(served, deadlines.POD_STARTUP)


def test_an_outage_is_seen_request_by_request(scene: Scene, traffic: Traffic, deployment: Object) -> None:
    client = traffic.start(TARGET)
    client.go_on()
    off = scene.recording.mark()
    scale(scene, deployment, 0)
    client.go_on()
    assert client.running
    assert traffic.rows(), "also while it runs"
    scale(scene, deployment, 1)
    on = scene.recording.mark()
    client.go_on()
    client.go_on()
    record = client.stop()
    assert client.stop() is record
    assert not client.running

    record.demand_steady()
    assert record.uncertainty < 1
    assert record.requests[0].ok
    assert record.requests[-1].ok
    assert len(record.requests) == pytest.approx(record.seconds * steady.RATE, abs=steady.RATE)
    longest = max(record.outages(), key=lambda outage: outage.seconds)
    assert longest.start > off.at - record.uncertainty
    assert longest.end > longest.start + 0.9  # it went on for a second while there was nobody
    assert longest.end < on.at + 10
    assert all(longest.errors)
    pods = {each.who for each in record.spans()}
    assert all(pod.startswith("web-") for pod in pods)
    assert len(pods) >= 2, "one before, another one after"
    rows = traffic.rows()
    assert len(rows) == len(record.requests)
    assert rows == sorted(rows, key=lambda row: row["seconds"])
    assert rows[0]["seconds"] > 0


@pytest.mark.usefixtures("deployment")
def test_several_clients_have_records_of_their_own(scene: Scene, traffic: Traffic) -> None:
    slow = traffic.start(TARGET, rate=5)
    node = scene.now(POD, uid(slow.pod))["spec"]["nodeName"]
    fast = traffic.start(TARGET, rate=40, avoiding=[node])
    assert scene.now(POD, uid(fast.pod))["spec"]["nodeName"] != node
    fast.go_on()
    assert len(fast.stop().requests) > 40
    assert slow.stop().interval == pytest.approx(0.2)
    assert {row["client"] for row in traffic.rows()} == {"client", "client-1"}


def test_a_target_that_nobody_serves(traffic: Traffic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "TRAFFIC_ANSWERED", Deadline("an answer", 1, "", "a test"))
    with pytest.raises(
        TrialError, match=r"client client: not within 1 s for an answer .*; its last words: .*nobody-here"
    ):
        traffic.start("http://nobody-here/")
