"""The life of one scenario while it runs: which step it is at, what came out, and why."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from podproof.errors import NotApplicable
from podproof.kube.findings import Finding, StepFindings
from podproof.verdicts.measurements import Measurements
from podproof.verdicts.scenarios import Outcome, ScenarioPlan, ScenarioResult, StepResult, StepStatus


@dataclass
class _Step:
    """A step that has begun; its times are by the monotonic clock."""

    kind: str
    began: float
    called: bool = False
    ended: float | None = None
    status: StepStatus = StepStatus.PASSED
    found: tuple[Finding, ...] = ()


@dataclass
class Trial:
    """One scenario in the process that runs it.

    Attributes:
        repetition: Which repetition this is, if there are several; else empty.
        outcome: What is known so far; None until a phase has ended that decides it.
        reason: Why it is not TRUE.
        failed_step: The index of the step that failed; None if it was none of them.
        evidence: The directory of its evidence, relative to the reports of the run.
        details: Counts that the machinery wants to see in the results.
        api_warnings: What the API server warned of for the first time.
        lateness: How late the recording saw each event that tells, in milliseconds.
        watched: What was found to hold over a span of time, and its seconds.
        capabilities: What the cluster was found to offer, or not.
    """

    plan: ScenarioPlan
    repetition: str = ""
    outcome: Outcome | None = None
    reason: str = ""
    failed_step: int | None = None
    evidence: str = ""
    measurements: Measurements = field(default_factory=Measurements)
    details: dict[str, int] = field(default_factory=dict)
    api_warnings: list[str] = field(default_factory=list)
    lateness: list[int] = field(default_factory=list)
    watched: list[tuple[str, float]] = field(default_factory=list)
    capabilities: dict[str, bool] = field(default_factory=dict)
    _started: datetime = field(default_factory=lambda: datetime.now().astimezone())
    _began: float = field(default_factory=time.monotonic)
    _busy_before: float = field(default_factory=time.process_time)
    _steps: list[_Step] = field(default_factory=list)

    def step_begins(self, kind: str) -> None:
        """A step's turn has come; its fixtures are set up next."""
        self._steps.append(_Step(kind, began=time.monotonic()))

    def step_is_called(self) -> None:
        """Everything that the step needs is there; its own code runs now."""
        self._steps[-1].called = True

    def step_ends(self) -> None:
        """The step did what it says."""
        self._steps[-1].ended = time.monotonic()

    def step_found(self, found: tuple[Finding, ...]) -> None:
        """The step that has just ended has demanded this, and found it."""
        self._steps[-1].found = found

    def phase_ends(self, phase: str, excinfo: pytest.ExceptionInfo[BaseException] | None) -> Outcome | None:
        """Draw the conclusion from how set-up, call or teardown ended.

        Only a Then that was reached, with everything before it in place, can say anything against the
        cluster, and it says so by `Falsified`. Everything else that fails is a failure of the trial.
        """
        error = excinfo.value if excinfo else None
        if phase == "teardown":
            if error is not None:
                self._cleaning_up_failed(error)
            return self.outcome
        if error is None:
            if phase == "call":
                self.outcome = Outcome.TRUE
            return self.outcome
        self.outcome, self.reason = self._conclude(phase, error)
        return self.outcome

    def result(self) -> ScenarioResult:
        """What came out, as far as it is known now."""
        return ScenarioResult(
            plan=self.plan,
            outcome=self.outcome or Outcome.NOT_RUN,
            reason=self.reason,
            started=self._started.isoformat(timespec="milliseconds"),
            seconds=round(time.monotonic() - self._began, 3),
            steps=self.step_results(),
            measurements=self.measurements.taken,
            evidence=self.evidence,
            details={**self.details, "own_milliseconds": self._own_milliseconds()},
            api_warnings=tuple(self.api_warnings),
            lateness=tuple(self.lateness),
            watched=tuple(self.watched),
            capabilities=dict(self.capabilities),
        )

    def step_times(self) -> list[tuple[str, float, float]]:
        """The kind of each step that has begun (``"given"``, ``"when"``, ``"then"``), its beginning and end.

        Times are by the monotonic clock; the end of a step that goes on is now.
        """
        return [(step.kind, step.began, step.ended or time.monotonic()) for step in self._steps]

    def findings(self) -> list[StepFindings]:
        """What each step that has begun demanded and found, those that demanded nothing left out."""
        begun = zip(self.plan.steps, self._steps, strict=False)
        return [
            StepFindings(f"{planned.keyword} {planned.text}", step.found)
            for planned, step in begun
            if step.found
        ]

    def step_results(self) -> tuple[StepResult, ...]:
        """Every planned step with how far it came."""
        results = []
        for index, planned in enumerate(self.plan.steps):
            ran = self._steps[index] if index < len(self._steps) else None
            status = ran.status if ran else StepStatus.NOT_RUN
            seconds = round((ran.ended or time.monotonic()) - ran.began, 3) if ran else 0.0
            results.append(StepResult(planned.keyword, planned.text, planned.line, status, seconds))
        return tuple(results)

    def _own_milliseconds(self) -> int:
        """How long this process has been busy; all other time of the scenario was waiting for Kubernetes."""
        return round((time.process_time() - self._busy_before) * 1000)

    def _conclude(self, phase: str, error: BaseException) -> tuple[Outcome, str]:
        step = self._steps[-1] if phase == "call" and self._steps and self._steps[-1].ended is None else None
        if step is not None:
            step.ended = time.monotonic()
            self.failed_step = len(self._steps) - 1
        if isinstance(error, pytest.skip.Exception):
            self._mark(step, StepStatus.SKIPPED)
            said = str(error.msg)
            if isinstance(error.__cause__, NotApplicable):
                return Outcome.NOT_APPLICABLE, str(error.__cause__)
            return Outcome.NOT_PROVEN, f"skipped: {said}"
        if step is not None and step.kind == "then" and step.called and is_falsified(error):
            self._mark(step, StepStatus.FAILED)
            return Outcome.FALSE, describe(error)
        self._mark(step, StepStatus.BROKEN)
        return Outcome.NOT_PROVEN, describe(error)

    def _cleaning_up_failed(self, error: BaseException) -> None:
        said = f"cleaning up failed: {describe(error)}"
        if self.outcome in (None, Outcome.TRUE, Outcome.NOT_APPLICABLE):
            self.outcome, self.reason = Outcome.NOT_PROVEN, said
        elif _tells_of_lost_fault(error):
            # Only now it shows that what the cluster did was no answer to the fault.
            self.outcome, self.reason = Outcome.NOT_PROVEN, f"{said}\nbefore that: {self.reason}"
        else:
            # What was seen before cleaning up stands; that cleaning up failed too must not be lost.
            self.reason = f"{self.reason}\n{said}"

    @staticmethod
    def _mark(step: _Step | None, status: StepStatus) -> None:
        if step is not None:
            step.status = status


