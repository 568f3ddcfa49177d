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
    """Writes each line with the seconds since the start, to standard error unless told otherwise."""

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        self._write = write or self._write_standard_error
        self._began = time.monotonic()

    def __call__(self, line: str) -> None:
        """Write one line."""
        self._write(f"[{time.monotonic() - self._began:6.1f} s] {line}\n")

    @staticmethod
    def _write_standard_error(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
