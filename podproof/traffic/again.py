"""Asking again until the answer is as wanted, for what nobody can watch."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NoReturn, TypeVar

import tenacity

from podproof.kube import findings
from podproof.kube.changes import Mark
from podproof.kube.conditions import Falsified
from podproof.kube.deadlines import Deadline

Answer = TypeVar("Answer")

_PAUSE = 0.2
"""Seconds between two questions: what packet filters and DNS servers hold can only be tried out."""


def ask_until(
    ask: Callable[[], Answer],
    holds: Callable[[Answer], bool],
    expected: str,
    tell: Callable[[Answer], str],
    deadline: Deadline,
    since: Mark | None = None,
) -> float:
    """Ask until the answer is as wanted; gives the seconds until the question was put that got it.

    The answer is noted for reports.

    Args:
        ask: Asks once.
        holds: Given an answer, whether it is as wanted.
        expected: What is wanted, in words.
        tell: An answer in words.
        deadline: How long it may take.
        since: The moment from which on time counts; now if None.

    Raises:
        Falsified: It was not so in time.
    """
    start = asked = since.at if since else time.monotonic()

    def ask_now() -> Answer:
        nonlocal asked
        asked = time.monotonic()
        return ask()

    def give_up(state: tenacity.RetryCallState) -> NoReturn:
        assert state.outcome is not None  # noqa: S101 - tenacity has it once something was asked
        raise Falsified(expected, tell(state.outcome.result()), deadline)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda answer: not holds(answer)),
        # By when it was asked: an answer may take long, and the last question has to come when time is up.
        stop=lambda _: asked - start >= deadline.patience,
        wait=tenacity.wait_fixed(_PAUSE),
        retry_error_callback=give_up,
    )
    findings.note(expected, tell(retrying(ask_now)))
    return asked - start
