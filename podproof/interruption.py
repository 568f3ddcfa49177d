"""SIGTERM, which a job that is cancelled gets, ends a program as Ctrl-C does: what was started is undone."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType


def on_sigterm() -> Callable[[], None]:
    """Let SIGTERM raise KeyboardInterrupt, unless something else was made of it; gives what undoes that."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return lambda: None
    ours = os.getpid()

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        if os.getpid() == ours:
            raise KeyboardInterrupt
        # A library that forks (pyroute2 does) means its child to end.
        undo()
        os.kill(os.getpid(), signal.SIGTERM)

    def undo() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, interrupt)
    return undo