def describe(error: BaseException) -> str:
    """An error as one message: its own words, and its type where the words alone would not do."""
    from podproof.errors import PodproofError

    if isinstance(error, BaseExceptionGroup):
        return "; ".join(describe(each) for each in error.exceptions)
    if isinstance(error, pytest.FixtureLookupError):
        return f"no fixture or earlier step gives '{error.argname}'"
    said = str(error).strip()
    if said and (isinstance(error, PodproofError | pytest.fail.Exception) or is_falsified(error)):
        return said
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _tells_of_lost_fault(error: BaseException) -> bool:
    """Whether an error, or one of several, says that a fault was not there all the time."""
    from podproof.errors import FaultLostError

    if isinstance(error, BaseExceptionGroup):
        return any(_tells_of_lost_fault(each) for each in error.exceptions)
    return isinstance(error, FaultLostError)


def is_defect(error: BaseException) -> bool:
    """Whether an error is none that podproof raises on purpose, so that its traceback is what is needed."""
    from podproof.errors import PodproofError

    on_purpose = isinstance(error, PodproofError | pytest.fail.Exception | pytest.skip.Exception)
    return not (on_purpose or is_falsified(error))


def is_falsified(error: BaseException) -> bool:
    """Whether an error is the cluster's answer; a bare assertion is a defect of the step, like any error."""
    from podproof.kube.conditions import Falsified

    return isinstance(error, Falsified)
