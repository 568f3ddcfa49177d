"""A matrix: its targets, what counts as a change, and what is written of it."""

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from podproof.errors import ComponentError, UsageError
from podproof.matrix import document, junit, markdown, run, targets, trials
from podproof.matrix.suite import Suite
from podproof.matrix.trials import Options, Trial
from podproof.verdicts.scenarios import Kind, Outcome
from tests.matrix_trials import STARTED, results, scenario, trial, untried

HELD = scenario("heals")
LIMIT = scenario("heals", title="But not at once", kind=Kind.LIMIT)


def matrix(*tried: Trial, directory: Path, baseline: dict[str, Any] | None = None) -> dict[str, Any]:
    made = document.build(
        tried,
        directory,
        command=["podproof", "matrix"],
        started=STARTED,
        ended=STARTED + timedelta(minutes=5),
        baseline=baseline,
    )
    document.validate(made)
    return made


def told(made: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [(each["kind"], each["direction"], each["was"], each["is"]) for each in made["changes"]]


# --- what is asked for ------------------------------------------------------------------------------


def test_targets_are_versions_contexts_and_versions_with_flags() -> None:
    flag = "kube-controller-manager.controllers=*,-ttl+x"
    first, second, third = targets.parse(
        ["1.37.2", f"1.37.2+{flag}+kubelet.sync-frequency=2m", "context:mine"]
    )
    assert (first.version, first.flags, first.name) == ("1.37.2", (), "1.37.2")
    assert second.flags == (flag, "kubelet.sync-frequency=2m")
    assert second.name == "1.37.2 + controllers=*,-ttl+x + sync-frequency=2m"
    assert (third.kind, third.context, third.name) == ("context", "mine", "mine")


def test_a_version_beside_itself_has_a_name_of_its_own() -> None:
    names = [each.name for each in targets.parse(["1.37.2", "1.37.2"])]
    assert names == ["1.37.2", "1.37.2 (2)"]
    assert len({each.directory for each in targets.parse(["1.37.2", "1.37.2"])}) == 2


def test_contexts_whose_names_differ_in_signs_alone_have_directories_of_their_own() -> None:
    contexts = targets.parse(["context:team/staging", "context:team:staging", "context:team_staging"])
    assert len({each.directory for each in contexts}) == 3
    assert all(re.fullmatch(r"team_staging(-[0-9a-f]{6})?", each.directory) for each in contexts)


@pytest.mark.parametrize(
    ("asked", "why"),
    [("1.20", "too old"), ("1.2.3.4", "is no version"), ("9.99", "cannot be had; there are")],
)
def test_a_version_that_cannot_be_had_says_so_and_the_others_go_on(
    asked: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("podproof.cluster.embedded.versions.available", lambda: ["1.37.2"])
    bad, good = targets.parse([asked, "1.37.2"])
    assert why in bad.why_not
    assert good.why_not == ""


@pytest.mark.parametrize("asked", [[], ["context:"]])
def test_what_makes_no_sense_is_refused(asked: Sequence[str]) -> None:
    with pytest.raises(UsageError):
        targets.parse(asked)


# --- what counts as a change ------------------------------------------------------------------------


def test_equals_do_not_differ(tmp_path: Path) -> None:
    made = matrix(trial("1.36.0", HELD, LIMIT), trial("1.37.0", HELD, LIMIT), directory=tmp_path)
    assert made["changes"] == []
    assert made["outcome"] == {"status": 0, "text": "no claim became worse"}


def test_a_claim_that_is_false_now_is_worse(tmp_path: Path) -> None:
    failed = scenario("heals", Outcome.FALSE, reason="expected: a Pod\nobserved: none")
    made = matrix(trial("1.36.0", HELD), trial("1.37.0", failed), directory=tmp_path)
    assert ("verdict", "worse", "TRUE", "FALSE") in told(made)
    assert made["outcome"]["status"] == 1
    assert made["outcome"]["text"] == "heals became worse: TRUE on 1.36.0, FALSE on 1.37.0, and 1 more"


def test_a_claim_that_applies_no_more_is_worse(tmp_path: Path) -> None:
    gone = scenario("heals", Outcome.NOT_APPLICABLE, reason="metrics")
    made = matrix(trial("1.36.0", HELD), trial("1.37.0", gone), directory=tmp_path)
    assert ("verdict", "worse", "TRUE", "NOT APPLICABLE") in told(made)


def test_a_limit_that_vanished_is_news_but_not_worse(tmp_path: Path) -> None:
    vanished = scenario("heals", Outcome.FALSE, title="But not at once", kind=Kind.LIMIT, reason="at once")
    made = matrix(trial("1.36.0", HELD, LIMIT), trial("1.37.0", HELD, vanished), directory=tmp_path)
    assert ("limit", "other", "TRUE", "FALSE") in told(made)
    assert made["outcome"]["status"] == 0


def test_what_is_not_proven_cannot_be_told(tmp_path: Path) -> None:
    failed = scenario("heals", Outcome.NOT_PROVEN, reason="the API was out of reach")
    made = matrix(trial("1.36.0", HELD), trial("1.37.0", failed), directory=tmp_path)
    assert {direction for _, direction, _, _ in told(made)} == {"unknown"}
    assert made["outcome"] == {"status": 2, "text": "could not tell: NOT PROVEN on 1.37.0: heals"}


def test_what_was_left_out_is_said(tmp_path: Path) -> None:
    left_out = scenario("heals", Outcome.NOT_RUN, title="Slowly")
    made = matrix(trial("1.36.0", HELD, left_out), trial("1.37.0", HELD, left_out), directory=tmp_path)
    assert made["outcome"]["status"] == 0
    assert "2 were left out" in made["outcome"]["text"]


def test_a_target_that_could_not_be_tried_is_passed_over_and_makes_the_outcome_unknown(
    tmp_path: Path,
) -> None:
    made = matrix(
        trial("1.35.0", HELD), untried("1.36", "no such"), trial("1.37.0", HELD), directory=tmp_path
    )
    assert [(each["before"], each["after"]) for each in made["comparisons"]] == [("1.35.0", "1.37.0")]
    assert made["outcome"] == {"status": 2, "text": "could not tell: 1.36 was not tried: no such"}
    assert [cell is None for cell in made["claims"][0]["cells"]] == [False, True, False]


def test_capabilities_warnings_and_settings_that_differ_are_told(tmp_path: Path) -> None:
    before = trial(
        "1.36.0",
        scenario("heals", capabilities={"metrics": False}),
        settings={"node-monitor-grace-period": "40s"},
    )
    after = trial(
        "1.37.0",
        scenario("heals", capabilities={"metrics": True}, warnings=["v1 Endpoints is deprecated"]),
        settings={"node-monitor-grace-period": "50s"},
    )
    made = matrix(before, after, directory=tmp_path)
    assert set(told(made)) == {
        ("capability", "other", "not offered", "offered"),
        ("warning", "other", "-", "warned of"),
        ("setting", "other", "40s", "50s"),
    }


def test_a_slower_recovery_is_worse_and_has_its_figures(tmp_path: Path) -> None:
    quick, slow = [2 + n / 50 for n in range(8)], [3 + n / 50 for n in range(8)]
    made = matrix(
        trial("1.36.0", scenario("heals", recovery=quick)),
        trial("1.37.0", scenario("heals", recovery=slow)),
        directory=tmp_path,
    )
    (change,) = made["changes"]
    assert (change["kind"], change["direction"], change["claim"]) == ("time", "worse", "heals")
    assert change["time"]["before"]["count"] == 8
    assert made["outcome"]["status"] == 1


def test_a_baseline_is_compared_by_name_or_else_with_the_newest_older_version(tmp_path: Path) -> None:
    failed = scenario("heals", Outcome.FALSE)
    saved = matrix(trial("1.35.0", HELD), trial("1.36.0", HELD), trial("1.38.0", HELD), directory=tmp_path)
    same = matrix(trial("1.36.0", failed), directory=tmp_path, baseline=saved)
    assert [(each["before"], each["after"], each["baseline"]) for each in same["comparisons"]] == [
        ("1.36.0", "1.36.0", True)
    ]
    newer = matrix(trial("1.37.0", failed), directory=tmp_path, baseline=saved)
    assert newer["comparisons"][0]["before"] == "1.36.0"
    assert newer["outcome"]["status"] == 1


# --- what is written of it --------------------------------------------------------------------------


def test_a_matrix_is_read_back(tmp_path: Path) -> None:
    made = matrix(trial("1.37.0", HELD), directory=tmp_path)
    document.write(made, tmp_path / "matrix.json")
    assert document.read(tmp_path / "matrix.json") == made


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 1}'])
def test_a_baseline_that_is_none_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "matrix.json").write_text(text)
    with pytest.raises(UsageError, match=r"matrix.json is no matrix of this podproof: "):
        document.read(tmp_path / "matrix.json")
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        document.read(tmp_path / "other.json")


