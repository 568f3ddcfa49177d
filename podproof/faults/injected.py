"""Faults as scenarios use them: injected, held for as long as it takes, undone for certain."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from podproof.cluster.base import Cluster
from podproof.cluster.embedded import daemon
from podproof.errors import FaultLostError, PodproofError
from podproof.faults import guard, journal
from podproof.faults.fault import Fault
from podproof.faults.journal import Entry
from podproof.faults.undo import undo
from podproof.kube import deadlines
from podproof.kube.deadlines import Deadline


class Injection:
    """A fault that has been injected and confirmed.

    Attributes:
        fault: The fault.
        at: When its injection began, by this process's monotonic clock, in seconds.
    """

    def __init__(self, fault: Fault, entry: Entry, switch: _Guard) -> None:
        """Keep what it takes to undo it; `injected` makes one."""
        self.fault = fault
        self.at = time.monotonic()
        self._entry = entry
        self._switch = switch
        self._undone = False
        self._sign: str | None = None

    def keep_sign(self) -> None:
        """Remember what has to stay the same as long as the fault lasts."""
        self._sign = self.fault.sign()

    def hold(self, span: Deadline) -> None:
        """Let the fault last for a span of time, for what is to be seen over it.

        Raises:
            FaultLostError: It was undone by itself meanwhile.
        """
        self._switch.await_end(span.seconds)
        self.demand_lasting()

    def demand_lasting(self) -> None:
        """Make sure that the fault is still there.

        Raises:
            FaultLostError: It has been undone, by its dead man's switch or by `podproof clean`, or does not
                show any more.
        """
        if self._undone:
            return
        if not self._entry.exists:
            raise self._undone_too_soon()
        if self._sign is None:
            return
        try:
            sign = self.fault.sign()
        except FaultLostError:
            raise
        except PodproofError as error:
            raise FaultLostError(
                f"{self.fault.describe()}: whether it still is, is not known: {error}"
            ) from error
        if sign != self._sign:
            raise FaultLostError(f"{self.fault.describe()}: not all the time: {sign}, not {self._sign}")

    def undo(self) -> None:
        """Revert the fault and make sure of it; the second time nothing happens.

        Raises:
            PodproofError: It could not be undone. Its guard tries again when this process ends.
            FaultLostError: It was undone before, by somebody else.
        """
        if self._undone:
            return
        mine = undo(self._entry, self.fault)
        self._undone = True
        self._switch.dismiss()
        if not mine:
            raise self._undone_too_soon()

    def _undone_too_soon(self) -> FaultLostError:
        return FaultLostError(
            f"{self.fault.describe()}: it was undone before the trial was over, "
            f"since a fault lasts for {self._entry.seconds:g} s at most"
        )


@contextmanager
def injected(fault: Fault, lasts: Deadline = deadlines.FAULT_LASTS) -> Iterator[Injection]:
    """A fault, for as long as the context lasts.

    It is written down first, then its dead man's switch is armed, then it is injected and confirmed. When
    the context ends it has been reverted, and that is confirmed too.

    Args:
        fault: The fault.
        lasts: How long it may last at most, whatever becomes of this process.

    Raises:
        TrialError: It did not take.
        CleanupError: It could not be undone.
    """
    fault.demand_possible()
    entry = journal.write(fault, lasts.patience)
    switch = _Guard(entry, fault.cluster)
    injection = Injection(fault, entry, switch)
    try:
        fault.inject()
        fault.confirm()
        injection.keep_sign()
        yield injection
        injection.demand_lasting()
    except BaseException:
        # What went wrong first is what a reader has to know; its guard knows if the fault is there still.
        with suppress(PodproofError):
            injection.undo()
        raise
    injection.undo()


class _Guard:
    """The process that undoes a fault when this one cannot; see `podproof.faults.guard`."""

    def __init__(self, entry: Entry, cluster: Cluster) -> None:
        mark: Mapping[str, str] = getattr(cluster, "mark", {})  # so that it goes with its cluster
        read, self._write = os.pipe()
        undo_it = [sys.executable, "-m", "podproof.faults.undo", str(entry.path)]
        try:
            self._pid = daemon.spawn(
                [sys.executable, "-I", "-S", guard.__file__, str(read), f"{entry.seconds:g}", *undo_it],
                os.environ | mark,
                entry.path.with_suffix(".log"),
                keep=(read,),
            )
        finally:
            os.close(read)
        self._descriptor = os.pidfd_open(self._pid)

    def await_end(self, seconds: float) -> bool:
        """Wait until it has ended, which it does when it has undone the fault; false if not in time."""
        return bool(select.select([self._descriptor], [], [], seconds)[0])

    def dismiss(self) -> None:
        """All is undone: it is needed no more."""
        with suppress(BrokenPipeError):  # it is about to end by itself
            os.write(self._write, b"d")
        os.close(self._write)
        self.await_end(deadlines.GUARD_ENDED.seconds)
        os.close(self._descriptor)
        daemon.reap(self._pid)
