"""What is told when a fault is lost, or cannot be undone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from podproof.errors import CleanupError, ClusterError, FaultLostError
from podproof.faults.fault import Fault
from podproof.faults.injected import injected


class Nowhere:
    """A cluster that is nothing but where its journal is."""

    name = context = "nowhere"
    provider = "existing"
    kubeconfig = Path("/nowhere")
    victims = ()


@dataclass(frozen=True)
class Pretended(Fault):
    """Breaks nothing."""

    told: ClassVar[list[str | Exception]] = []
    """What `sign` says, or raises, the first and the second time."""
    stays: ClassVar[bool] = False
    kind = "pretended"

    @property
    def target(self) -> str:
        return "nothing"

    def describe(self) -> str:
        return "nothing is broken"

    def demand_possible(self) -> None:
        pass

    def inject(self) -> None:
        pass

    def confirm(self) -> None:
        pass

    def sign(self) -> str:
        said = self.told.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    def revert(self) -> None:
        pass

    def confirm_reverted(self) -> None:
        if self.stays:
            raise CleanupError("it stays")


@pytest.fixture
def fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pretended:
    monkeypatch.setenv("PODPROOF_JOURNAL", str(tmp_path))
    cluster: Any = Nowhere()
    return Pretended(cluster)


def told(monkeypatch: pytest.MonkeyPatch, *signs: str | Exception, stays: bool = False) -> None:
    monkeypatch.setattr(Pretended, "told", list(signs))
    monkeypatch.setattr(Pretended, "stays", stays)


def test_a_fault_that_lasts_is_undone(
    fault: Pretended, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told(monkeypatch, "silent", "silent")
    with injected(fault):
        assert len(list((tmp_path / "faults").glob("*.json"))) == 1
    assert not (tmp_path / "faults").exists()


@pytest.mark.parametrize("second", ["heard of", ClusterError("nobody answers")], ids=["heard of", "unknown"])
@pytest.mark.parametrize("stays", [False, True], ids=["undone", "not undone"])
def test_that_it_was_lost_is_told_whatever_else_fails(
    fault: Pretended, monkeypatch: pytest.MonkeyPatch, second: str | Exception, stays: bool
) -> None:
    told(monkeypatch, "silent", second, stays=stays)
    with pytest.raises(FaultLostError), injected(fault):
        pass


def test_what_went_wrong_first_is_told(fault: Pretended, monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, "silent", stays=True)
    with pytest.raises(ZeroDivisionError), injected(fault):
        raise ZeroDivisionError