def test_timelines_are_found_in_the_report_of_the_run(tmp_path: Path) -> None:
    kept = tmp_path / "targets/1.37.0/run/allure-results"
    kept.mkdir(parents=True)
    picture = {"name": "Picture", "source": "x.svg"}
    (kept / "1-result.json").write_text(json.dumps({"fullName": HELD.plan.nodeid, "attachments": [picture]}))
    (kept / "2-result.json").write_text("{")
    made = matrix(trial("1.37.0", HELD), directory=tmp_path)
    shown = made["claims"][0]["cells"][0]["scenarios"][0]["timeline"]
    assert shown == "targets/1.37.0/run/allure-results/x.svg"


def test_markdown_names_what_changed_and_every_claim(tmp_path: Path) -> None:
    failed = scenario("heals", Outcome.FALSE, reason="a <b> | c")
    made = matrix(
        trial("1.36.0", HELD), trial("1.37.0", failed), untried("1.38", "no <such>"), directory=tmp_path
    )
    text = markdown.render(made)
    assert "❌ **heals became worse: TRUE on 1.36.0, FALSE on 1.37.0" in text
    assert "| worse | 1.36.0 → 1.37.0 | `heals` |" in text
    assert "| `heals` | ✅ | ❌ |  |" in text
    assert "1.38 was not tried: no &lt;such>" in text
    assert "a &lt;b> \\| c" in text


