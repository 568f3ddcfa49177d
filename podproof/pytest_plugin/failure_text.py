"""What a failure says, in pytest's output and in the report."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from _pytest._code.code import (
    ExceptionInfo,
    ReprEntryNative,
    ReprExceptionInfo,
    ReprFileLocation,
    ReprTraceback,
    Traceback,
)

from podproof.pytest_plugin.trial import Trial, describe
from podproof.verdicts.scenarios import Kind, Outcome

_MEANING = {
    Outcome.FALSE: "the cluster did something else",
    Outcome.NOT_PROVEN: "the trial itself failed; this says nothing about the cluster",
}
_MACHINERY = re.compile(r"/(_pytest|pluggy|pytest_bdd|podproof/pytest_plugin)/")
_CHANGE = "this limit no longer holds: a change of behaviour"


def failure_text(trial: Trial, phase: str, error: BaseException, notes: Sequence[str], repeat: str) -> str:
    """Put a failure into words.

    Args:
        trial: The scenario.
        phase: ``"setup"``, ``"call"`` or ``"teardown"``.
        error: What was raised.
        notes: Further paragraphs: last events, where the evidence is, what was kept.
        repeat: The command that runs just this again.
    """
    plan = trial.plan
    which = f", {trial.repetition}" if trial.repetition else ""
    outcome = trial.outcome or Outcome.NOT_PROVEN
    meaning = _CHANGE if outcome is Outcome.FALSE and plan.kind is Kind.LIMIT else _MEANING[outcome]
    rows = [
        ("claim", f"{plan.sentence} ({plan.claim})"),
        (
            "limit" if plan.kind is Kind.LIMIT else "scenario",
            f"{plan.title}{which} ({plan.file}:{plan.line})",
        ),
        ("step", _where(trial, phase)),
        ("verdict", f"{outcome}: {meaning}"),
    ]
    paragraphs = ["\n".join(f"{name + ':':<10}{text}" for name, text in rows), describe(error), *notes]
    paragraphs.append(f"{'repeat:':<10}{repeat}")
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def as_longrepr(text: str, trial: Trial, phase: str, error: BaseException) -> ReprExceptionInfo:
    """Wrap the text as pytest's own kind of failure, which travels and can be summed up in a line."""
    planned = trial.plan.steps
    index = trial.failed_step if phase == "call" else None
    line = planned[index].line if index is not None else trial.plan.line
    # After a failure that stands, cleaning up may fail too: the line is about what has just failed.
    summary = trial.result().summary if phase != "teardown" else describe(error).partition("\n")[0]
    crash = ReprFileLocation(trial.plan.file, line, summary)
    return ReprExceptionInfo(
        reprtraceback=ReprTraceback([ReprEntryNative([text + "\n"])], None, style="native"), reprcrash=crash
    )


def traceback_text(excinfo: ExceptionInfo[BaseException], *, full: bool) -> str:
    """The traceback: of the suite and podproof's own modules, or all of it."""
    shown = excinfo.getrepr(
        style="long" if full else "short",
        tbfilter=(lambda info: info.traceback) if full else _without_machinery,
    )
    return "traceback:\n" + textwrap.indent(str(shown), "  ")


def _without_machinery(excinfo: ExceptionInfo[BaseException]) -> Traceback:
    """Leave out what runs the steps: it is never where a step went wrong."""
    left = excinfo.traceback.filter(lambda entry: not _MACHINERY.search(str(entry.path)))
    return left or Traceback(excinfo.traceback[-1:])


def _where(trial: Trial, phase: str) -> str:
    plan = trial.plan
    if phase == "setup":
        return "setting up, before the first step"
    if phase == "teardown":
        return "cleaning up, after the last step"
    if trial.failed_step is None:
        return "between the steps"
    step = plan.steps[trial.failed_step]
    return f"{step.keyword} {step.text} ({plan.file}:{step.line})"
