"""SIGTERM, which a job that is cancelled gets, ends a program as Ctrl-C does: what was started is undone."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

_received = threading.Event()


def came_by_sigterm() -> bool:
    """Whether SIGTERM has interrupted this process: unlike Ctrl-C, it need not have reached its children."""
    return _received.is_set()


def on_sigterm() -> Callable[[], None]:
    """Let the first SIGTERM raise KeyboardInterrupt, and ignore others, which would cut cleaning up short.

    Nothing is changed if something else was made of the signal. Gives what undoes it.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return lambda: None
    ours = os.getpid()

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        if os.getpid() != ours:  # a library that forks (pyroute2 does) means its child to end
            undo()
            os.kill(os.getpid(), signal.SIGTERM)
        elif not _received.is_set():
            _received.set()
            raise KeyboardInterrupt

    def undo() -> None:
        _received.clear()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, interrupt)
    return undo
