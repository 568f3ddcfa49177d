"""Making a directory of the cache: once, by one maker, all or nothing."""

import shutil
from collections.abc import Callable
from pathlib import Path

import filelock

from .paths import cache_lock


def make(target: Path, fill: Callable[[Path], object], wait: Callable[[], object]) -> None:
    """Make a directory unless it is there, or somebody else makes it meanwhile.

    Args:
        target: The directory.
        fill: Given an empty directory, puts everything into it; that becomes `target` if this ends well.
        wait: Called if another podproof is making it, before that is waited for.
    """
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    lock = cache_lock(target.name)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        wait()
        lock.acquire()
    try:
        if target.exists():
            return
        # Under the lock nobody else makes this, so what lies here was left by one that was killed.
        making = target.with_name(f".building-{target.name}")
        shutil.rmtree(making, ignore_errors=True)
        try:
            making.mkdir()
            fill(making)
            making.rename(target)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
    finally:
        lock.release()
