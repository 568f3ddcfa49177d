"""Conditions compose, and what a Falsified says is what a stranger needs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from podproof.kube import deadlines, findings
from podproof.kube.changes import Change, World, server_time
from podproof.kube.conditions import Check, Condition, Falsified, demand, preparing
from podproof.kube.findings import Finding
from podproof.kube.kinds import EVENT, NODE, POD, Kind, Object
from podproof.kube.states import Gone, PodReady, SamePods

NOTHING = World()


def always(value: bool, kind: Kind = POD, text: str = "it") -> Condition:
    return Check(text, frozenset({kind}), lambda _: value, lambda _: f"{text} is not so")


def pod(uid: str, ready: bool = False, phase: str = "Running") -> Object:
    return {
        "kind": "Pod",
        "metadata": {"name": f"pod-{uid}", "uid": uid, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def change(kind: str, thing: Object, at: float = 0.0) -> Change:
    return Change(at, datetime.now(UTC), POD, kind, thing, None)


def test_both_of_two_must_hold() -> None:
    assert (always(True) & always(True)).holds(NOTHING)
    assert not (always(True) & always(False)).holds(NOTHING)


def test_one_of_two_is_enough() -> None:
    assert (always(False) | always(True)).holds(NOTHING)
    assert not (always(False) | always(False)).holds(NOTHING)


def test_the_opposite() -> None:
    assert (~always(False)).holds(NOTHING)
    assert not (~always(True)).holds(NOTHING)


def test_a_composition_looks_at_all_kinds_of_its_parts() -> None:
    assert (always(True, POD) & ~always(True, NODE) | always(True, EVENT)).kinds == {POD, NODE, EVENT}


def test_a_composition_describes_itself() -> None:
    both = always(True, text="this") & always(False, text="that")
    assert both.describe() == "this and that"
    assert both.observed(NOTHING) == "that is not so"


def test_a_pod_that_is_gone_or_has_ended_never_becomes_ready() -> None:
    assert PodReady("a").impossible(World.after([change("ADDED", pod("a"))])) is None
    gone = World.after([change("ADDED", pod("a")), change("DELETED", pod("a"))])
    assert PodReady("a").impossible(gone) == "the Pod is gone"
    failed = World.after([change("ADDED", pod("a", phase="Failed"))])
    assert PodReady("a").impossible(failed) == "the Pod has ended (Failed)"


def test_both_become_impossible_with_one_but_either_only_with_both() -> None:
    gone = World.after([change("DELETED", pod("a"))])
    assert (PodReady("a") & always(True)).impossible(gone)
    assert (PodReady("a") | always(False)).impossible(gone) is None


def test_gone_means_that_it_was_there() -> None:
    assert not Gone(POD, "a").holds(NOTHING)
    assert Gone(POD, "a").holds(World.after([change("ADDED", pod("a")), change("DELETED", pod("a"))]))


def test_a_pod_on_its_way_out_is_not_one_of_the_same_pods() -> None:
    leaving = pod("a", ready=True)
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:01Z"
    assert SamePods(frozenset({"a"})).holds(World.after([change("ADDED", pod("a"))]))
    assert not SamePods(frozenset({"a"})).holds(World.after([change("ADDED", leaving)]))
    two = [change("ADDED", pod("a")), change("ADDED", pod("b"))]
    assert not SamePods(frozenset({"a"})).holds(World.after(two))


def test_what_held_is_noted_with_words_that_are_true_of_it() -> None:
    findings.take()
    demand(True, "one row", "rows ['a']")
    demand(True, "no such file", otherwise="a file with 'a'")
    with pytest.raises(Falsified, match=r"observed: a file with 'a'"):
        demand(False, "no such file", otherwise="a file with 'a'")
    assert findings.take() == (Finding("one row", "rows ['a']"), Finding("no such file", "as expected"))
    assert findings.take() == ()


def test_what_podproof_prepares_is_noted_as_that() -> None:
    findings.take()
    with preparing("the app is to have a Pod"):
        demand(True, "one Pod", "1 Pod")
    demand(True, "one Pod", "1 Pod")
    assert [each.prepared for each in findings.take()] == [True, False]


def test_what_holds_of_several_objects_is_shown_with_all_of_them() -> None:
    view = World.after([change("ADDED", pod("a")), change("ADDED", pod("b"))])
    pods = Check("two", frozenset({POD}), lambda _: True, lambda view: f"{len(view.all(POD))}", several=True)
    assert pods.shown(view) == "2"
    assert always(True).shown(view) == PodReady("a").shown(view) == ""
    assert (always(True) & pods).shown(view) == "2"
    assert SamePods(frozenset({"a", "b"})).shown(view).startswith("2 Pods: ")


def test_a_falsified_says_expected_observed_bound_and_last_events() -> None:
    text = str(Falsified("a Ready Pod", "no Pod", deadlines.POD_STARTUP, ["+1 s Pod web ADDED"]))
    assert "expected: a Ready Pod" in text
    assert "observed: no Pod" in text
    assert "bound:    5 s for a Pod to start (upstream's Pod start-up objective" in text
    assert "+1 s Pod web ADDED" in text


def test_the_servers_time_is_that_of_the_newest_write() -> None:
    thing = pod("a")
    thing["metadata"]["managedFields"] = [
        {"time": "2026-01-01T00:00:05Z"},
        {"time": "2026-01-01T00:00:03Z"},
        {},
    ]
    assert server_time(POD, "MODIFIED", thing) == datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC)


def test_a_deletion_has_no_servers_time() -> None:
    assert server_time(POD, "DELETED", pod("a")) is None
