"""Programs of a Node or of the control plane that are stopped, killed or frozen.

The cluster must have a switch for them (`capabilities.PROGRAM_SWITCH`).
"""

from __future__ import annotations

import functools
import signal
from dataclasses import dataclass
from typing import ClassVar, cast

from podproof.cluster.base import Cluster, MachinePrograms, ProgramSwitch
from podproof.errors import CleanupError, TrialError
from podproof.faults import signs
from podproof.faults.fault import Fault
from podproof.faults.service import api_of, await_service
from podproof.kube import deadlines

CONTROL_PLANE = "control-plane"
"""The machine of etcd, the API server, the controllers and the scheduler."""

_ANSWERS = {
    # etcd answers that it is well before the API server has found it again.
    "etcd": ("etcd", "kube-apiserver"),
    "kube-apiserver": ("kube-apiserver",),
}


@dataclass(frozen=True)
class _ProgramFault(Fault):
    """A program that is broken.

    Attributes:
        machine: The Node's name, or `CONTROL_PLANE`.
        program: For example ``"kubelet"``.
    """

    machine: str
    program: str
    did: ClassVar[str] = ""

    @property
    def target(self) -> str:
        """The machine."""
        return self.machine

    def describe(self) -> str:
        """See `Fault`."""
        return f"{self.program} of {self.machine} {self.did}"

    def demand_possible(self) -> None:
        """It answers, so that its silence would show."""
        if not self.programs.answers(self.program):
            raise TrialError(f"{self.program} of {self.machine} does not answer: breaking it would not show")

    def silent(self) -> str:
        """Wait until it answers, and whatever depends on it does so too; gives what does not in time."""
        for program in _ANSWERS.get(self.program, (self.program,)):
            if not signs.comes(functools.partial(self.programs.answers, program), deadlines.PROGRAM_ANSWERS):
                return program
        return ""

    def confirm_reverted(self) -> None:
        """It answers; a Node is in service again."""
        if silent := self.silent():
            raise CleanupError(
                f"a fault is not undone: {silent} of {self.machine} is silent for {deadlines.PROGRAM_ANSWERS}"
            )
        if self.machine != CONTROL_PLANE:
            with api_of(self.cluster) as api:
                await_service(api, self.machine)

    def revert(self) -> None:
        """Let it go on, and start it if it does not run."""
        self.programs.signal(self.program, signal.SIGCONT)
        self.programs.start(self.program)

    @property
    def programs(self) -> MachinePrograms:
        """The machine's."""
        return cast(ProgramSwitch, self.cluster).programs(self.machine)


@dataclass(frozen=True)
class ProgramStopped(_ProgramFault):
    """A program that is stopped as an init system does, and stays so."""

    kind = "program-stopped"
    did = "is stopped"

    def inject(self) -> None:
        """Stop it."""
        self.programs.stop(self.program)

    def confirm(self) -> None:
        """Nobody answers in its place."""
        signs.demand(lambda: not self.programs.answers(self.program), f"{self.program} is silent")


@dataclass(frozen=True)
class ProgramFrozen(_ProgramFault):
    """A program that the kernel lets do nothing: it holds its connections, and answers nobody."""

    kind = "program-frozen"
    did = "is frozen"

    def inject(self) -> None:
        """Stop its process."""
        self.programs.signal(self.program, signal.SIGSTOP)

    def confirm(self) -> None:
        """The kernel says so; and it answers nobody, if it is one that answers to requests."""
        signs.demand(lambda: self.programs.is_frozen(self.program), f"the kernel stops {self.program}")
        if self.programs.serves(self.program):
            signs.demand(lambda: not self.programs.answers(self.program), f"{self.program} is silent")


@dataclass(frozen=True)
class ProgramKilled(_ProgramFault):
    """A program that is ended by SIGKILL; whoever looks after its machine starts it again.

    Attributes:
        before: The process that it was; 0 if it did not run.
    """

    before: int = 0
    kind = "program-killed"
    did = "is killed"

    def inject(self) -> None:
        """Kill it, if it is still the process that it was."""
        if self.programs.pid(self.program) == self.before:
            self.programs.signal(self.program, signal.SIGKILL)

    def confirm(self) -> None:
        """Its process is gone."""
        signs.demand(
            lambda: self.programs.pid(self.program) != self.before, f"{self.program} is another process"
        )


def broken(cluster: Cluster, machine: str, program: str, how: str) -> Fault:
    """The fault of a program that runs.

    Args:
        cluster: Where.
        machine: A Node's name, or `CONTROL_PLANE`.
        program: For example ``"kubelet"``.
        how: ``"stopped"``, ``"frozen"`` or ``"killed"``.
    """
    if how == "killed":
        before = cast(ProgramSwitch, cluster).programs(machine).pid(program) or 0
        return ProgramKilled(cluster, machine, program, before)
    fault = {"stopped": ProgramStopped, "frozen": ProgramFrozen}[how]
    return fault(cluster, machine, program)
