"""Recovery in the field's four times: what clients lost, the bounds, and the table."""

import pytest

from podproof.cluster.base import Setting
from podproof.cluster.bounds import UNREACHABLE, recovery_from_kill, recovery_from_node_loss
from podproof.pytest_plugin.recovery_table import recovery_rows
from podproof.traffic.record import Record, Request
from podproof.verdicts.claims import judge_all
from podproof.verdicts.measurements import Measurement
from podproof.verdicts.scenarios import Kind, Outcome, ScenarioPlan, ScenarioResult

SETTINGS = {
    "node-monitor-grace-period": Setting("50s", "kube-controller-manager, /configz"),
    "node-monitor-period": Setting("5s", "kube-controller-manager, /configz"),
    "node-eviction-rate": Setting("0.1", "kube-controller-manager, /configz"),
}
POD = {
    "metadata": {"name": "web"},
    "spec": {
        "tolerations": [{"key": UNREACHABLE, "tolerationSeconds": 7}],
        "containers": [{"name": "app", "readinessProbe": {"periodSeconds": 2}}],
    },
}


def record(answers: str) -> Record:
    """A record of a request each second; an ``x`` for each that is lost."""
    requests = [
        Request(
            number, 100.0 + number, float(number), 0.1, 0 if each == "x" else 200, "x" * (each == "x"), ""
        )
        for number, each in enumerate(answers)
    ]
    return Record.of(requests, 1.0, 0.0)


def test_nothing_lost_is_no_impact() -> None:
    assert record("....").impact(0.0) is None


@pytest.mark.parametrize(
    ("answers", "start", "end", "lost", "sent"),
    [("..x...", 2, 3, 1, 1), (".x.xx..", 1, 5, 3, 4), ("xx", 0, 1, 2, 2), ("..x.x", 2, 4, 2, 3)],
)
def test_the_impact_lasts_from_the_first_loss_to_the_first_request_after_the_last(
    answers: str, start: float, end: float, lost: int, sent: int
) -> None:
    impact = record(answers).impact(0.0)
    assert impact is not None
    assert (impact.start, impact.end, impact.lost, impact.sent) == (start, end, lost, sent)
    assert impact.seconds == end - start
    assert impact.share == lost / sent


def test_what_was_under_way_when_it_began_was_not_lost_before() -> None:
    lost = record("..x..")  # sent at 2, lost at 2.1
    assert not lost.lost_before(2.05)
    assert lost.lost_before(2.2)
    impact = lost.impact(2.05)
    assert impact is not None
    assert (impact.start, impact.end, impact.lost) == (2.05, 3, 1)


def test_a_few_lost_long_after_it_are_strays() -> None:
    impact = record(".xx" + "." * 30 + "x" + "." * 10).impact(0.0)
    assert impact is not None
    assert (impact.end, impact.lost, impact.strays) == (3, 2, 1)


def test_an_outage_is_over_though_the_very_last_request_is_a_stray() -> None:
    assert record("." * 3).recovered()
    assert record(".xx" + "." * 30).recovered()
    assert record(".xx" + "." * 30 + "x").recovered()
    assert not record(".xx").recovered()
    assert not record(".xx...x").recovered()
    assert not record(".xx" + "." * 30 + "xx").recovered()


def test_many_lost_after_a_pause_are_none() -> None:
    impact = record(".xx" + "." * 5 + "xxx" + "." * 5).impact(0.0)
    assert impact is not None
    assert (impact.lost, impact.strays) == (5, 0)


def test_with_others_left_the_outage_ends_when_the_loss_is_noticed() -> None:
    within = recovery_from_node_loss(SETTINGS, POD, alone=False)
    assert within.reaction.seconds == 55
    assert within.repair.seconds == 10 + 7 + 1 + 5
    assert within.recovery.seconds == within.repair.seconds + 2 + 1
    assert within.outage.seconds == 55 + 1 + 1


def test_of_a_pod_alone_the_outage_ends_when_it_was_replaced() -> None:
    within = recovery_from_node_loss(SETTINGS, POD, alone=True)
    assert within.outage.seconds == within.reaction.seconds + within.recovery.seconds + 1
    assert "its readiness probe: 2 s" in within.outage.origin


def test_a_killed_process_is_restarted_where_it_was() -> None:
    within = recovery_from_kill(POD)
    assert within.reaction.seconds == 1
    assert within.repair.seconds == 5
    assert within.recovery.seconds == 5 + 2 + 1
    assert within.outage.seconds > within.recovery.seconds


def result(title: str, *names: str) -> ScenarioResult:
    plan = ScenarioPlan(title, "a.feature", 1, title, "A", "slug", "A claim", "A claim", Kind.SUPPORT)
    return ScenarioResult(plan, Outcome.TRUE, measurements=tuple(Measurement(each, 1.26) for each in names))


def test_the_table_has_the_scenarios_that_measured_all_four_times() -> None:
    claims = judge_all([
        result("partly", "recovery", "outage"),
        result("all", "reaction", "repair", "recovery", "outage"),
    ])  # fmt: skip
    assert recovery_rows(claims) == [
        "reaction    repair  recovery    outage  scenario",
        "   1.3 s     1.3 s     1.3 s     1.3 s  all (slug)",
    ]


def test_without_such_a_scenario_there_is_no_table() -> None:
    assert recovery_rows(judge_all([result("partly", "recovery")])) == []
