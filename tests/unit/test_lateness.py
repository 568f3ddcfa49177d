"""How late the recording is: by which events, and when the clocks forbid to say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from podproof.kube.changes import Change
from podproof.kube.kinds import EVENT, POD, Kind
from podproof.kube.lateness import event_lateness
from podproof.verdicts.lateness import Lateness

SENT = "2026-01-01T00:00:00.123456Z"


def change(
    kind: Kind = EVENT,
    change_type: str = "ADDED",
    sender: str = "default-scheduler",
    sent: str | None = SENT,
    late: float = 0.007,
) -> Change:
    arrived = datetime.fromisoformat(SENT).astimezone(UTC) + timedelta(seconds=late)
    thing: dict[str, Any] = {"metadata": {}, "reportingController": sender, "eventTime": sent}
    return Change(1.0, arrived, kind, change_type, thing, None)


def test_new_events_of_the_scheduler_tell() -> None:
    assert event_lateness([change(), change(late=-0.5)]) == pytest.approx([0.007, -0.5])


@pytest.mark.parametrize(
    "other",
    [
        change(kind=POD),
        change(change_type="LISTED"),
        change(change_type="RELISTED"),
        change(change_type="MODIFIED"),
        change(sender="kubelet"),
        change(sent=None),
    ],
)
def test_nothing_else_tells(other: Change) -> None:
    assert event_lateness([other]) == []


def test_lateness_is_summed_up() -> None:
    late = Lateness.of([4, 5, 90])
    assert str(late) == (
        "0.005 s late at the median of 3 events, 0.090 s at the 99th percentile, 0.090 s at most"
    )
    assert (late.samples, late.why_unknown) == (3, "")


@pytest.mark.parametrize(
    ("broken", "resumed", "counts"),
    [(0.1, 0.2, True), (0.1, 0.6, False), (0.6, 0.8, False), (0.9, 1.3, False), (1.1, 1.3, True)],
)
def test_what_an_interruption_delayed_does_not_count(broken: float, resumed: float, counts: bool) -> None:
    # It arrives at 1.0 and was sent at 0.5.
    assert bool(event_lateness([change(late=0.5)], [(broken, resumed)])) is counts


@pytest.mark.parametrize(
    ("milliseconds", "why"),
    [
        ([], "no event told its time to the microsecond"),
        ([5, -20], "the clocks differ: an event arrived 0.020 s before the time that its sender gave it"),
        ([3000, 2500], "the clocks differ: the quickest of 2 events took 2.500 s"),
    ],
)
def test_where_it_is_not_known_that_is_said(milliseconds: list[int], why: str) -> None:
    late = Lateness.of(milliseconds)
    assert (late.spread, late.why_unknown) == (None, why)
    assert str(late) == f"not known: {why}"


def test_one_event_that_was_kept_back_is_late() -> None:
    assert Lateness.of([5, 3000]).spread is not None
