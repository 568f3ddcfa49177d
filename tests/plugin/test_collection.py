"""Feature files are collected by path, and whatever is wrong with one is said with file and line."""

from __future__ import annotations

import pytest

from podproof.pytest_plugin.collector import ScenarioItem
from tests.plugin.suite import Suite

pytest_plugins = "pytester"

TWO = """
    Scenario: One is one
      Given a Pod
      Then 1 is 1

    @limit @slow
    Scenario Outline: <left> is not <right>
      Then <left> is <left>
      Examples:
        | left | right |
        | 2    | 3     |
        | 4    | 5     |
"""


def collected(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if ".feature::" in line]


ONE = "features/numbers.feature::test_one_is_one"
ROWS = [f"features/numbers.feature::test_left_is_not_right[{row}]" for row in ("2-3", "4-5")]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["features/"], [ONE, *ROWS]),
        (["features/numbers.feature"], [ONE, *ROWS]),
        ([ONE], [ONE]),
        ([ROWS[0].partition("[")[0]], ROWS),
        ([ROWS[1]], [ROWS[1]]),
        (["features", "-k", "one_is"], [ONE]),
        (["features", "-k", "4-5"], [ROWS[1]]),
        (["features", "-m", "numbers-are-equal and limit"], ROWS),
        (["features", "-m", "numbers-are-equal and not limit"], [ONE]),
        (["features", "features/numbers.feature"], [ONE, *ROWS]),
        (["features/numbers.feature", ONE, "features"], [ONE, *ROWS]),
    ],
)
def test_scenarios_are_selected(suite: Suite, args: list[str], expected: list[str]) -> None:
    suite.rule(TWO)
    result = suite.run("--collect-only", "-q", *args)
    assert collected(result) == expected
    assert suite.calls == []
    assert not (suite.root / "reports").exists()


def test_a_feature_named_twice_runs_once(suite: Suite) -> None:
    suite.rule(TWO)
    suite.run("features", "features/numbers.feature", ONE).assert_outcomes(passed=3)


def test_items_are_located_in_the_feature_file(suite: Suite) -> None:
    suite.rule(TWO)
    items, _ = suite.pytester.inline_genitems("features")
    assert [item.location for item in items] == [
        ("features/numbers.feature", 5, "One is one"),
        ("features/numbers.feature", 14, "2 is not 3"),
        ("features/numbers.feature", 15, "4 is not 5"),
    ]
    assert [item.nodeid for item in items] == [ONE, *ROWS]
    assert [item.plan.nodeid for item in items if isinstance(item, ScenarioItem)] == [ONE, *ROWS]


def test_only_what_failed_last_is_run_again(suite: Suite) -> None:
    suite.rule(TWO.replace("Then <left> is <left>", "Then <left> is 2"))
    # The cache is off in these suites, but for this one.
    ini = suite.root / "tox.ini"
    ini.write_text(ini.read_text().replace("-p no:cacheprovider", ""))
    suite.run("features").assert_outcomes(passed=2, failed=1)
    assert collected(suite.run("features", "--lf", "--collect-only", "-q")) == [ROWS[1]]


def test_steps_and_backgrounds_run_in_order(suite: Suite) -> None:
    suite.feature(
        "numbers",
        """Feature: Numbers
  Background:
    Given a Pod
  @numbers-are-equal
  Rule: Numbers
    Background:
      Given a Pod
      When nothing happens
    Scenario: One is one
      Then 1 is 1
""",
    )
    suite.run("features").assert_outcomes(passed=1)
    steps = suite.verdicts["claims"][0]["scenarios"][0]["steps"]
    assert [(step["keyword"], step["line"], step["status"]) for step in steps] == [
        ("Given", 3, "passed"),
        ("Given", 7, "passed"),
        ("When", 8, "passed"),
        ("Then", 10, "passed"),
    ]


