"""A question that only a trial answers is asked once in a run."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from podproof.cluster import once
from podproof.cluster.base import Cluster
from podproof.errors import TrialError
from podproof.kube.client import Api

API = cast(Api, None)


def cluster(context: str) -> Cluster:
    return cast(Cluster, SimpleNamespace(context=context))


class Asked:
    """Answers with what it was given, in turn, and fails when that is an error."""

    def __init__(self, *answers: bool | Exception) -> None:
        self.answers = list(answers)

    def __call__(self, *_: Any) -> bool:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def unshared() -> Iterator[None]:
    """The run's own answers stay where they are."""
    kept = once._shared[:]
    once._shared.clear()
    yield
    once._shared[:] = kept


@pytest.mark.parametrize("said", [True, False])
def test_the_first_answer_is_kept_for_each_cluster(said: bool) -> None:
    question = once.once("q", Asked(said, not said))
    assert [question(cluster("one"), API), question(cluster("one"), API)] == [said, said]
    assert question(cluster("other"), API) is not said


def test_a_trial_that_fails_is_no_answer() -> None:
    question = once.once("q", Asked(TrialError("no Pod"), True))
    with pytest.raises(TrialError, match="no Pod"):
        question(cluster("one"), API)
    assert question(cluster("one"), API) is True


@pytest.mark.parametrize("said", [True, False])
def test_the_processes_of_a_run_ask_once_between_them(tmp_path: Path, said: bool) -> None:
    once.share(tmp_path)
    assert once.once("q", Asked(said))(cluster("one"), API) is said
    another_process = once.once("q", Asked())
    assert another_process(cluster("one"), API) is said
