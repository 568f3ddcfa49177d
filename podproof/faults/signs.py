"""Signs by which a fault shows, independent of what a claim says about it."""

from __future__ import annotations

import socket
from collections.abc import Callable

import tenacity

from podproof.errors import CleanupError, TrialError
from podproof.kube import deadlines
from podproof.kube.deadlines import Deadline

_PAUSE = 0.1
"""Seconds between two looks: whether a program answers can only be tried out."""


def listens(address: str, port: int) -> bool:
    """Whether somebody takes a connection there; the kernel does so for a program that is frozen, too."""
    try:
        with socket.create_connection((address, port), deadlines.NODE_ANSWERS.seconds):
            return True
    except OSError:
        return False


def demand(holds: Callable[[], bool], what: str, within: Deadline = deadlines.FAULT_CONFIRMED) -> None:
    """Look again and again until a sign of a fault is there.

    Raises:
        TrialError: It did not come, so the fault did not take.
    """
    if not comes(holds, within):
        raise TrialError(f"the fault did not take: not within {within}: {what}")


def demand_mended(holds: Callable[[], bool], what: str, within: Deadline) -> None:
    """Look again and again until a sign is there that a fault is gone.

    Raises:
        CleanupError: It did not come.
    """
    if not comes(holds, within):
        raise CleanupError(f"a fault is not undone: not within {within}: {what}")


def comes(holds: Callable[[], bool], within: Deadline) -> bool:
    """Look again and again until a sign is there; False if it does not come in time."""
    try:
        tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda there: not there),
            stop=tenacity.stop_after_delay(within.patience),
            wait=tenacity.wait_fixed(_PAUSE),
        )(holds)
    except tenacity.RetryError:
        return False
    return True