WRONG = {
    "same name": (
        "    Scenario: A\n      Then 1 is 1\n    Scenario: A\n      Then 2 is 2\n",
        ['7: scenario "A" has the same name as the one of line 5'],
    ),
    "nearly the same name": (
        "    Scenario: A b\n      Then 1 is 1\n    Scenario: A (b)\n      Then 2 is 2\n",
        ['7: scenario "A (b)" is named too much like the one of line 5'],
    ),
    "unknown tag": (
        "    @limt\n    Scenario: A\n      Then 1 is 1\n",
        ["5: unknown tag @limt; did you mean @limit?"],
    ),
    "unknown tag of examples": (
        "    Scenario Outline: A\n      Then <n> is 1\n      @xyz\n      Examples:\n    | n |\n    | 1 |\n",
        ["7: unknown tag @xyz; known tags are the markers of pyproject.toml"],
    ),
    "claim on a scenario": (
        "    @nothing-fails\n    Scenario: A\n      Then 1 is 1\n",
        ["5: the claim @nothing-fails is tagged here; a claim is the tag of a Rule"],
    ),
    "undefined steps": (
        "    Background:\n      Given a Pood\n    Scenario: A\n      Then 1 is 1\n      And xyzzy\n",
        ['6: undefined step "Given a Pood"; did you mean "a Pod"?', '9: undefined step "And xyzzy"'],
    ),
    "undefined only in a row": (
        "    Scenario Outline: A\n      Then 1 is <n>\n      Examples:\n    | n |\n    | 1 |\n    | one |\n",
        ['6: undefined step "Then 1 is one"'],
    ),
    "a Given used as When": (
        "    Scenario: A\n      When a Pod\n",
        ['6: undefined step "When a Pod"'],
    ),
    "no steps": ("    Scenario: A\n", ['5: scenario "A" has no steps: it would pass without doing anything']),
    "And first": (
        "    Scenario: A\n      And a Pod\n",
        ["6: the first step must start with Given, When or Then, not And"],
    ),
    "no rows": (
        "    Scenario Outline: A\n      Then <n> is 1\n      Examples:\n        | n |\n",
        ['5: outline "A" has no Examples, so there is nothing to run'],
    ),
    "no table": (
        "    Scenario Outline: A\n      Then <n> is 1\n",
        ['5: outline "A" has no Examples, so there is nothing to run'],
    ),
    "no column": (
        "    Scenario Outline: A\n      Then <m> is 1\n      Examples:\n        | n |\n        | 1 |\n",
        ["6: <m> has no column in the Examples"],
    ),
    "same example twice": (
        "    Scenario Outline: A\n      Then <n> is 1\n"
        + 2 * "      Examples:\n        | n |\n        | 1 |\n",
        ["12: this example is the same as the one of line 9"],
    ),
    "broken": ("    Scenario: A\n      Then 1 is 1\n      what?\n", ["7: not Gherkin: "]),
    "empty rule": ("", ['4: Rule "About numbers" has no scenario, so it proves nothing']),
}


@pytest.mark.parametrize(("text", "errors"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_a_collection_error(suite: Suite, text: str, errors: list[str]) -> None:
    suite.rule(text)
    result = suite.run("features")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    said = [line for line in result.outlines if line.startswith("features/numbers.feature:")]
    assert len(said) == len(errors)
    for line, error in zip(said, errors, strict=True):
        assert line.startswith(f"features/numbers.feature:{error}")
    assert suite.calls == []


FILES = {
    "no claim": (
        "Feature: F\n  Rule: R\n    Scenario: A\n      Then 1 is 1\n",
        '2: Rule "R" is tagged with no claim; it needs exactly one',
    ),
    "two claims": (
        "Feature: F\n  @nothing-fails @numbers-are-equal\n  Rule: R\n    Scenario: A\n      Then 1 is 1\n",
        '3: Rule "R" is tagged with 2 claims (@nothing-fails, @numbers-are-equal); it needs exactly one',
    ),
    "no Rule": (
        "Feature: F\n  Scenario: A\n    Then 1 is 1\n",
        '2: scenario "A" is under no Rule, so it belongs to no claim',
    ),
    "one claim twice": (
        "Feature: F\n" + 2 * "  @nothing-fails\n  Rule: R\n    Scenario: A\n      Then 1 is 1\n",
        "7: a second Rule for the claim @nothing-fails; the first is on line 3",
    ),
    "empty": ("", "1: no Feature in this file"),
    "nonsense": ("what?\n", "1: not Gherkin: "),
}


@pytest.mark.parametrize(("text", "error"), FILES.values(), ids=FILES)
def test_a_wrong_rule_is_a_collection_error(suite: Suite, text: str, error: str) -> None:
    suite.feature("numbers", text)
    result = suite.run("features")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["features/numbers.feature:" + error.replace("[", "[[]") + "*"])


def test_a_file_that_is_not_text_is_a_collection_error(suite: Suite) -> None:
    suite.feature("numbers", "")
    (suite.root / "features/numbers.feature").write_bytes(b"Feature: F\n\xff")
    suite.run("features").stdout.fnmatch_lines(["features/numbers.feature:2: not UTF-8 text"])


def test_a_claim_in_two_files_is_a_collection_error(suite: Suite) -> None:
    suite.rule("    Scenario: A\n      Then 1 is 1\n", name="a")
    suite.rule("    Scenario: A\n      Then 1 is 1\n", name="b")
    suite.run("features").stdout.fnmatch_lines(
        ["features/b.feature:4: a second Rule for the claim @numbers-are-equal; the first is *a.feature:4"]
    )


@pytest.mark.parametrize("others", [[], ["a"]], ids=["alone", "among others"])
def test_with_workers_a_wrong_file_stops_the_run_too(suite: Suite, others: list[str]) -> None:
    for name in others:
        suite.rule("    Scenario: A\n      Then 1 is 1\n", name=name)
    suite.rule("    Scenario: A\n      Then xyzzy\n", name="b", claim="nothing-fails")
    result = suite.run_apart("features", "-n", "2")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(['features/b.feature:6: undefined step "Then xyzzy"'])
    assert suite.calls == []
