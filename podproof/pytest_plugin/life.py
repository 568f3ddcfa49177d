"""The life of scenarios, in each process that runs them: pytest's and pytest-bdd's hooks feed a `Trial`."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from pytest_bdd.parser import Step

from podproof.errors import NotApplicable
from podproof.kube import findings
from podproof.kube.findings import Finding
from podproof.pytest_plugin.cluster_use import ends_with_run, kubectl
from podproof.pytest_plugin.collector import ScenarioItem
from podproof.pytest_plugin.failure_text import as_longrepr, failure_text, traceback_text
from podproof.pytest_plugin.options import repeat_command
from podproof.pytest_plugin.trial import Trial, is_defect
from podproof.reporting.runs import RunReports, shortest
from podproof.verdicts.measurements import Measurements
from podproof.verdicts.scenarios import Outcome

if TYPE_CHECKING:
    from podproof.cluster.base import Cluster
    from podproof.reporting.evidence import Sources
    from podproof.reporting.timeline_picture import StepSpan

TRIAL = pytest.StashKey[Trial]()
OWN_CLUSTER = pytest.StashKey[bool]()
"""Whether a scenario's cluster is for it alone."""
_OWN_ENDED = "kept:     nothing: the scenario had a cluster of its own, which ended with it"
_FOUND = pytest.StashKey[dict[str, Any]]()
_SEEN_OF_APIS = pytest.StashKey[dict[Any, tuple[int, int]]]()
"""Of each API client, how many retries and warnings scenarios have been told of."""
_EVIDENT = frozenset({"api", "namespace", "recording", "traffic"})
"""The suite's fixtures that evidence is gathered from."""
_KEPT = _EVIDENT | {"cluster"}
"""Those that are remembered."""


