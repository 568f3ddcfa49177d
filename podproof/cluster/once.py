"""Questions that only a trial answers, asked once in a run, however many processes the run has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import filelock

from podproof.cluster.base import Cluster
from podproof.kube.client import Api

Question = Callable[[Cluster, Api], bool]

_shared: list[Path] = []


def share(directory: Path) -> None:
    """Keep answers in a directory, from now on: all processes that do so ask once between them.

    Args:
        directory: One that begins empty in each run; a cluster may be another one tomorrow.
    """
    _shared[:] = [directory]


def once(name: str, ask: Question) -> Question:
    """The same question, whose first answer is kept; one that fails has no answer, and is asked again.

    Args:
        name: What its answers' files are called.
        ask: Asks the cluster.
    """
    known: dict[str, bool] = {}

    def answer(cluster: Cluster, api: Api) -> bool:
        if cluster.context not in known:
            known[cluster.context] = _answer_of_all(cluster, api)
        return known[cluster.context]

    def _answer_of_all(cluster: Cluster, api: Api) -> bool:
        if not _shared:
            return ask(cluster, api)
        file = _shared[0] / f"{name}-{cluster.context}.answer"
        with filelock.FileLock(file.with_suffix(".lock")):
            if not file.exists():
                new = file.with_suffix(".new")
                new.write_text(str(ask(cluster, api)))
                new.rename(file)
            return file.read_text() == str(True)

    return answer
