"""From the repetitions of a scenario to its one result.

The rules, in the order in which they decide:

1. One repetition is FALSE: the scenario is FALSE. What holds only most times does not hold.
2. One is NOT PROVEN: NOT PROVEN.
3. All came out the same: that.
4. Some were not run, or did not apply: NOT PROVEN. It was to hold every time, and that is not known.

The reason names the repetitions that it speaks of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from podproof.verdicts.measurements import Measurement
from podproof.verdicts.scenarios import Outcome, ScenarioResult
from podproof.verdicts.spread import Spread

_DID_NOT_RUN = (Outcome.NOT_RUN, Outcome.NOT_APPLICABLE)


def combine(repetitions: Sequence[ScenarioResult]) -> ScenarioResult:
    """Make one result of all repetitions, in their order, those that were not run included.

    A repetition may itself be the result of several. Steps and evidence are those of the first repetition
    that decides; times and counts are sums; each measurement has its samples.
    """
    if len(repetitions) == 1:
        return repetitions[0]
    outcome, deciding = _decide(repetitions)
    shown = next((each for each in repetitions if each.outcome is deciding), repetitions[0])
    details: Counter[str] = Counter()
    for each in repetitions:
        details.update(each.details)
    return replace(
        shown,
        outcome=outcome,
        reason=_reason(repetitions, deciding),
        started=min((each.started for each in repetitions if each.started), default=""),
        seconds=round(sum(each.seconds for each in repetitions), 3),
        measurements=_measurements(repetitions),
        details=dict(details),
        api_warnings=tuple(text for each in repetitions for text in each.api_warnings),
        lateness=tuple(late for each in repetitions for late in each.lateness),
        outcomes=tuple(outcome for each in repetitions for outcome in each.outcomes or (each.outcome,)),
    )


def _decide(repetitions: Sequence[ScenarioResult]) -> tuple[Outcome, Outcome]:
    """The outcome of all, and that of the repetitions which decide it."""
    found = {each.outcome for each in repetitions}
    for worst in (Outcome.FALSE, Outcome.NOT_PROVEN):
        if worst in found:
            return worst, worst
    if len(found) == 1:
        return repetitions[0].outcome, repetitions[0].outcome
    missing = Outcome.NOT_RUN if Outcome.NOT_RUN in found else Outcome.NOT_APPLICABLE
    return Outcome.NOT_PROVEN, missing


def _reason(repetitions: Sequence[ScenarioResult], deciding: Outcome) -> str:
    """Why it is not TRUE: what decides comes first, and what is the same is said once."""
    if all(each.outcome is deciding for each in repetitions) and deciding in _DID_NOT_RUN:
        return repetitions[0].reason
    said: dict[str, list[int]] = {}
    for first in (True, False):
        for number, each in enumerate(repetitions, 1):
            if each.outcome is not Outcome.TRUE and (each.outcome is deciding) is first:
                text = each.reason
                if each.outcome in _DID_NOT_RUN:
                    text = f"{each.outcome}: {text}"
                said.setdefault(text, []).append(number)
    return "\n".join(f"{_which(numbers, len(repetitions))}: {text}" for text, numbers in said.items())


def _which(numbers: Sequence[int], of: int) -> str:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    listed = ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
    return f"repetition{'' if len(numbers) == 1 else 's'} {listed} of {of}"


def _measurements(repetitions: Sequence[ScenarioResult]) -> tuple[Measurement, ...]:
    """Each measurement with its samples, in the order in which they were first taken.

    A scenario that measures something twice under one name has it twice here too. Where the bound was not the
    same each time, the lowest counts: nothing that exceeded its bound may look as if it did not.
    """
    taken: dict[tuple[str, int], list[Measurement]] = {}
    for each in repetitions:
        times: Counter[str] = Counter()
        for measurement in each.measurements:
            taken.setdefault((measurement.name, times[measurement.name]), []).append(measurement)
            times[measurement.name] += 1
    return tuple(_measurement(same) for same in taken.values())


def _measurement(same: Sequence[Measurement]) -> Measurement:
    samples = tuple(sample for each in same for sample in each.spread.samples)
    bounded = [each for each in same if each.bound is not None]
    strictest = min(bounded, key=lambda each: each.bound or 0.0, default=same[0])
    return replace(strictest, seconds=Spread(samples).median, samples=samples)
