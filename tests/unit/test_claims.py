"""Every combination of outcomes leads to one verdict, by the rules that `podproof.verdicts.claims` states."""

from __future__ import annotations

import pytest

from podproof.verdicts.claims import Verdict, judge, judge_all
from podproof.verdicts.measurements import Measurement
from podproof.verdicts.scenarios import Kind, Outcome, PlannedStep, ScenarioPlan, ScenarioResult

_OUTCOMES = {
    "T": Outcome.TRUE,
    "F": Outcome.FALSE,
    "P": Outcome.NOT_PROVEN,
    "A": Outcome.NOT_APPLICABLE,
    "R": Outcome.NOT_RUN,
}


def scenario(title: str, outcome: Outcome, kind: Kind = Kind.SUPPORT, claim: str = "a") -> ScenarioResult:
    plan = ScenarioPlan(
        nodeid=f"f.feature::{title}",
        file="f.feature",
        line=1,
        title=title,
        feature="F",
        claim=claim,
        sentence="A holds",
        rule="A",
        kind=kind,
        steps=(PlannedStep("Then", "it is so", 2),),
    )
    return ScenarioResult(plan, outcome, reason="" if outcome is Outcome.TRUE else f"why {title}")


def claim(supports: str, limits: str = "") -> list[ScenarioResult]:
    found = [scenario(f"s{number}", _OUTCOMES[letter]) for number, letter in enumerate(supports)]
    return found + [
        scenario(f"l{number}", _OUTCOMES[letter], Kind.LIMIT) for number, letter in enumerate(limits)
    ]


# Outcomes of the supporting scenarios, of the limits, and the verdict.
@pytest.mark.parametrize(
    ("supports", "limits", "verdict"),
    [
        ("T", "", Verdict.TRUE),
        ("TT", "", Verdict.TRUE),
        ("T", "T", Verdict.TRUE_WITHIN_LIMITS),
        # One counterexample decides, whatever else happened.
        ("TF", "", Verdict.FALSE),
        ("FP", "T", Verdict.FALSE),
        ("FR", "", Verdict.FALSE),
        ("FA", "P", Verdict.FALSE),
        # What was not proven, or not run, is never counted as true.
        ("TP", "", Verdict.NOT_PROVEN),
        ("TR", "", Verdict.NOT_PROVEN),
        ("T", "P", Verdict.NOT_PROVEN),
        ("T", "TR", Verdict.NOT_PROVEN),
        ("PA", "", Verdict.NOT_PROVEN),
        ("AR", "", Verdict.NOT_PROVEN),
        ("", "T", Verdict.NOT_PROVEN),
        # What does not apply does not count.
        ("A", "", Verdict.NOT_APPLICABLE),
        ("AA", "T", Verdict.NOT_APPLICABLE),
        ("TA", "", Verdict.TRUE),
        ("T", "A", Verdict.TRUE),
        ("T", "TA", Verdict.TRUE_WITHIN_LIMITS),
        # A limit that no longer holds leaves the claim true.
        ("T", "F", Verdict.TRUE),
        ("T", "TF", Verdict.TRUE_WITHIN_LIMITS),
        ("P", "F", Verdict.NOT_PROVEN),
    ],
)
def test_verdict(supports: str, limits: str, verdict: Verdict) -> None:
    judged = judge(claim(supports, limits))
    assert judged.verdict is verdict
    assert bool(judged.changes) == ("F" in limits)
    assert judged.partial == ("R" in supports + limits)
    assert judged.held == (supports + limits).count("T")
    assert judged.why


@pytest.mark.parametrize(
    ("supports", "limits", "why"),
    [
        ("TT", "T", "2 supporting scenarios held, 1 limit proven"),
        ("TF", "", 'the cluster did something else: "s1" (why s1)'),
        ("PP", "", 'the trial itself failed: "s0" (why s0), and 1 more'),
        ("TRR", "", "only 1 of 3 scenarios was run"),
        ("TTR", "", "only 2 of 3 scenarios were run"),
        ("TA", "", '1 supporting scenario held; does not apply to this cluster: "s1" (why s1)'),
        ("A", "", 'the cluster lacks what it needs: "s0" (why s0)'),
        ("T", "FF", "1 supporting scenario held; change of behaviour: 2 limits no longer hold"),
    ],
)
def test_why(supports: str, limits: str, why: str) -> None:
    assert judge(claim(supports, limits)).why == why


def test_claims_are_judged_apart_in_their_order() -> None:
    results = [
        scenario("x", Outcome.TRUE, claim="b"),
        scenario("y", Outcome.FALSE, claim="a"),
        scenario("z", Outcome.TRUE, claim="b"),
    ]
    assert [(each.slug, each.verdict, len(each.scenarios)) for each in judge_all(results)] == [
        ("b", Verdict.TRUE, 2),
        ("a", Verdict.FALSE, 1),
    ]


def test_the_slowest_recovery_is_that_of_all_scenarios() -> None:
    base = scenario("s", Outcome.TRUE)
    times = [("recovery", 3.0), ("recovery of reads", 4.0), ("reaction", 9.0), ("recovered", 8.0)]
    taken = tuple(Measurement(name, seconds) for name, seconds in times)
    result = ScenarioResult(base.plan, base.outcome, measurements=taken)
    assert judge([result]).slowest_recovery == 4.0
    assert judge([base]).slowest_recovery is None
