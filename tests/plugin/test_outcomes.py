"""What happens in a scenario becomes its outcome, the same in pytest's counts, JUnit's and the verdicts."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.plugin.suite import Suite

pytest_plugins = "pytester"

# What happens, how pytest counts it, and the outcome.
HAPPENINGS = {
    "it holds": ("Then 1 is 1", {"passed": 1}, "TRUE"),
    "a Then is wrong": ("Then 1 is 2", {"failed": 1}, "FALSE"),
    "an And after Then is wrong": ("Then 1 is 1\n      And 1 is 2", {"failed": 1}, "FALSE"),
    "a Given is wrong": ("Given a false assumption\n      Then 1 is 1", {"errors": 1}, "NOT PROVEN"),
    "a When fails": ("When the trial fails\n      Then 1 is 1", {"errors": 1}, "NOT PROVEN"),
    "a When cannot begin": ("When a fault is unavailable\n      Then 1 is 1", {"errors": 1}, "NOT PROVEN"),
    "a Then is defective": ("Then there is a defect", {"errors": 1}, "NOT PROVEN"),
    "a Then asserts": ("Then something is asserted", {"errors": 1}, "NOT PROVEN"),
    "a Then's fixture says no": (
        "Then something is looked at that is not there",
        {"errors": 1},
        "NOT PROVEN",
    ),
    "cleaning up fails": (
        "Given something untidy\n      Then 1 is 1",
        {"passed": 1, "errors": 1},
        "NOT PROVEN",
    ),
    "wrong, and cleaning up fails": (
        "Given something untidy\n      Then 1 is 2",
        {"failed": 1, "errors": 1},
        "FALSE",
    ),
    "a capability is missing": ("Given a power switch\n      Then 1 is 1", {"skipped": 1}, "NOT APPLICABLE"),
    "a fixture's capability is missing": (
        "Given two Nodes\n      Then 1 is 1",
        {"skipped": 1},
        "NOT APPLICABLE",
    ),
    "it is skipped": ("Given a skip\n      Then 1 is 1", {"skipped": 1}, "NOT PROVEN"),
}


@pytest.mark.parametrize(("steps", "counts", "outcome"), HAPPENINGS.values(), ids=HAPPENINGS)
def test_outcome(suite: Suite, steps: str, counts: dict[str, int], outcome: str) -> None:
    suite.rule(f"    Scenario: A\n      {steps}\n")
    result = suite.run("features", "--junit-xml=junit.xml")
    result.assert_outcomes(**counts)
    assert result.ret == (1 if {"failed", "errors"} & counts.keys() else 0)
    assert suite.outcomes() == {"A": outcome}
    [junit] = ElementTree.parse(suite.root / "junit.xml").getroot()  # noqa: S314  # pytest wrote it
    assert int(junit.attrib["failures"]) == counts.get("failed", 0)
    assert int(junit.attrib["errors"]) == counts.get("errors", 0)
    assert int(junit.attrib["skipped"]) == counts.get("skipped", 0)
    elements = [element.tag for element in junit.iter() if element.tag in {"failure", "error", "skipped"}]
    assert len(elements) == sum(counts.values()) - counts.get("passed", 0)


def test_workers_say_the_same(suite: Suite) -> None:
    for number, (steps, _, _) in enumerate(HAPPENINGS.values()):
        text = f"    Scenario: {number}\n      {steps}\n"
        suite.feature(f"f{number}", f"Feature: F\n  @claim-{number}\n  Rule: R\n{text}")
    ini = suite.root / "tox.ini"
    claims = "\n".join(f"    claim-{number}: Claim: {number}" for number in range(len(HAPPENINGS)))
    ini.write_text(f"{ini.read_text()}\n{claims}\n")
    suite.run_apart("features", "-n", "2").assert_outcomes(passed=2, failed=3, errors=8, skipped=3)
    assert suite.outcomes() == {str(number): each[2] for number, each in enumerate(HAPPENINGS.values())}


def test_what_the_cluster_lacks_is_named_where_it_is_needed(suite: Suite) -> None:
    suite.rule("".join(f"    Scenario: {name}\n      Given two Nodes\n      Then 1 is 1\n" for name in "AB"))
    early = "\n@pytest.fixture(autouse=True)\ndef early(two_nodes: None) -> None:\n    del two_nodes\n"
    for suffix in ("", early):
        suite.add_to_conftest(suffix)
        result = suite.run("features")
        result.assert_outcomes(skipped=2)
        result.stdout.fnmatch_lines(["SKIPPED [[]*] features/numbers.feature:*: NOT APPLICABLE: two Nodes"])
        [claim] = suite.verdicts["claims"]
        assert [each["reason"] for each in claim["scenarios"]] == ["two Nodes", "two Nodes"]
        assert {each["status"] for each in suite.allure()} == {"skipped"}


def test_a_worker_that_dies_proves_nothing(suite: Suite) -> None:
    suite.rule("    Scenario: A\n      When the process dies\n      Then 1 is 1\n")
    suite.run_apart("features", "-n", "1", "--max-worker-restart", "0")
    assert suite.outcomes() == {"A": "NOT PROVEN"}
    assert suite.calls[-1] == "release default True"


def test_a_failure_says_all_that_is_needed(suite: Suite) -> None:
    suite.rule(
        "    @limit\n    Scenario Outline: A <n>\n      Given a Pod\n      Then 1 is <n>\n"
        "      Examples:\n        | n |\n        | 2 |\n"
    )
    result = suite.run("features", "--cluster-name", "other")
    result.stdout.fnmatch_lines(
        [
            "*_ A 2 _*",
            "claim:    Every number is itself (numbers-are-equal)",
            "limit:    A 2 (features/numbers.feature:11)",
            "step:     Then 1 is 2 (features/numbers.feature:8)",
            "verdict:  FALSE: this limit no longer holds: a change of behaviour",
            "",
            "expected: 2",
            "observed: 1",
            "",
            "last events:",
            "     +0.250 s  Pod web  ADDED     Pending",
            "     +1.500 s  Pod web  MODIFIED  Running",
            "",
            "evidence: reports/runs/*/evidence/features_numbers_a_n_2-*",
            "",
            "repeat:   pytest 'features/numbers.feature::test_a_n[[]2]' --cluster-name other",
            "*verdicts*",
            "FAILED features/numbers.feature::test_a_n[[]2] - expected 2, observed 1",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    assert "traceback:" not in result.stdout.str()


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("there is a defect", "KeyError: 'surprise'"),
        ("something is asserted", "AssertionError: a step's own assumption"),
    ],
)
def test_only_a_defect_shows_its_traceback(suite: Suite, step: str, said: str) -> None:
    suite.rule(f"    Scenario: A\n      Then {step}\n")
    result = suite.run("features")
    result.stdout.fnmatch_lines([said, "", "traceback:", "  conftest.py:*: in _"])
    assert "pytest_bdd" not in result.stdout.str().partition("traceback:")[2]


def test_a_fixture_that_does_not_exist_is_named(suite: Suite) -> None:
    suite.rule("    Scenario: A\n      Then something unknown is looked at\n")
    result = suite.run("features")
    result.stdout.fnmatch_lines(["no fixture or earlier step gives 'unknown'"])
    assert suite.outcomes() == {"A": "NOT PROVEN"}


def test_a_traceback_can_be_had(suite: Suite) -> None:
    suite.rule("    Scenario: A\n      Then 1 is 2\n")
    result = suite.run("features", "--full-trace")
    result.stdout.fnmatch_lines(["traceback:", "*pytest_bdd*"])


@pytest.mark.parametrize(
    ("then", "option", "fate"),
    [
        ("1 is 2", ["--keep-on-failure"], "kept"),
        ("1 is 2", [], "deleted"),
        ("1 is 1", ["--keep-on-failure"], "deleted"),
    ],
)
def test_the_namespace_is_kept_if_asked_for(suite: Suite, then: str, option: list[str], fate: str) -> None:
    suite.rule(f"    Scenario: A\n      Given a Pod\n      Then {then}\n")
    suite.run("features", *option)
    assert fate in suite.calls


@pytest.mark.parametrize(
    ("options", "name", "kubectl"),
    [
        ([], "default", "podproof kubectl"),
        (["--cluster-name", "other"], "other", "podproof kubectl --name other"),
        (["--context", "mine"], "mine", "kubectl --kubeconfig /nowhere/kubeconfig --context mine"),
    ],
)
def test_what_is_kept_can_be_looked_at(suite: Suite, options: list[str], name: str, kubectl: str) -> None:
    suite.rule("    Scenario: A\n      Given a Pod\n      Then 1 is 2\n")
    result = suite.run("features", "--keep-on-failure", *options)
    result.stdout.fnmatch_lines(
        [
            f"kept:     namespace podproof-{name}-1",
            f"  look:   {kubectl} get all,events --namespace podproof-{name}-1",
            f"  remove: {kubectl} delete namespace podproof-{name}-1",
        ]
    )


def test_nobody_is_sent_to_a_cluster_that_is_gone(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN_CLUSTER", "1")
    suite.rule("    Scenario: A\n      Given a Pod\n      Then 1 is 2\n")
    result = suite.run("features", "--keep-on-failure")
    result.stdout.fnmatch_lines(["kept:     namespace podproof-default-1, but only until this run ends*"])
    assert "kubectl" not in result.stdout.str()