class Life:
    """Follows each scenario and adds what came out to its reports.

    Args:
        reports: Where evidence goes.
        bridge: The Allure bridge, or None if no Allure results are written.
    """

    def __init__(self, config: pytest.Config, reports: RunReports, bridge: Any) -> None:
        self._config = config
        self._reports = reports
        self._bridge = bridge

    # pytest's phases

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, bool | None, bool | None]:
        """Begin a scenario, and end it whatever happens."""
        if not isinstance(item, ScenarioItem):
            return (yield)
        trial = item.stash[TRIAL] = Trial(item.plan, item.repetition)
        if self._bridge:
            self._bridge.begin(trial.plan, trial.repetition)
        try:
            return (yield)
        finally:
            if self._bridge:
                self._bridge.end()

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        """Skip what a fixture has found to be not applicable."""
        with _skipping():
            return (yield)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Skip what a step, or a fixture of it, has found to be not applicable."""
        with _skipping():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Conclude a phase. Before cleaning up starts, gather the evidence."""
        report = yield
        trial = item.stash.get(TRIAL, None)
        if trial is None:
            return report
        trial.phase_ends(call.when, call.excinfo)
        _look_at_api(item, trial)
        if self._bridge:
            self._bridge.close_steps()
        if call.when == "call":
            _ask_recording(item, trial)
        notes: list[str] = []
        # What failed while cleaning up is looked at too, unless the evidence is there already.
        if call.when == "call" or (call.excinfo and not trial.evidence):
            ended = call.when == "teardown" and item.stash.get(OWN_CLUSTER, False)
            notes = [_OWN_ENDED] if ended else self._gather(item, trial)
        if report.failed and call.excinfo is not None:
            self._reword(item, trial, call.excinfo, report, notes)
        report.podproof = {  # type: ignore[attr-defined]  # a report carries extra attributes between processes
            "outcome": str(trial.outcome or ""),
            "result": trial.result().to_json(),
        }
        if self._bridge:
            self._bridge.update(trial.result(), report.longreprtext if report.failed else "")
        if call.when == "teardown" and _FOUND in item.stash:
            del item.stash[_FOUND]  # a recording is large, and pytest keeps its items to the end
        return report

    def _reword(
        self,
        item: pytest.Item,
        trial: Trial,
        excinfo: pytest.ExceptionInfo[BaseException],
        report: pytest.TestReport,
        notes: Sequence[str],
    ) -> None:
        error = excinfo.value
        full = bool(item.config.getoption("fulltrace"))
        if full or is_defect(error):
            notes = [traceback_text(excinfo, full=full), *notes]
        phase = report.when
        text = failure_text(trial, phase, error, notes, repeat_command(item.config, trial.plan.nodeid))
        report.longrepr = as_longrepr(text, trial, phase, error)

    def _gather(self, item: pytest.Item, trial: Trial) -> list[str]:
        from podproof.reporting.evidence import FAILED, gather

        sources = _sources(item)
        repeat = repeat_command(item.config, trial.plan.nodeid)
        spans = _step_spans(trial, sources.recording)
        evidence = gather(trial.result(), sources, repeat, spans, trial.findings())
        if self._bridge:
            self._bridge.attach(evidence)
        if trial.outcome not in FAILED:
            return []
        trial.evidence = self._reports.evidence_name(item.nodeid)
        directory = self._reports.directory / trial.evidence
        evidence.save(directory)
        notes = []
        # What falsified a claim names its own last events; anything else has to be told by the timeline.
        if evidence.last_changes and "last events:" not in trial.reason:
            notes.append("last events:\n" + "\n".join(f"  {line}" for line in evidence.last_changes))
        notes.append(f"evidence: {shortest(directory)}")
        if item.stash.get(OWN_CLUSTER, False):
            if item.config.getoption("keep_on_failure"):
                notes.append(_OWN_ENDED)
        elif keeps_namespace(item) and (kept := getattr(_sources(item).namespace, "name", None)):
            beyond = getattr(_sources(item).namespace, "beyond", None)
            kinds = {kind.plural for kind, _ in beyond.made} if beyond else set()
            notes.append(_how_to_look(item.stash[_FOUND]["cluster"], kept, sorted(kinds)))
        return notes

    # fixtures

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Remember the objects that evidence is gathered from, whoever asked for them."""
        value = yield
        if fixturedef.argname in _KEPT:
            request.node.stash.setdefault(_FOUND, {})[fixturedef.argname] = value
        return value

    # pytest-bdd's steps

    @pytest.hookimpl(tryfirst=True)
    def pytest_bdd_before_step(self, request: pytest.FixtureRequest, step: Step) -> None:
        """A step's turn has come."""
        if (trial := _trial(request)) is not None:
            findings.take()  # what was found while another scenario was cleaned up is not this one's
            trial.step_begins(step.type)
            if self._bridge:
                self._bridge.step_begins(step.keyword, step.name)

    @pytest.hookimpl(trylast=True)
    def pytest_bdd_before_step_call(self, request: pytest.FixtureRequest) -> None:
        """The step's own code runs next."""
        if (trial := _trial(request)) is not None:
            trial.step_is_called()
            findings.take()  # what the step's fixtures have found is not its own

    @pytest.hookimpl(tryfirst=True)
    def pytest_bdd_after_step(self, request: pytest.FixtureRequest) -> None:
        """The step did what it says."""
        if (trial := _trial(request)) is not None:
            trial.step_ends()
            trial.step_found(findings.take())
            if self._bridge:
                self._bridge.step_ends(None)

    @pytest.hookimpl(tryfirst=True)
    def pytest_bdd_step_error(self, request: pytest.FixtureRequest, exception: BaseException) -> None:
        """The step failed; what that means is decided when the phase ends."""
        if (trial := _trial(request)) is not None:
            trial.step_found((*findings.take(), *_denied(exception)))
            if self._bridge:
                self._bridge.step_ends(exception)


@contextmanager
def _skipping() -> Iterator[None]:
    """Say in pytest's words that the cluster lacks a capability, at the place of the scenario."""
    try:
        yield
    except NotApplicable as lacking:
        said = f"{Outcome.NOT_APPLICABLE}: {lacking}"
        raise pytest.skip.Exception(said, _use_item_location=True) from lacking


