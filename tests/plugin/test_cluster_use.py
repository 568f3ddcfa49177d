"""The cluster is acquired only when scenarios really run, once, and is always given back."""

from __future__ import annotations

import pytest

from tests.plugin.suite import Suite

pytest_plugins = "pytester"

PLAIN = """
    Scenario: One is one
      Given a Pod
      Then 1 is 1

    Scenario: Two is two
      Given a Pod
      Then 2 is 2
"""


def test_it_is_acquired_and_released_by_the_run(suite: Suite) -> None:
    suite.rule(PLAIN)
    result = suite.run("features")
    assert suite.calls == ["acquire default None True", "deleted", "deleted", "release default True"]
    result.stdout.fnmatch_lines(["starting the stand-in"])


def test_workers_attach_to_what_the_controller_acquired(suite: Suite) -> None:
    suite.rule(PLAIN)
    result = suite.run_apart("features", "-n", "2", "--context", "mine")
    result.assert_outcomes(passed=2)
    calls = [call for call in suite.calls if call != "deleted"]
    assert calls[0] == "acquire default mine True"
    assert set(calls[1:-1]) == {"attach default mine"}
    assert calls[-1] == "release mine True"


def test_what_takes_turns_is_handed_to_one_worker_slow_ones_first(suite: Suite) -> None:
    scenario = "\n    {tags}\n    Scenario: {name}\n      Given a worker for {name}\n      Then 1 is 1\n"
    tags = {
        "one": "@victim-node",
        "two": "",
        "three": "@victim-node",
        "four": "",
        "five": "@slow @victim-node",
        "six": "@half-a-minute",
    }
    suite.rule("".join(scenario.format(tags=each, name=name) for name, each in tags.items()))
    suite.run_apart("features", "-n", "2").assert_outcomes(passed=6)
    ran = [call.split() for call in suite.calls if call.startswith("gw")]
    assert [name for _, name in ran if name in {"one", "three", "five"}] == ["five", "one", "three"]
    assert len({worker for worker, name in ran if name in {"one", "three", "five"}}) == 1
    assert next(name for _, name in ran if name in {"two", "four", "six"}) == "six"


@pytest.mark.parametrize(
    "args",
    [["--collect-only"], ["-k", "nothing"], ["-k", "nothing", "-n", "2"], ["--version"], ["--markers"]],
)
def test_it_is_not_acquired_when_nothing_runs(suite: Suite, args: list[str]) -> None:
    suite.rule(PLAIN)
    result = suite.run_apart("features", *args) if "-n" in args else suite.run("features", *args)
    assert result.ret != pytest.ExitCode.INTERNAL_ERROR
    assert suite.calls == []
    assert not (suite.root / "reports/latest").exists()


def test_it_is_not_acquired_for_other_tests(suite: Suite) -> None:
    suite.pytester.makepyfile("def test_one(): pass")
    suite.run().assert_outcomes(passed=1)
    assert suite.calls == []
    assert not (suite.root / "reports").exists()


def test_other_tests_may_ask_for_it(suite: Suite) -> None:
    suite.pytester.makepyfile("def test_one(cluster): assert cluster.name == 'default'")
    suite.run().assert_outcomes(passed=1)
    assert suite.calls == ["acquire default None True", "release default True"]


def test_a_parameter_of_that_name_does_not_ask_for_it(suite: Suite) -> None:
    suite.pytester.makepyfile(
        "import pytest\n@pytest.mark.parametrize('cluster', ['mine'])\ndef test_one(cluster): pass"
    )
    suite.run().assert_outcomes(passed=1)
    assert suite.calls == []


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "workers"])
def test_without_a_cluster_the_run_ends_with_one_line(
    suite: Suite, workers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_CLUSTER", "1")
    suite.rule(PLAIN)
    result = suite.run_apart("features", *workers)
    assert result.ret == 12
    text = result.stdout.str() + result.stderr.str()
    assert text.splitlines().count("podproof: the cluster is not there: start it") == 1
    assert text.count("the cluster is not there") == 1
    assert "outcomes.Exit" not in text
    assert "Traceback" not in text
    assert suite.outcomes() == {"One is one": "NOT RUN", "Two is two": "NOT RUN"}
    assert suite.verdicts["complete"] is False
    assert suite.verdicts["claims"][0]["verdict"] == "NOT PROVEN"


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "workers"])
@pytest.mark.parametrize("how", ["Ctrl-C is pressed", "the job is cancelled"])
def test_an_interruption_releases_it_and_keeps_the_results(
    suite: Suite, workers: list[str], how: str
) -> None:
    suite.rule(f"    Scenario: Stopped\n      Given a Pod\n      When {how}\n      Then 1 is 1\n")
    result = suite.run_apart("features", *workers)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert suite.calls[-1] == "release default True"
    assert suite.verdicts["complete"] is False
    assert "KeyboardInterrupt" in suite.verdicts["ended_early"]
    assert suite.outcomes() == {"Stopped": "NOT RUN"}


def test_what_was_not_cleaned_up_is_not_proven(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERRUPT_CLEANING_UP", "1")
    suite.rule(PLAIN)
    suite.run_apart("features")
    assert suite.outcomes() == {"One is one": "NOT PROVEN", "Two is two": "NOT RUN"}
    [claim] = suite.verdicts["claims"]
    assert claim["scenarios"][0]["reason"] == "interrupted while cleaning up"
    assert suite.calls[-1] == "release default True"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--kubeconfig", "x"], "--kubeconfig needs --context NAME: podproof never uses the current context"),
        (["--allow-node-faults", "x"], "--allow-node-faults needs --context NAME"),
        (
            ["--context", "x", "--nodes", "3"],
            "--nodes is about the embedded cluster, --context names another",
        ),
        (
            ["--context", "x", "--components", "build", "--cluster-set", "kubelet.v=4"],
            "--components, --cluster-set is about the embedded cluster, --context names another",
        ),
        *(
            ([f"--repeat={wrong}"], f"--repeat takes how often each scenario runs, 1 or more, not '{wrong}'")
            for wrong in ("0", "-1", "1.5", "often", "")
        ),
    ],
)
def test_options_that_make_no_sense_are_refused(suite: Suite, args: list[str], said: str) -> None:
    suite.rule(PLAIN)
    result = suite.run("features", *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    [line] = [line for line in result.errlines if line]
    assert line.startswith(f"ERROR: {said}")
