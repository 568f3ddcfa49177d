"""`--repeat N`: every scenario that was selected runs N times, and counts as one."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from podproof.verdicts.results import validate
from tests.plugin.suite import Suite

pytest_plugins = "pytester"

TIMED = """
    Scenario: It recovers
      Given a Pod
      When it recovers in 1 s, 2 s and so on
      Then 1 is 1
"""
TWO = f"""{TIMED}
    @limit
    Scenario Outline: <n> is not two
      Then 1 is <n>
      Examples:
        | n |
        | 1 |
"""
FILE = "features/numbers.feature"


def ran(result: pytest.RunResult) -> list[str]:
    """The node ids of the items that were collected or run, in their order."""
    return [line.partition("::")[2] for line in result.outlines if line.startswith(f"{FILE}::")]


def scenario(suite: Suite, number: int = 0) -> dict[str, Any]:
    validate(suite.verdicts)
    found: dict[str, Any] = suite.verdicts["claims"][0]["scenarios"][number]
    return found


def failures_remembered(suite: Suite) -> None:
    """Let pytest keep its cache, which is off in these suites."""
    ini = suite.root / "tox.ini"
    ini.write_text(ini.read_text().replace("-p no:cacheprovider", ""))


def test_all_run_once_before_the_first_runs_again(suite: Suite) -> None:
    suite.rule(TWO)
    assert ran(suite.run("features", "--collect-only", "-q", "--repeat", "2")) == [
        "test_it_recovers[repetition 1 of 2]",
        "test_n_is_not_two[1-repetition 1 of 2]",
        "test_it_recovers[repetition 2 of 2]",
        "test_n_is_not_two[1-repetition 2 of 2]",
    ]


def test_once_is_as_if_nothing_was_said(suite: Suite) -> None:
    suite.rule(TIMED)
    result = suite.run("features", "--repeat", "1")
    result.assert_outcomes(passed=1)
    assert scenario(suite)["repetitions"] == {"count": 1, "outcomes": ["TRUE"]}
    assert "measurements" not in result.stdout.str()


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "workers"])
def test_every_sample_is_kept(suite: Suite, workers: list[str]) -> None:
    suite.rule(TWO)
    result = suite.run_apart("features", "--repeat", "4", *workers)
    result.assert_outcomes(passed=8)
    first = scenario(suite)
    assert first["nodeid"] == f"{FILE}::test_it_recovers"
    assert first["repetitions"] == {"count": 4, "outcomes": ["TRUE"] * 4}
    assert first["measurements"] == [
        {"name": "recovery", "seconds": 2.5, "bound": 4, "origin": "a default", "samples": [1, 2, 3, 4]}
        | {"minimum": 1, "median": 2.5, "p95": 4, "maximum": 4}
    ]
    [claim] = suite.verdicts["claims"]
    assert (claim["verdict"], len(claim["scenarios"])) == ("TRUE WITHIN LIMITS", 2)
    assert claim["slowest_recovery"] == 4
    result.stdout.fnmatch_lines(["numbers-are-equal  TRUE WITHIN LIMITS  2/2   4.0 s"])


def test_the_spread_is_a_table_after_the_verdicts(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    suite.rule(TIMED)
    result = suite.run("features", "--repeat", "5")
    result.stdout.fnmatch_lines(
        [
            "*= verdicts =*",
            "*= measurements, in seconds =*",
            "scenario     measurement  n    min  median    p95    max                bound",
            "It recovers  recovery     5  1.000   3.000  5.000  5.000  4 exceeded by 1.000",
            "written to reports/latest/verdicts.json",
        ]
    )


def test_the_table_fits_a_narrow_terminal(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    suite.rule(TIMED)
    result = suite.run("features", "--repeat", "2")
    result.stdout.fnmatch_lines(
        ["  measurement  n *", "It recovers", "  recovery     2  1.000   1.500  2.000  2.000      4"]
    )


@pytest.mark.parametrize(
    ("step", "outcome", "verdict", "counts"),
    [
        ("repetition 2 is different", "FALSE", "FALSE", {"passed": 2, "failed": 1}),
        ("repetition 2 cannot tell", "NOT PROVEN", "NOT PROVEN", {"passed": 2, "errors": 1}),
    ],
)
def test_one_repetition_decides(
    suite: Suite, step: str, outcome: str, verdict: str, counts: dict[str, int]
) -> None:
    suite.rule(f"{TIMED}      And {step}\n")
    result = suite.run("features", "--repeat", "3", "--junitxml", "junit.xml")
    result.assert_outcomes(**counts)
    found = scenario(suite)
    assert (found["outcome"], suite.verdicts["claims"][0]["verdict"]) == (outcome, verdict)
    assert found["repetitions"]["outcomes"] == ["TRUE", outcome, "TRUE"]
    assert found["reason"].startswith("repetition 2 of 3: ")
    assert len(found["measurements"][0]["samples"]) == 3
    assert (suite.root / "reports/latest" / found["evidence"]).is_dir()
    names = {each.get("name") for each in ElementTree.parse("junit.xml").iter("testcase")}  # noqa: S314
    assert names == {f"test_it_recovers[repetition {number} of 3]" for number in (1, 2, 3)}
    result.stdout.fnmatch_lines(
        [
            "*scenario: It recovers, repetition 2 of 3 (features/numbers.feature:6)",
            "*repeat:   pytest features/numbers.feature::test_it_recovers --repeat 3",
        ]
    )


def test_a_repetition_that_was_not_run_leaves_it_not_proven(suite: Suite) -> None:
    suite.rule(f"{TIMED}      And repetition 2 is different\n    Scenario: B\n      Then 1 is 1\n")
    suite.run("features", "--repeat", "3", "-x")
    other = scenario(suite, 1)
    assert (other["outcome"], other["repetitions"]["outcomes"]) == (
        "NOT PROVEN",
        ["TRUE", "NOT RUN", "NOT RUN"],
    )
    assert other["reason"].startswith("repetitions 2-3 of 3: NOT RUN: the run ended early")


@pytest.mark.parametrize(
    "args",
    [
        ["features", "-k", "recovers"],
        ["features", "-m", "not limit"],
        [f"{FILE}::test_it_recovers"],
        [f"{FILE}::test_it_recovers[repetition 2 of 7]"],
    ],
)
def test_what_selects_is_about_scenarios(suite: Suite, args: list[str]) -> None:
    suite.rule(TWO)
    suite.run(*args, "--repeat", "2").assert_outcomes(passed=2, deselected=int("features" in args))
    assert scenario(suite)["repetitions"]["count"] == 2
    assert scenario(suite, 1)["outcome"] == "NOT RUN"


def test_a_row_is_found_by_the_id_of_its_repetition(suite: Suite) -> None:
    suite.rule(TWO)
    result = suite.run(f"{FILE}::test_n_is_not_two[1-repetition 2 of 2]", "--collect-only", "-q")
    assert ran(result) == ["test_n_is_not_two[1]"]


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "workers"])
def test_what_failed_last_is_a_scenario(suite: Suite, workers: list[str]) -> None:
    failures_remembered(suite)
    suite.rule(f"{TWO}    Scenario: Wavers\n      Then repetition 2 is different\n")
    suite.run_apart("features", "--repeat", "3", *workers).assert_outcomes(passed=8, failed=1)
    assert ran(suite.run("features", "--lf", "--collect-only", "-q")) == ["test_wavers"]
    again = suite.run_apart("features", "--lf", "--repeat", "2", *workers)
    again.assert_outcomes(passed=1, failed=1)
    suite.run_apart("features", "--lf", *workers).assert_outcomes(passed=1)
    suite.run("features", "--lf").assert_outcomes(passed=3)


def test_a_scenario_that_fails_no_more_is_forgotten(suite: Suite) -> None:
    failures_remembered(suite)
    suite.rule("    Scenario: A\n      Then 1 is 2\n    Scenario: B\n      Then 1 is 1\n")
    suite.run("features").assert_outcomes(passed=1, failed=1)
    suite.rule("    Scenario: A\n      Then 1 is 1\n    Scenario: B\n      Then 1 is 1\n")
    suite.run_apart("features", "--lf", "--repeat", "2").assert_outcomes(passed=2)
    suite.run_apart("features", "--lf").assert_outcomes(passed=2)


def test_other_tests_are_not_repeated(suite: Suite) -> None:
    suite.rule(TIMED)
    suite.pytester.makepyfile("def test_one(): pass")
    result = suite.run("features", "test_other_tests_are_not_repeated.py", "--repeat", "2")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["each scenario runs 2 times"])


def test_marks_that_a_suite_adds_go_with_the_repetitions(suite: Suite) -> None:
    suite.add_to_conftest(
        "\ndef pytest_collection_modifyitems(items: list[pytest.Item]) -> None:\n"
        "    items[0].add_marker(pytest.mark.skip(reason='not today'))\n"
    )
    suite.rule(TIMED)
    suite.run("features", "--repeat", "2").assert_outcomes(skipped=2)


def test_allure_shows_each_and_the_spread(suite: Suite) -> None:
    suite.rule(TIMED)
    suite.run("features", "--repeat", "2")
    results = sorted(suite.allure(), key=lambda each: str(each["name"]))
    assert [each["name"] for each in results] == [
        "It recovers (repetition 1 of 2)",
        "It recovers (repetition 2 of 2)",
    ]
    assert len({each["testCaseId"] for each in results}) == 1
    # Or Allure would count only one of them, and call the other a retry.
    assert len({each["historyId"] for each in results}) == 2
    texts = [path.read_text() for path in (suite.root / "reports/allure-results").glob("*.txt")]
    assert any("It recovers  recovery     2  1.000   1.500" in text for text in texts)
