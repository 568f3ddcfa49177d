"""What a run writes: verdicts, evidence, Allure results, and the table at the end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from podproof.verdicts.results import validate
from tests.plugin.suite import Suite

pytest_plugins = "pytester"

SCENARIOS = """    It matters a lot.

    Scenario: It recovers
      As everyone says.
      Given a Pod
      When it recovers in 2.5 s
      Then 1 is 1

    @limit
    Scenario Outline: <n> is not two
      Given a Pod
      Then 1 is <n>
      Examples:
        | n |
        | 1 |
"""


def test_the_results_fit_their_schema_and_say_everything(suite: Suite) -> None:
    suite.rule(SCENARIOS)
    suite.run("features")
    data = suite.verdicts
    validate(data)
    assert data["complete"] is True
    assert (data["recording"]["samples"], data["recording"]["maximum"]) == (4, 0.026)
    assert data["cluster"]["version"] == "v1.37.1"
    assert [node["victim"] for node in data["cluster"]["nodes"]] == [False, True]
    assert data["cluster"]["settings"]["node-monitor-grace-period"]["assumed"] is True
    [claim] = data["claims"]
    assert claim["verdict"] == "TRUE WITHIN LIMITS"
    assert claim["limits"] == ["1 is not two"]
    assert claim["slowest_recovery"] == 2.5
    scenario = claim["scenarios"][0]
    assert scenario["measurements"] == [
        {"name": "recovery", "seconds": 2.5, "bound": 30.0, "origin": "a default", "samples": [2.5]}
        | dict.fromkeys(("minimum", "median", "p95", "maximum"), 2.5)
    ]
    assert scenario["seconds"] >= sum(step["seconds"] for step in scenario["steps"]) >= 0


def test_what_the_api_server_warned_of_is_listed_once(suite: Suite) -> None:
    suite.add_to_conftest(
        "\nclass Warned:\n    retries = 1\n    warnings = ['Endpoints is deprecated']\n"
        "\nWARNED = Warned()\n"
        "\n@pytest.fixture(autouse=True)\ndef api() -> Warned:\n    return WARNED\n"
    )
    suite.rule(SCENARIOS)
    suite.run("features").assert_outcomes(passed=2)
    assert (suite.verdicts["api_retries"], suite.verdicts["api_warnings"]) == (1, ["Endpoints is deprecated"])


def test_the_latest_run_is_found_and_older_ones_are_kept(suite: Suite) -> None:
    suite.rule(SCENARIOS)
    suite.run("features")
    first = (suite.root / "reports/latest").resolve()
    suite.run_apart("features")
    second = (suite.root / "reports/latest").resolve()
    assert first != second
    assert (first / "verdicts.json").is_file()


def test_a_claim_is_not_proven_by_some_of_its_scenarios(suite: Suite) -> None:
    suite.rule(SCENARIOS)
    result = suite.run("features", "-k", "recovers")
    [claim] = suite.verdicts["claims"]
    assert (claim["verdict"], claim["partial"]) == ("NOT PROVEN", True)
    assert claim["why"] == "only 1 of 2 scenarios was run"
    result.stdout.fnmatch_lines(["numbers-are-equal  NOT PROVEN  1/2   2.5 s"])


def test_a_run_that_stops_early_says_so(suite: Suite) -> None:
    suite.rule("    Scenario: A\n      Then 1 is 2\n    Scenario: B\n      Then 1 is 1\n")
    result = suite.run("features", "-x")
    assert suite.outcomes() == {"A": "FALSE", "B": "NOT RUN"}
    assert suite.verdicts["complete"] is False
    result.stdout.fnmatch_lines(["partial: the run ended early: stopping after 1 failures"])


def test_the_table_is_aligned(suite: Suite) -> None:
    suite.rule(SCENARIOS)
    suite.rule("    Scenario: A\n      Then 1 is 2\n", name="other", claim="nothing-fails")
    result = suite.run("features")
    result.stdout.fnmatch_lines(
        [
            "*= verdicts =*",
            "claim              verdict             held  slowest recovery",
            "numbers-are-equal  TRUE WITHIN LIMITS  2/2   2.5 s",
            "nothing-fails      FALSE               0/1   -",
            '  the cluster did something else: "A" (expected 2, observed 1)',
            "written to reports/latest/verdicts.json",
        ]
    )


def test_the_table_fits_a_narrow_terminal(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    suite.rule(SCENARIOS)
    result = suite.run("features")
    result.stdout.fnmatch_lines(
        ["numbers-are-equal", "  TRUE WITHIN LIMITS", "  2/2 held, slowest recovery 2.5 s"]
    )


def test_evidence_is_saved_before_cleaning_up(suite: Suite) -> None:
    suite.rule("    Scenario: A\n      Given a Pod\n      Then 1 is 2\n")
    suite.run("features")
    [claim] = suite.verdicts["claims"]
    directory = suite.root / "reports/latest" / claim["scenarios"][0]["evidence"]
    assert (directory / "repeat.txt").read_text() == "pytest features/numbers.feature::test_a\n"
    assert json.loads((directory / "timeline.json").read_text())[1]["summary"] == "Running"


def test_allure_says_what_a_reader_wants_to_know(suite: Suite) -> None:
    suite.rule(
        SCENARIOS + "    Scenario: Broken\n      Given a Pod\n      When the trial fails\n      Then 1 is 1\n"
    )
    suite.run("features")
    results = {each["name"]: each for each in suite.allure()}
    assert {name: each["status"] for name, each in results.items()} == {
        "It recovers": "passed",
        "Limit: 1 is not two": "passed",
        "Broken": "broken",
    }
    good = results["It recovers"]
    assert [step["name"] for step in good["steps"]] == [
        "Given a Pod",
        "When it recovers in 2.5 s",
        "Then 1 is 1",
    ]
    assert good["description"] == (
        "Supports the claim: **Every number is itself**\n\nIt matters a lot.\n\nAs everyone says.\n\n"
        "`features/numbers.feature:7`"
    )
    labels = {(label["name"], label["value"]) for label in good["labels"]}
    assert {
        ("feature", "Numbers"),
        ("story", "Every number is itself"),
        ("tag", "numbers-are-equal"),
    } <= labels
    assert {each["name"] for each in good["attachments"]} == {
        "What was demanded and found",
        "Measurements",
        "Timeline",
        "Timeline as JSON",
    }
    assert what_was_found(suite)["It recovers"] == "Then 1 is 1\n    expected: 1\n    observed: 1\n"
    assert {"name": "n", "value": "1"} in results["Limit: 1 is not two"]["parameters"]
    bad = results["Broken"]
    assert [step["status"] for step in bad["steps"]] == ["passed", "broken", "skipped"]
    assert bad["statusDetails"]["message"] == "NOT PROVEN: the fault did not take"
    assert "repeat:   pytest features/numbers.feature::test_broken" in bad["statusDetails"]["trace"]
    environment = (suite.root / "reports/allure-results/environment.properties").read_text()
    assert "Kubernetes = v1.37.1\nCluster = default (embedded)\n" in environment
    assert "Nodes = 2, 1 of them for Node faults\nClaims = 1 NOT PROVEN\n" in environment
    assert "Recording = 0.015 s late at the median of 6 events" in environment
    [everything] = (suite.root / "reports/allure-results").glob("*-globals.json")
    assert json.loads(everything.read_text())["attachments"][0]["name"] == "Verdicts"


def what_was_found(suite: Suite) -> dict[str, str]:
    """What was demanded and found, by scenario."""
    return {
        each["name"]: (suite.root / "reports/allure-results" / attachment["source"]).read_text()
        for each in suite.allure()
        for attachment in each.get("attachments", ())
        if attachment["name"] == "What was demanded and found"
    }


FINDING_STEPS = """
from podproof.errors import NotApplicable
from podproof.kube import findings
from podproof.kube.conditions import demand, preparing