def test_junit_has_a_case_for_each_claim_and_target(tmp_path: Path) -> None:
    failed = scenario("heals", Outcome.FALSE)
    other = [scenario("a", Outcome.NOT_PROVEN), scenario("b", Outcome.NOT_APPLICABLE)]
    made = matrix(
        trial("1.36.0", HELD), trial("1.37.0", failed, *other), untried("1.38", "no"), directory=tmp_path
    )
    root = Xml.fromstring(junit.render(made))  # noqa: S314 - just written
    counts = [[suite.get(each) for each in ("tests", "failures", "errors", "skipped")] for suite in root]
    assert counts == [["1", "0", "0", "0"], ["3", "1", "1", "1"], ["1", "0", "1", "0"]]


# --- trying -----------------------------------------------------------------------------------------


def test_a_trial_is_read_back_whole(tmp_path: Path) -> None:
    kept = trial("1.37.0", HELD, samples=8)
    kept.write(tmp_path)
    again = Trial.read(tmp_path)
    assert again == kept
    assert again.results == kept.results
    (tmp_path / "trial.json").write_text("{")
    assert Trial.read(tmp_path) is None


def test_repetitions_add_samples_and_a_counterexample_decides() -> None:
    first = results("1.37.0", [scenario("heals", recovery=[2.0]), scenario("grows")])
    more = results("1.37.0", [scenario("heals", recovery=[2.1, 2.2]), scenario("grows", Outcome.NOT_RUN)])
    merged = trials._merged(first, more)
    heals, grows = merged["claims"]
    assert heals["verdict"] == grows["verdict"] == "TRUE"
    assert heals["scenarios"][0]["measurements"][0]["samples"] == [2.0, 2.1, 2.2]
    failed = results(
        "1.37.0", [scenario("heals", Outcome.FALSE, reason="no"), scenario("grows", Outcome.NOT_RUN)]
    )
    assert trials._merged(first, failed)["claims"][0]["verdict"] == "FALSE"


def test_selections_do_not_hold_for_repetitions() -> None:
    assert trials._without_selection(
        ["-m", "not slow", "-kx", "--allow-node-disk", "features/pods.feature"]
    ) == ["--allow-node-disk"]


def test_resuming_keeps_what_was_tried_in_the_same_way(tmp_path: Path) -> None:
    said: list[str] = []
    kept = trial("1.37.0", HELD)
    where = tmp_path / "targets" / kept.target.directory
    where.mkdir(parents=True)
    kept.write(where)

    def known(suite: Suite, options: Options) -> dict[str, Trial]:
        return run._known([kept.target], options, suite, tmp_path, said.append)

    assert known(kept.suite, kept.options) == {"1.37.0": kept}
    assert known(kept.suite, Options(samples=2)) == {}
    assert known(Suite("b", "other"), kept.options) == {}
    assert "with another build of the suite" in said[-1]


def test_what_cannot_be_tried_is_told_and_the_next_one_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoMaking:
        def __init__(self, *_: object) -> None: ...

        def finish(self, _: object) -> float:
            return 0.0

        def start_beside(self) -> None: ...

        def stop(self) -> None: ...

    def pretend(target: targets.Target, *_: object, **__: object) -> Trial:
        if target.version == "1.36.0":
            raise ComponentError("pytest ended with status 3")
        return trial(target.version, HELD)

    monkeypatch.setattr(run, "Making", NoMaking)
    monkeypatch.setattr(trials, "run", pretend)
    monkeypatch.setattr(run, "ALLURE", tmp_path / "none")
    said: list[str] = []
    made = run.run(targets.parse(["1.35.0", "1.36.0", "1.37.0"]), Options(), tmp_path, said.append)
    assert [each["status"] for each in made["targets"]] == ["tried", "not tried", "tried"]
    assert made["outcome"]["status"] == 2
    assert {"index.html", "junit.xml", "matrix.json", "matrix.md"} <= {
        each.name for each in tmp_path.iterdir()
    }


def test_the_suite_is_told_from_one_that_decides_differently(tmp_path: Path) -> None:
    (tmp_path / "features").mkdir()
    feature = tmp_path / "features/pods.feature"
    feature.write_text("Feature: Pods")
    before = Suite.at(tmp_path).fingerprint
    (tmp_path / "README.md").write_text("words")
    assert Suite.at(tmp_path).fingerprint == before
    feature.write_text("Feature: Other")
    assert Suite.at(tmp_path).fingerprint != before
    with pytest.raises(UsageError, match="there are no features/"):
        Suite.at(tmp_path / "features")