def keeps_namespace(item: pytest.Item) -> bool:
    """Whether the namespace of this scenario is to be kept: asked for, and the scenario failed."""
    trial = item.stash.get(TRIAL, None)
    failed = trial is not None and trial.outcome in (Outcome.FALSE, Outcome.NOT_PROVEN)
    return failed and bool(item.config.getoption("keep_on_failure"))


def measurements_of(item: pytest.Item) -> Measurements:
    """Where the steps of a scenario put what they measure."""
    trial = item.stash.get(TRIAL, None)
    return trial.measurements if trial is not None else Measurements()


def _sources(item: pytest.Item) -> Sources:
    from podproof.reporting.evidence import Sources

    found = item.stash.get(_FOUND, {})
    return Sources(**{name: found[name] for name in _EVIDENT & found.keys()})


def _step_spans(trial: Trial, recording: Any) -> list[StepSpan]:
    """The scenario's steps with their times in the recording; none if there is no recording."""
    from podproof.reporting.timeline_picture import StepSpan

    started = getattr(recording, "started", None)
    if started is None:
        return []
    return [
        StepSpan(kind.capitalize(), planned.text, began - started.at, ended - started.at)
        for planned, (kind, began, ended) in zip(trial.plan.steps, trial.step_times(), strict=False)
    ]


def _how_to_look(cluster: Cluster, namespace: str, beyond: Sequence[str]) -> str:
    """What to do with a namespace that was kept, and with what belongs to it of kinds that are in none."""
    if ends_with_run(cluster):
        return (
            f"kept:     namespace {namespace}, but only until this run ends: it started the cluster itself.\n"
            "          To look at it afterwards, start one first: podproof up"
        )
    from podproof.kube.cluster_objects import NAMESPACE_LABEL

    command = kubectl(cluster)
    lines = [
        f"kept:     namespace {namespace}",
        f"  look:   {command} get all,events --namespace {namespace}",
        f"  remove: {command} delete namespace {namespace}",
    ]
    if beyond:
        lines.append(f"          {command} delete {','.join(beyond)} -l {NAMESPACE_LABEL}={namespace}")
    return "\n".join(lines)


def _look_at_api(item: pytest.Item, trial: Trial) -> None:
    """Add what the API client has counted and been warned of since the last look."""
    api = item.stash.get(_FOUND, {}).get("api")
    if api is None:
        return
    seen = item.session.stash.setdefault(_SEEN_OF_APIS, {})
    retries, warned = seen.get(api, (0, 0))
    now, warnings = int(getattr(api, "retries", 0)), list(getattr(api, "warnings", ()))
    trial.details["api_retries"] = trial.details.get("api_retries", 0) + now - retries
    trial.api_warnings += warnings[warned:]
    seen[api] = (now, len(warnings))


def _ask_recording(item: pytest.Item, trial: Trial) -> None:
    """Keep how late the recording was and what it was asked to watch, as long as it is there."""
    recording = _sources(item).recording
    ask = getattr(recording, "event_lateness", None)
    if ask is not None:
        trial.lateness = [round(seconds * 1000) for seconds in ask()]
    trial.watched = list(getattr(recording, "watched", ()))
    from podproof.cluster import capabilities

    trial.capabilities = dict(capabilities.answers)


def _denied(error: BaseException) -> Iterator[Finding]:
    """What was demanded and did not hold, if that is what an error says."""
    from podproof.kube.conditions import Falsified

    if isinstance(error, Falsified):
        yield Finding(error.expected, error.observed)
    elif isinstance(error.__cause__, Falsified):  # preparing the trial failed
        yield Finding(error.__cause__.expected, error.__cause__.observed, prepared=True)


def _trial(request: pytest.FixtureRequest) -> Trial | None:
    node = request.node
    return node.stash.get(TRIAL, None) if isinstance(node, pytest.Item) else None
