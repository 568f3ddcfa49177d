"""From podproof's scenarios to Allure's results: names, steps, descriptions and statuses for a reader.

allure-pytest writes the result files and knows set-up and teardown; what it cannot know about a scenario is
put into each result here, just before it is written. This module knows nothing of pytest.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import allure_commons
from allure_commons.model2 import (
    ExecutableItem,
    Label,
    Parameter,
    Status,
    StatusDetails,
    TestResult,
    TestResultContainer,
)
from allure_commons.model2 import TestStepResult as Step

import podproof
from podproof.reporting.evidence import Evidence
from podproof.reporting.spread_table import spread_lines
from podproof.reporting.verdict_table import as_text
from podproof.verdicts.claims import ClaimVerdict
from podproof.verdicts.results import ClusterFacts, lateness
from podproof.verdicts.scenarios import Kind, Outcome, ScenarioPlan, ScenarioResult, StepStatus

_STATUS = {
    Outcome.TRUE: Status.PASSED,
    Outcome.FALSE: Status.FAILED,
    Outcome.NOT_PROVEN: Status.BROKEN,
    Outcome.NOT_APPLICABLE: Status.SKIPPED,
    Outcome.NOT_RUN: Status.BROKEN,  # it had begun, or there would be no result: the run was interrupted
}
_STEP_STATUS = {
    StepStatus.PASSED: Status.PASSED,
    StepStatus.FAILED: Status.FAILED,
    StepStatus.BROKEN: Status.BROKEN,
    StepStatus.SKIPPED: Status.SKIPPED,
    StepStatus.NOT_RUN: Status.SKIPPED,
}
CATEGORIES = [
    {"name": "FALSE: the cluster did something else", "matchedStatuses": [Status.FAILED]},
    {"name": "NOT PROVEN: the trial itself failed", "matchedStatuses": [Status.BROKEN]},
    {"name": "NOT APPLICABLE: the cluster lacks a capability", "matchedStatuses": [Status.SKIPPED]},
]
"""How reports group what is not TRUE, in the form that Allure 2 and 3 both read."""
_WORTH_SHOWING = 5
"""Milliseconds from which on something that went well is shown: it talked to the cluster."""
_WRITTEN_BY_ALLURE = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-((result|container|globals)\.json|attachment(\.\w+)?)"
)
"""What allure-pytest calls the files of a run."""
_REPORT_WIDTH = 160
"""Characters of a line in a text that is attached."""
_KEPT_LABELS = frozenset({"host", "thread", "framework", "language"})


class AllureBridge:
    """Accompanies each scenario; one for each process that runs scenarios."""

    def __init__(self) -> None:
        self._result: ScenarioResult | None = None
        self._repetition = ""
        self._trace = ""
        self._steps: list[str] = []
        allure_commons.plugin_manager.register(self)

    def unregister(self) -> None:
        """Leave Allure's hooks."""
        allure_commons.plugin_manager.unregister(self)

    def begin(self, plan: ScenarioPlan, repetition: str) -> None:
        """A scenario begins; `repetition` says which one it is, if there are several."""
        self._repetition = repetition
        self._result = ScenarioResult(plan, Outcome.NOT_RUN, "the run was interrupted")
        self._trace = ""

    def update(self, result: ScenarioResult, trace: str) -> None:
        """A phase of the scenario has ended; `trace` is what its failure says, if it failed."""
        self._result = result
        self._trace = "\n\n".join(part for part in (self._trace, trace) if part)

    def end(self) -> None:
        """The scenario is over and its result is written."""
        self._result = None

    def step_begins(self, keyword: str, text: str) -> None:
        """A step begins."""
        self._steps.append(uuid.uuid4().hex)
        allure_commons.plugin_manager.hook.start_step(
            uuid=self._steps[-1], title=f"{keyword} {text}", params={}
        )

    def step_ends(self, error: BaseException | None) -> None:
        """A step ends, by an error or well."""
        allure_commons.plugin_manager.hook.stop_step(
            uuid=self._steps.pop(), exc_type=type(error) if error else None, exc_val=error, exc_tb=None
        )

    def close_steps(self) -> None:
        """End the steps that nothing ended: a skip is no error to pytest-bdd."""
        while self._steps:
            self.step_ends(None)

    def attach(self, evidence: Evidence) -> None:
        """Attach all pieces of evidence to the scenario."""
        for piece in evidence.pieces:
            allure_commons.plugin_manager.hook.attach_data(
                body=piece.text,
                name=piece.title,
                attachment_type=piece.media_type,
                extension=piece.filename.rpartition(".")[2],
            )

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: TestResult) -> None:
        """Allure is about to write a result: make it say what a reader wants to know."""
        if self._result is not None:
            describe(result, self._result, self._repetition, self._trace)

    @allure_commons.hookimpl(tryfirst=True)
    def report_container(self, container: TestResultContainer) -> None:
        """Allure is about to write set-up and teardown: leave out the machinery of pytest-bdd."""
        container.befores = [each for each in container.befores if _tells_something(each)]
        container.afters = [each for each in container.afters if _tells_something(each)]
        for each in container.afters:
            each.name = each.name.partition("::")[0]


