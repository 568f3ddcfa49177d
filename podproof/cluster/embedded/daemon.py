"""Starting processes that outlive the one that starts them."""

import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from podproof.errors import MachineError


def spawn(
    command: Sequence[str | Path], environment: Mapping[str, str], log: Path, keep: Sequence[int] = ()
) -> int:
    """Start a command in a session of its own, at the root directory, its output in `log`.

    Args:
        command: Program and arguments.
        environment: All of its environment.
        log: Where its output goes; what was in it is lost.
        keep: Our file descriptors that it has too, under the same numbers.

    Returns:
        Its process number. As it is our child, it stays as a zombie until `reap`.

    Raises:
        MachineError: There is no such program.
    """
    # posix_spawn cannot change the directory, and a daemon must not keep one busy.
    words = ["env", "-C", "/", *map(str, command)]
    program = shutil.which(words[0])
    if program is None or shutil.which(words[3]) is None:
        raise MachineError(f"no {words[3]} on PATH: podproof doctor says what else lacks")
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), write, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    for descriptor in keep:
        os.set_inheritable(descriptor, True)
    return os.posix_spawn(program, words, dict(environment), file_actions=actions, setsid=True)


def reap(pid: int) -> None:
    """Let go of a child that has ended; nothing happens if it has not, or is no child of ours."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
