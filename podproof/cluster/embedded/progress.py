"""Saying what long work is doing, how far it is and how long it has taken."""

import sys
import time
from collections.abc import Callable

Report = Callable[[str], None]
"""Takes one line about the work under way."""


def silent(line: str) -> None:
    """Say nothing; for callers that need no progress."""
    del line


class Progress:
    """Writes each line with the seconds since the start, to standard error unless told otherwise.

    On a terminal, a line that is passed to `update` is overwritten by the next one, so that counting up
    does not scroll everything else away.
    """

    def __init__(self, write: Callable[[str], object] | None = None, *, live: bool | None = None) -> None:
        self._write = write or self._write_standard_error
        self._live = sys.stderr.isatty() and write is None if live is None else live
        self._began = time.monotonic()
        self._unfinished = False

    def __call__(self, line: str) -> None:
        """Write one line that stays."""
        self._write(f"{self._clear()}{self._stamp()} {line}\n")
        self._unfinished = False

    def update(self, line: str) -> None:
        """Write a line that the next one replaces; on anything but a terminal, an ordinary line."""
        if not self._live:
            self(line)
            return
        self._write(f"{self._clear()}{self._stamp()} {line}")
        self._unfinished = True

    def _stamp(self) -> str:
        return f"[{time.monotonic() - self._began:6.1f} s]"

    def _clear(self) -> str:
        return "\r\x1b[K" if self._unfinished else ""

    @staticmethod
    def _write_standard_error(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
