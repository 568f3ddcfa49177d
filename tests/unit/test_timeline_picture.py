"""The picture of a scenario: what it shows of Pods, Nodes, steps and requests."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from podproof.kube.summary import facts
from podproof.reporting.lanes import Lane, Span, lanes
from podproof.reporting.timeline_picture import StepSpan, picture

SVG = "{http://www.w3.org/2000/svg}"
WHEN = StepSpan("When", "one of its Pods is <deleted> & gone", 1.5, 1.6)


def pod(seconds: float, name: str, state: str, change: str = "MODIFIED", **more: Any) -> dict[str, Any]:
    told = {"state": state, "leaving": False, "node": "node-1", "restarts": 0, **more}
    return {"seconds": seconds, "kind": "Pod", "name": name, "uid": name, "type": change, "facts": told}


def node(seconds: float, name: str, state: str) -> dict[str, Any]:
    return {
        "seconds": seconds,
        "kind": "Node",
        "name": name,
        "uid": name,
        "type": "MODIFIED",
        "facts": {"state": state},
    }


def texts(svg: str) -> str:
    return "\n".join("".join(each.itertext()) for each in ElementTree.fromstring(svg).iter(f"{SVG}text"))  # noqa: S314


def classes(svg: str) -> set[str]:
    return {each.get("class", "") for each in ElementTree.fromstring(svg).iter()}  # noqa: S314


def test_a_pods_life() -> None:
    rows = [
        pod(0, "a", "pending", "ADDED", node=""),
        pod(1, "a", "running"),
        pod(2, "a", "ready"),
        pod(3, "a", "ready", restarts=1),
        pod(4, "a", "ready", leaving=True, restarts=1),
        pod(5, "a", "failed", leaving=True, restarts=1),
        pod(6, "a", "failed", "DELETED", leaving=True, restarts=1),
    ]
    spans = [
        Span(0, 1, "pending"),
        Span(1, 2, "running"),
        Span(2, 4, "ready"),
        Span(4, 5, "ready", leaving=True),
        Span(5, 6, "ended", leaving=True),
    ]
    assert lanes(rows, 10) == [Lane("Pod", "a", "node-1", spans, [3], gone=True)]


def test_what_lives_on_is_drawn_to_the_end_in_the_order_in_which_it_came() -> None:
    rows = [pod(0, "b", "ready", "LISTED"), pod(1, "a", "failed", "ADDED")]
    drawn = lanes(rows, 4)
    assert [(lane.name, lane.spans[-1]) for lane in drawn] == [
        ("b", Span(0, 4, "ready")),
        ("a", Span(1, 4, "failed")),
    ]


def test_of_nodes_only_those_of_its_pods_that_fell_ill() -> None:
    rows = [
        node(0, "node-1", "ready"),
        node(0, "node-2", "ready"),
        node(0, "node-3", "ready"),
        pod(0, "a", "ready", "ADDED", node="node-1"),
        pod(0, "b", "ready", "ADDED", node="node-2"),
        node(2, "node-1", "not ready"),
        node(2, "node-3", "not ready"),
    ]
    ill = [lane for lane in lanes(rows, 3) if lane.kind == "Node"]
    assert ill == [Lane("Node", "node-1", "", [Span(0, 2, "ready"), Span(2, 3, "not ready")])]


def test_rows_of_other_kinds_are_left_out() -> None:
    assert picture("nothing", [{"seconds": 1.0, "kind": "Event", "type": "ADDED", "summary": "x"}]) is None


def test_the_picture_says_who_where_and_what_was_done() -> None:
    drawn = picture("A title", [pod(0, "web-1", "pending", "ADDED"), pod(1, "web-1", "ready")], [WHEN])
    assert drawn is not None
    shown = texts(drawn)
    for told in ("A title", "web-1on node-1", "When one of its Pods is <deleted> & gone", "0 s", "ready"):
        assert told in shown
    assert {"mark", "pending", "ready"} <= classes(drawn)
    assert "prefers-color-scheme:dark" in drawn


def test_requests_are_counted_by_what_came_back() -> None:
    requests = [{"seconds": t / 100, "ok": t != 7, "answer": "v1" if t < 50 else "v2"} for t in range(100)]
    drawn = picture("x", [], requests=requests)
    assert drawn is not None
    shown = texts(drawn)
    for told in ("100 requests, 1 lost", "1 lost", "49 answered: v1", "50 answered: v2"):
        assert told in shown


def test_many_answers_are_one_row() -> None:
    requests = [{"seconds": t, "ok": True, "answer": f"page {t}: a-b"} for t in range(9)]
    drawn = picture("x", [], requests=requests)
    assert drawn is not None
    assert "9 answered: in 9 ways" in texts(drawn)


def test_the_answers_of_many_pods_are_one_row_for_each_replicaset() -> None:
    requests = [{"seconds": t, "ok": True, "answer": f"web-{t // 6}-{t % 6}xk"} for t in range(12)]
    drawn = picture("x", [], requests=requests)
    assert drawn is not None
    assert "6 answered: web-0-…" in texts(drawn)
    assert "6 answered: web-1-…" in texts(drawn)


def test_it_stays_small() -> None:
    rows = [
        pod(n / 10 + t, f"web-{n}", ("pending", "ready")[t], "ADDED") for n in range(100) for t in range(2)
    ]
    rows.sort(key=lambda row: row["seconds"])
    requests = [{"seconds": t / 1000, "ok": t % 3 > 0, "answer": str(t % 3)} for t in range(11_000)]
    drawn = picture("x" * 200, rows, [WHEN], requests)
    assert drawn is not None
    assert len(drawn) < 30_000
    assert "and 76 more" in texts(drawn)


def test_the_facts_of_a_pod() -> None:
    thing = {
        "kind": "Pod",
        "metadata": {"deletionTimestamp": "now"},
        "spec": {"nodeName": "node-1"},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "False"}],
            "initContainerStatuses": [{"restartCount": 1}],
            "containerStatuses": [{"restartCount": 2}],
        },
    }
    assert facts(thing) == {"state": "running", "leaving": True, "node": "node-1", "restarts": 3}
    thing["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    assert facts(thing)["state"] == "ready"
    assert facts({"kind": "Event", "metadata": {}}) == {}