@given("something that is cleaned up", target_fixture="cleaned")
def start_cleaned():
    yield
    findings.note("gone", "while cleaning up")

@pytest.fixture
def lacking():
    raise NotApplicable("a share")

@given("a share")
def start_share(lacking):
    pass

@given("what cannot be prepared")
def prepare():
    with preparing("it is to be there"):
        demand(False, "a file", "no file")
"""


def test_what_is_found_while_cleaning_up_is_not_told_of_the_next_scenario(suite: Suite) -> None:
    suite.rule(
        "    Scenario: A\n      Given something that is cleaned up\n      Then 1 is 1\n"
        "    Scenario: B\n      Given a share\n      Then 1 is 1\n"
    )
    suite.add_to_conftest(FINDING_STEPS)
    suite.run("features")
    assert suite.outcomes() == {"A": "TRUE", "B": "NOT APPLICABLE"}
    assert what_was_found(suite) == {"A": "Then 1 is 1\n    expected: 1\n    observed: 1\n"}


def test_a_preparation_that_failed_is_told_as_one(suite: Suite) -> None:
    suite.rule("    Scenario: A\n      Given what cannot be prepared\n      Then 1 is 1\n")
    suite.add_to_conftest(FINDING_STEPS)
    suite.run("features")
    assert suite.outcomes() == {"A": "NOT PROVEN"}
    assert what_was_found(suite) == {
        "A": "Given what cannot be prepared\n    prepared: a file\n    observed: no file\n"
    }


def test_allure_has_what_failed_in_set_up(suite: Suite) -> None:
    suite.rule("    Scenario: A\n      Then 1 is 1\n")
    suite.add_to_conftest(
        "\n@pytest.fixture(autouse=True)\ndef early() -> None:\n    raise TrialError('too early')\n"
    )
    suite.run("features").assert_outcomes(errors=1)
    [result] = suite.allure()
    assert (result["name"], result["status"]) == ("A", "broken")
    assert result["statusDetails"]["message"] == "NOT PROVEN: too early"
    assert [step["status"] for step in result["steps"]] == ["skipped"]


def test_allure_results_of_an_earlier_run_are_removed(suite: Suite) -> None:
    suite.rule(SCENARIOS)
    suite.run("features")
    suite.run("features", "--collect-only")
    assert len(suite.allure()) == 2
    suite.run("features", "-k", "recovers")
    assert len(suite.allure()) == 1


@pytest.fixture
def kept_by_the_user(suite: Suite) -> set[Path]:
    """What somebody keeps where reports go, beside more runs than are kept."""
    runs, allure = suite.root / "mine/runs", suite.root / "mine/allure-results"
    allure.mkdir(parents=True)
    (allure / "mine.json").write_text("{}")
    (allure / "mine-container.json").write_text("{}")
    names = [*(f"thesis-{number}" for number in range(22)), "2026-01-01T00-00-00-1"]
    for name in names:
        (runs / name).mkdir(parents=True)
        (runs / name / "notes.txt").write_text("mine")
    return {path for path in (suite.root / "mine").rglob("*") if path.is_file()}


def test_files_of_the_user_are_left_alone(suite: Suite, kept_by_the_user: set[Path]) -> None:
    own = [suite.root / f"mine/runs/2026-01-02T00-00-{number}-1" for number in range(10, 32)]
    for run in own:
        run.mkdir()
        (run / "verdicts.json").write_text("{}")
    suite.rule(SCENARIOS)
    suite.run("features", "--reports-dir", "mine").assert_outcomes(passed=2)
    suite.run_apart("features", "--reports-dir", "mine", "-n", "1", "-k", "recovers")
    assert all(path.is_file() for path in kept_by_the_user)
    assert [run.exists() for run in own] == [False] * 4 + [True] * 18
    assert len(list((suite.root / "mine/allure-results").glob("*-result.json"))) == 1
    assert len(list((suite.root / "mine/allure-results").glob("*-globals.json"))) == 1


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "workers"])
def test_a_run_that_cannot_begin_removes_nothing(
    suite: Suite, kept_by_the_user: set[Path], workers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.rule(SCENARIOS)
    suite.run("features", "--reports-dir", "mine")
    for number in range(10, 32):
        run = suite.root / f"mine/runs/2026-01-02T00-00-{number}-1"
        run.mkdir()
        (run / "verdicts.json").write_text("{}")
    before = {path: path.read_bytes() for path in (suite.root / "mine").rglob("*.*") if path.is_file()}
    monkeypatch.setenv("NO_CLUSTER", "1")
    latest = suite.root / "mine/latest"
    suite.run_apart("features", "--reports-dir", "mine", *workers)
    assert kept_by_the_user <= before.keys()
    assert {path: path.read_bytes() for path in before if latest not in path.parents} == {
        path: text for path, text in before.items() if latest not in path.parents
    }


def test_an_explicit_alluredir_wins(suite: Suite) -> None:
    suite.rule(SCENARIOS)
    other = suite.root / "other"
    other.mkdir()
    (other / "mine-result.json").write_text("{}")
    suite.run("features", "--alluredir", str(other))
    assert len(list(other.glob("*-result.json"))) == 3
    assert not (suite.root / "reports/allure-results").exists()


def test_other_tests_leave_the_reports_alone(suite: Suite) -> None:
    suite.rule(SCENARIOS)
    suite.run("features")
    suite.pytester.makepyfile("def test_one(): pass")
    before = sorted(Path(suite.root / "reports").rglob("*"))
    suite.run("test_other_tests_leave_the_reports_alone.py").assert_outcomes(passed=1)
    assert sorted(Path(suite.root / "reports").rglob("*")) == before
