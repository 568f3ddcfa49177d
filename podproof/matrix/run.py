"""Trying all targets, one after the other, while the components of the next are made ready.

Whatever ends it, what was tried is kept: `--resume` goes on with what is missing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from podproof.cluster.embedded.progress import Report
from podproof.errors import PodproofError, UsageError
from podproof.matrix import allure, document, junit, markdown, page, trials
from podproof.matrix.making import Making
from podproof.matrix.suite import Suite
from podproof.matrix.targets import Target
from podproof.matrix.trials import Options, Trial
from podproof.reporting.html import ALLURE

INTERRUPTED = "interrupted: go on with --resume"


def run(
    targets: Sequence[Target],
    options: Options,
    directory: Path,
    report: Report,
    *,
    resume: bool = False,
    baseline: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Try the targets and write the matrix after each; returns it.

    Args:
        targets: In the order in which they are compared.
        options: How each is tried.
        directory: Where everything is kept.
        report: Told how far it is.
        resume: Whether to keep what was tried before, with the same suite and options.
        baseline: A matrix of an earlier day to compare with.

    Raises:
        UsageError: There is no suite here.
        KeyboardInterrupt: Somebody interrupted it; what was tried is written.
    """
    suite = Suite.at(Path.cwd())
    directory.mkdir(parents=True, exist_ok=True)
    known = _known(targets, options, suite, directory, report) if resume else {}
    began = datetime.now(UTC)
    makings = {
        each.name: Making(each, directory / f"build-{each.directory}.log")
        for each in targets
        if each.kind == "version" and not each.why_not and each.name not in known
    }

    def written(done: Sequence[Trial], ended_early: str = "") -> dict[str, Any]:
        started = min((datetime.fromisoformat(each.started) for each in done if each.started), default=began)
        made = document.build(
            done,
            directory,
            command=["podproof", *sys.argv[1:]],
            started=started,
            ended=datetime.now(UTC),
            ended_early=ended_early,
            baseline=baseline,
        )
        _write(made, directory)
        return made

    done: list[Trial] = []
    try:
        for number, target in enumerate(targets):
            following = next((each for each in targets[number + 1 :] if each.name in makings), None)
            trial = known.get(target.name) or _try(
                target, options, suite, directory, report,
                making=makings.get(target.name), meanwhile=makings.get(following.name) if following else None,
            )  # fmt: skip
            done.append(trial)
            made = written(done, "" if number == len(targets) - 1 else "under way")
    except KeyboardInterrupt:
        if done:
            written(done, INTERRUPTED)
        raise
    finally:
        for each in makings.values():
            each.stop()
    _render_allure(made, directory, report)
    return made


def _known(
    targets: Sequence[Target], options: Options, suite: Suite, directory: Path, report: Report
) -> dict[str, Trial]:
    """What was tried before in the same way; of anything else, says why it is tried again."""
    known = {}
    for target in targets:
        trial = Trial.read(directory / "targets" / target.directory)
        if trial is None:
            continue
        if trial.suite.fingerprint != suite.fingerprint:
            report(f"{target.name}: was tried with another build of the suite, so it is tried again")
        elif (trial.target, trial.options) != (target, options):
            report(f"{target.name}: was tried with other options, so it is tried again")
        else:
            report(f"{target.name}: tried before, on {trial.started[:16]}")
            known[target.name] = trial
    return known


def _try(
    target: Target,
    options: Options,
    suite: Suite,
    directory: Path,
    report: Report,
    *,
    making: Making | None,
    meanwhile: Making | None,
) -> Trial:
    """Try one target; what keeps it from being tried is told, and kept."""
    where = directory / "targets" / target.directory
    try:
        if target.why_not:
            raise UsageError(target.why_not)
        seconds = making.finish(report) if making else 0.0
        if meanwhile:
            meanwhile.start_beside()
        trial = trials.run(target, options, suite, where, report, build_seconds=seconds)
    except PodproofError as error:
        report(f"{target.name}: not tried: {error}")
        return trials.untried(target, options, suite, str(error))
    trial.write(where)
    report(f"{target.name}: tried in {trial.seconds:.0f} s")
    return trial


def _write(made: Mapping[str, Any], directory: Path) -> None:
    document.write(made, directory / "matrix.json")
    texts: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "matrix.md": markdown.render,
        "junit.xml": junit.render,
    }
    for name, render in texts.items():
        (directory / name).write_text(render(made), encoding="utf-8")
    page.write(made, directory)


def _render_allure(made: Mapping[str, Any], directory: Path, report: Report) -> None:
    """One report more; without Allure the others say everything, too."""
    if not ALLURE.exists():
        report("no Allure report: `make report` installs Allure")
        return
    try:
        allure.render(made, directory, ALLURE)
    except PodproofError as error:
        report(f"no Allure report: {error}")
