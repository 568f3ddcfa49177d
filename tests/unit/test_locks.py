"""Taking turns: any free lock, else the first that becomes free."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from podproof.cluster.locks import NoneFreeError, any_free

_HOLD = """
import sys
from pathlib import Path
from podproof.cluster.locks import any_free
with any_free([Path(sys.argv[1])], 5):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [tmp_path / "a.lock", tmp_path / "b.lock"]


@contextmanager
def another_process_holds(file: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_the_first_free_one_is_taken(files: list[Path]) -> None:
    with any_free(files, 1) as first, any_free(files, 1) as second:
        assert [first, second] == files


def test_one_is_free_again_afterwards(files: list[Path]) -> None:
    for _ in range(2):
        with any_free(files[:1], 0.1) as taken:
            assert taken == files[0]


def test_nobody_waits_for_ever(files: list[Path]) -> None:
    with any_free(files, 1), any_free(files, 1), pytest.raises(NoneFreeError), any_free(files, 0.05):
        pass


@pytest.mark.parametrize("freed", [0, 1])
def test_who_waits_gets_the_first_that_becomes_free(files: list[Path], freed: int) -> None:
    with another_process_holds(files[0]) as first, another_process_holds(files[1]) as second:
        threading.Timer(0.1, (first, second)[freed].kill).start()  # even SIGKILL gives the lock back
        with any_free(files, 10) as taken:
            assert taken == files[freed]


def test_a_wait_that_came_to_nothing_keeps_nothing(files: list[Path]) -> None:
    both = another_process_holds(files[0]), another_process_holds(files[1])
    with both[0], both[1], pytest.raises(NoneFreeError), any_free(files, 0.05):
        pass
    with any_free(files, 10) as first, any_free(files, 10) as second:
        assert {first, second} == set(files)
