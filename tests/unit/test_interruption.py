"""SIGTERM as Ctrl-C."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from podproof import interruption


@pytest.fixture(autouse=True)
def nobody_minds() -> Iterator[None]:
    """As in a program of its own: pytest with podproof's plugin has made something of the signal."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


def test_sigterm_interrupts_until_it_is_undone() -> None:
    undo = interruption.on_sigterm()
    try:
        assert not interruption.came_by_sigterm()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        assert interruption.came_by_sigterm()
        os.kill(os.getpid(), signal.SIGTERM)  # cleaning up goes on
    finally:
        undo()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_child_that_was_forked_is_ended_by_it() -> None:
    undo = interruption.on_sigterm()
    try:
        child = os.fork()
        if not child:
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            finally:
                os._exit(1)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGTERM
    finally:
        undo()


def test_another_handler_is_left_alone() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    interruption.on_sigterm()()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
