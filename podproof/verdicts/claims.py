"""From what came out of its scenarios to the verdict on a claim.

The rules, in the order in which they decide:

1. A supporting scenario is FALSE: the claim is FALSE. One counterexample is enough, whatever else happened.
2. A scenario was not run, or is NOT PROVEN: the claim is NOT PROVEN. This holds for limits too: plain TRUE
   would hide that the claim's limits are unknown here.
3. No supporting scenario applies to this cluster: NOT APPLICABLE.
4. The supporting scenarios that apply held: TRUE WITHIN LIMITS if at least one limit was proven, else TRUE.
   What does not apply is named in the reason.

A limit that is FALSE does not make its claim false, on the contrary: the claim now holds where it did not.
It is a change of behaviour, which the verdict lists and the run reports as a failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from podproof.verdicts.scenarios import Kind, Outcome, ScenarioResult


class Verdict(StrEnum):
    """What is known about a claim on this cluster."""

    TRUE = "TRUE"
    TRUE_WITHIN_LIMITS = "TRUE WITHIN LIMITS"
    FALSE = "FALSE"
    NOT_PROVEN = "NOT PROVEN"
    NOT_APPLICABLE = "NOT APPLICABLE"


@dataclass(frozen=True)
class ClaimVerdict:
    """The verdict on a claim.

    Attributes:
        why: The reason for the verdict, in one sentence.
        limits: Titles of the limits that were proven.
        changes: Titles of the limits that no longer hold: changes of behaviour.
        partial: True if not all of the claim's scenarios were run.
        scenarios: What came out of each, in the order of the feature file.
    """

    slug: str
    sentence: str
    feature: str
    file: str
    verdict: Verdict
    why: str
    limits: tuple[str, ...]
    changes: tuple[str, ...]
    partial: bool
    scenarios: tuple[ScenarioResult, ...]

    @property
    def held(self) -> int:
        """How many of its scenarios held."""
        return sum(each.outcome is Outcome.TRUE for each in self.scenarios)

    @property
    def slowest_recovery(self) -> float | None:
        """The longest `recovery` that its scenarios measured, in seconds; None if none did."""
        times = [
            taken.spread.maximum
            for each in self.scenarios
            for taken in each.measurements
            if taken.name.split()[0:1] == ["recovery"]
        ]
        return max(times, default=None)


def judge_all(results: Iterable[ScenarioResult]) -> list[ClaimVerdict]:
    """Judge each claim of which at least one scenario is among the results, in their order."""
    claims: dict[str, list[ScenarioResult]] = {}
    for result in results:
        claims.setdefault(result.plan.claim, []).append(result)
    return [judge(scenarios) for scenarios in claims.values()]


def judge(results: Sequence[ScenarioResult]) -> ClaimVerdict:
    """Judge one claim by all of its scenarios, those that were not run included."""
    plan = results[0].plan
    limits = [each for each in results if each.plan.kind is Kind.LIMIT]
    changes = _titles(_with(Outcome.FALSE, limits))
    verdict, why = _decide(results)
    if changes:
        hold = "holds" if len(changes) == 1 else "hold"
        why += f"; change of behaviour: {_count(changes, 'limit')} no longer {hold}"
    return ClaimVerdict(
        slug=plan.claim,
        sentence=plan.sentence,
        feature=plan.feature,
        file=plan.file,
        verdict=verdict,
        why=why,
        limits=_titles(_with(Outcome.TRUE, limits)),
        changes=changes,
        partial=bool(_with(Outcome.NOT_RUN, results)),
        scenarios=tuple(results),
    )


def _decide(results: Sequence[ScenarioResult]) -> tuple[Verdict, str]:
    supports = [each for each in results if each.plan.kind is Kind.SUPPORT]
    limits = [each for each in results if each.plan.kind is Kind.LIMIT]
    if false := _with(Outcome.FALSE, supports):
        return Verdict.FALSE, f"the cluster did something else: {_quoted(false)}"
    if failed := _with(Outcome.NOT_PROVEN, results):
        return Verdict.NOT_PROVEN, f"the trial itself failed: {_quoted(failed)}"
    if missing := _with(Outcome.NOT_RUN, results):
        ran = len(results) - len(missing)
        return (
            Verdict.NOT_PROVEN,
            f"only {ran} of {_count(results, 'scenario')} {'was' if ran == 1 else 'were'} run",
        )
    if not supports:
        return Verdict.NOT_PROVEN, "no scenario supports it"
    absent = _with(Outcome.NOT_APPLICABLE, results)
    if held := _with(Outcome.TRUE, supports):
        proven = _with(Outcome.TRUE, limits)
        why = f"{_count(held, 'supporting scenario')} held"
        if proven:
            why += f", {_count(proven, 'limit')} proven"
        if absent:
            why += f"; does not apply to this cluster: {_quoted(absent)}"
        return (Verdict.TRUE_WITHIN_LIMITS if proven else Verdict.TRUE), why
    return (
        Verdict.NOT_APPLICABLE,
        f"the cluster lacks what it needs: {_quoted(_with(Outcome.NOT_APPLICABLE, supports))}",
    )


def _with(outcome: Outcome, results: Iterable[ScenarioResult]) -> list[ScenarioResult]:
    return [each for each in results if each.outcome is outcome]


def _titles(results: Iterable[ScenarioResult]) -> tuple[str, ...]:
    return tuple(each.plan.title for each in results)


def _quoted(results: Sequence[ScenarioResult]) -> str:
    """The first of them with its reason, and how many more there are."""
    first = results[0]
    reason = first.summary
    more = f", and {len(results) - 1} more" if len(results) > 1 else ""
    return f'"{first.plan.title}"{f" ({reason})" if reason else ""}{more}'


def _count(things: Sequence[object], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