class AllureResults:
    """The directory of results as a whole; only the controller of a run has one."""

    def __init__(self, directory: Path, *, clean: bool) -> None:
        self._directory = directory
        self._clean = clean
        self._begun = False
        self._of_others: frozenset[Path] = frozenset()

    def begin(self) -> None:
        """Scenarios are about to run: remove what an earlier run has left.

        Nothing is removed from a directory that the user has named, nor anything that Allure has not written.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        if self._clean:
            for old in self._directory.iterdir():
                if _WRITTEN_BY_ALLURE.fullmatch(old.name) and old.is_file():
                    old.unlink(missing_ok=True)
        self._of_others = frozenset(self._directory.iterdir())
        self._begun = True
        write_json(self._directory / "categories.json", CATEGORIES)

    def finish(self, cluster: ClusterFacts, claims: Sequence[ClaimVerdict]) -> None:
        """Say on which cluster it was and what came out, and tidy up."""
        if not self._begun:
            return  # nothing has run: what is there is an earlier run's
        victims = sum(node.victim for node in cluster.nodes)
        counts = Counter(str(claim.verdict) for claim in claims)
        facts = {
            "Kubernetes": cluster.version or "none",
            "Cluster": f"{cluster.name} ({cluster.provider})" if cluster.name else "none",
            "Nodes": f"{len(cluster.nodes)}, {victims} of them for Node faults",
            "Claims": ", ".join(f"{count} {verdict}" for verdict, count in counts.items()),
            "Recording": str(lateness(claims)),
            "podproof": podproof.__version__,
        }
        _attach_to_run("Verdicts", as_text(claims))
        if spreads := spread_lines(claims, _REPORT_WIDTH):
            _attach_to_run("Measurements in seconds", "\n".join(spreads) + "\n")
        text = "".join(f"{name} = {value}\n" for name, value in facts.items())
        (self._directory / "environment.properties").write_text(text, encoding="utf-8")
        for container in {*self._directory.glob("*-container.json")} - self._of_others:
            with suppress(OSError):  # another run in the same directory may tidy up too
                data = json.loads(container.read_text(encoding="utf-8"))
                if not data.get("befores") and not data.get("afters"):
                    container.unlink()  # each step definition of pytest-bdd leaves one


def describe(test: TestResult, result: ScenarioResult, repetition: str, trace: str) -> None:
    """Put what is known about a scenario, or one repetition of it, into Allure's result."""
    plan = result.plan
    name = f"Limit: {plan.title}" if plan.kind is Kind.LIMIT else plan.title
    test.name = f"{name} ({repetition})" if repetition else name
    test.fullName = plan.nodeid
    test.testCaseId = _identity(plan.nodeid)
    # Results of one history in one run are retries to Allure, and only the last of them counts.
    test.historyId = _identity(plan.nodeid + repetition)
    test.titlePath = [plan.feature, plan.sentence]
    test.description = description(plan)
    test.descriptionHtml = None
    test.status = _STATUS[result.outcome]
    test.statusDetails = _details(result, trace)
    test.parameters = [Parameter(name="verdict", value=str(result.outcome), excluded=True)]
    test.parameters += [Parameter(name=name, value=value) for name, value in plan.example.items()]
    test.labels = [label for label in test.labels if label.name in _KEPT_LABELS]
    test.labels += [Label(name=name, value=value) for name, value in _labels(plan)]
    _complete_steps(test, result)


def description(plan: ScenarioPlan) -> str:
    """The claim, why it matters, and the scenario's own words, as Markdown."""
    role = "Shows where the claim ends" if plan.kind is Kind.LIMIT else "Supports the claim"
    parts = [
        f"{role}: **{plan.sentence}**",
        plan.why_it_matters,
        plan.about,
        f"`{plan.file}:{plan.line}`",
    ]
    return "\n\n".join(part for part in parts if part)


def write_json(path: Path, data: Any) -> None:
    """Write data as JSON for people to read."""
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _identity(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _attach_to_run(name: str, text: str) -> None:
    allure_commons.plugin_manager.hook.global_attach_data(
        body=text, name=name, attachment_type="text/plain", extension="txt"
    )


def _labels(plan: ScenarioPlan) -> Iterable[tuple[str, str]]:
    yield "feature", plan.feature
    yield "story", plan.sentence
    yield "tag", plan.claim
    if plan.kind is Kind.LIMIT:
        yield "tag", "limit"


def _details(result: ScenarioResult, trace: str) -> StatusDetails | None:
    if result.outcome is Outcome.TRUE:
        return None
    return StatusDetails(message=f"{result.outcome}: {result.summary}", trace=trace or None)


def _complete_steps(test: TestResult, result: ScenarioResult) -> None:
    """Give each step its status, and add those that the scenario did not come to."""
    shown = iter(test.steps)
    for planned in result.steps or ():
        title = f"{planned.keyword} {planned.text}"
        step = next((each for each in shown if each.name == title), None)
        if step is None:
            step = Step(name=title, start=test.stop, stop=test.stop)
            test.steps.append(step)
        step.status = _STEP_STATUS[planned.status]
        step.statusDetails = None  # the result itself says it, once


def _tells_something(fixture: ExecutableItem) -> bool:
    """Whether a reader of set-up or teardown wants to see this.

    Most fixtures are values that are there at once, and of each fixture's finalizers only what comes after
    its `yield` has a status.
    """
    if fixture.status is None:
        return False
    took = (fixture.stop or 0) - (fixture.start or 0)
    return fixture.status != Status.PASSED or took >= _WORTH_SHOWING
