"""The dead man's switch of a fault: a process of its own that undoes it when its runner cannot.

Run as ``python guard.py DESCRIPTOR SECONDS COMMAND...``. It reads from a pipe whose other end the runner has.
A byte means that all is undone; the pipe's end, that the runner is dead; and if nothing comes within the
seconds, the runner has forgotten the fault. In both cases the command takes this process over, and undoes it.

It imports nothing but the standard library's smallest parts: one runs beside each fault.
"""

import os
import select
import sys


def main(words: list[str]) -> None:
    """Wait, then end or become the command."""
    descriptor, seconds, command = int(words[0]), float(words[1]), words[2:]
    heard, _, _ = select.select([descriptor], [], [], seconds)
    if heard and os.read(descriptor, 1):
        return
    os.close(descriptor)
    os.execv(command[0], command)  # noqa: S606 - it becomes what undoes the fault


if __name__ == "__main__":
    main(sys.argv[1:])
