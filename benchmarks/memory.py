"""How much memory processes take, what they share counted once."""

from collections.abc import Iterable

import psutil


def pss(processes: Iterable[psutil.Process]) -> float:
    """The sum of their proportional set sizes, MiB; one that ends in between counts nothing."""
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total / 2**20
