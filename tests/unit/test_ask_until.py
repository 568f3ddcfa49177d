"""Asking again: until the answer is as wanted, and no longer than is allowed."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from podproof.kube import findings
from podproof.kube.changes import Mark
from podproof.kube.conditions import Falsified
from podproof.kube.deadlines import Deadline
from podproof.kube.findings import Finding
from podproof.traffic.again import ask_until

_SHORT = Deadline("an answer", 0.5, "the test is not to take long", "this test")


def test_it_asks_until_the_answer_is_as_wanted() -> None:
    answers = iter(["no", "no", "yes", "never asked for"])
    took = ask_until(lambda: next(answers), lambda answer: answer == "yes", "yes", str, _SHORT * 20)
    assert next(answers) == "never asked for"
    assert took > 0
    assert findings.take()[-1] == Finding("yes", "yes")


def test_it_asks_at_least_once_however_late_it_is() -> None:
    long_ago = Mark(time.monotonic() - 60, datetime.now(UTC), 0)
    assert ask_until(lambda: "yes", lambda answer: answer == "yes", "yes", str, _SHORT, long_ago) >= 60


def test_when_time_is_up_it_tells_the_last_answer_and_the_bound() -> None:
    count = iter(range(1000))
    with pytest.raises(Falsified, match=r"(?s)expected: a yes.*observed: no \d.*0.5 s for an answer"):
        ask_until(lambda: next(count), lambda _: False, "a yes", lambda answer: f"no {answer}", _SHORT)
