"""A run as its controller sees it: what was selected, the cluster's time, what came out, what is written."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from podproof.errors import PodproofError
from podproof.pytest_plugin.claims import vocabulary
from podproof.pytest_plugin.cluster_use import RUN_INPUT, WORKER_INPUT, ClusterUse
from podproof.pytest_plugin.collector import ScenarioItem
from podproof.pytest_plugin.names import scenario_id
from podproof.pytest_plugin.options import names_features
from podproof.pytest_plugin.plan import plans_of_files
from podproof.pytest_plugin.recovery_table import write_recoveries
from podproof.pytest_plugin.table import write_measurements, write_verdicts
from podproof.reporting.runs import RunReports, shortest
from podproof.verdicts.claims import ClaimVerdict, judge_all
from podproof.verdicts.repetitions import combine
from podproof.verdicts.results import ClusterFacts, RunFacts, results_document, write_results
from podproof.verdicts.scenarios import Outcome, ScenarioPlan, ScenarioResult

if TYPE_CHECKING:
    from podproof.pytest_plugin.turns import Turns


class Run:
    """The hooks of the process that decides: the only one, or the controller of the workers.

    Args:
        allure: Writes what Allure wants to know of the whole run; None if no Allure results are written.
    """

    def __init__(self, config: pytest.Config, use: ClusterUse, reports: RunReports, allure: Any) -> None:
        self._config = config
        self._use = use
        self._reports = reports
        self._allure = allure
        self._started = datetime.now().astimezone()
        self._selected: dict[str, list[str]] = {}
        self._results: dict[str, ScenarioResult] = {}
        self._cluster = ClusterFacts.none()
        self._ended_early = ""
        self._verdicts: list[ClaimVerdict] = []
        self._trouble: list[str] = []
        self._written = False
        self._wrong_files = False
        self._without_cluster = False

    # Before anything runs

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Without workers: everything is collected, the first scenario is next."""
        config = session.config
        if config.getoption("collectonly") or self._distributed:
            return
        if session.testsfailed and not config.getoption("continue_on_collection_errors"):
            return
        scenarios = [item for item in session.items if isinstance(item, ScenarioItem)]
        if scenarios:
            self._begin([item.nodeid for item in scenarios])
        elif any(_asks_for_cluster(item) for item in session.items):
            self._acquire()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker which cluster and which run it belongs to."""
        node.workerinput[WORKER_INPUT] = self._use.for_worker
        node.workerinput[RUN_INPUT] = self._reports.run

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        """With workers: the first of them has collected, nothing is handed out yet."""
        del node
        session = self._session
        scenarios = [nodeid for nodeid in ids if ".feature::" in nodeid]
        if self._selected or self._config.getoption("collectonly"):
            return
        wrong = self._wrong_files or (scenarios and session.testsfailed)
        if wrong and not self._config.getoption("continue_on_collection_errors"):
            # pytest-xdist would go on and run what could be collected; pytest itself does not.
            errors = f"{session.testsfailed} error{'' if session.testsfailed == 1 else 's'} during collection"
            raise session.Interrupted(errors)
        if scenarios:
            self._begin(scenarios)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Hand scenarios out so that no worker waits for another's turn, unless another way was asked for."""
        if config.getoption("dist") != "load" or not names_features(config):
            return None
        from podproof.pytest_plugin.turns import TurnScheduling

        return TurnScheduling(config, log, self._turns)

    def _turns(self, nodeids: Sequence[str]) -> tuple[Turns, list[int]]:
        """The turns that scenarios take, and the order in which they are handed out: the longest first.

        Last of all comes what asks for a machine with little else to do: by then most workers are done.
        """
        from podproof.pytest_plugin.turns import Turns

        plans = self._plans()
        tags = [plans[known].tags if (known := scenario_id(each)) in plans else () for each in nodeids]
        victims = self._use.acquired.victims if self._use.acquired else ()
        places = {"victim-node": max(1, len(victims)), "control-plane": 1}
        needs = [next((tag for tag in places if tag in each), None) for each in tags]
        longest = ("five-minutes", "slow", "half-a-minute")

        def preference(each: int) -> tuple[bool, ...]:
            return "quiet" in tags[each], *(tag not in tags[each] for tag in longest)

        return Turns(needs, places), sorted(range(len(nodeids)), key=preference)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Notice feature files that cannot be used; with workers, nothing else tells."""
        self._wrong_files |= report.failed and report.nodeid.endswith(".feature")

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Keep the session, which some hooks are not given."""
        self._session = session

    @property
    def _distributed(self) -> bool:
        return self._config.pluginmanager.hasplugin("dsession")

    def _begin(self, selected: Iterable[str]) -> None:
        for nodeid in selected:
            self._selected.setdefault(scenario_id(nodeid), []).append(nodeid)
        self._reports.begin()
        self._acquire()
        # A run that could not even begin takes nothing away.
        self._reports.drop_oldest()
        if self._allure:
            self._allure.begin()

    def _acquire(self) -> None:
        try:
            self._use.acquire(self._say)
            self._cluster = _facts(self._use)
        except PodproofError as error:
            self._ended_early = f"the cluster could not be had: {error}"
            self._say(f"podproof: {error}")
            self._without_cluster = True
            pytest.exit(str(error), returncode=error.exit_status)

    def _say(self, text: str) -> None:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(text)

    # While it runs

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what came out of a scenario, from whichever process it comes."""
        data = getattr(report, "podproof", None)
        if data is not None:
            self._results[report.nodeid] = _so_far(ScenarioResult.from_json(data["result"]), report.when)
        elif report.failed and (plan := self._plans().get(scenario_id(report.nodeid))) is not None:
            # No scenario's own report: the process that ran it is gone.
            self._results[report.nodeid] = ScenarioResult(plan, Outcome.NOT_PROVEN, report.longreprtext)

    @pytest.hookimpl(trylast=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C, or `pytest.exit`."""
        self._ended_early = self._ended_early or f"the run was interrupted: {excinfo.exconly()}"
        status = getattr(excinfo.value, "returncode", None)
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        # What was said in our own words needs no "! _pytest.outcomes.Exit: ... !" after it. With the status
        # of an interruption, pytest insists on its line.
        if self._without_cluster and reporter is not None and status != pytest.ExitCode.INTERRUPTED:
            reporter._keyboardinterrupt_memo = None

    # When it is over

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the results, then give the cluster back. The workers are gone by now."""
        if self._selected and not self._ended_early and (session.shouldstop or session.shouldfail):
            self._ended_early = f"the run ended early: {session.shouldfail or session.shouldstop}"
        try:
            if self._selected:
                self._write(session)
        finally:
            if trouble := self._use.release():
                self._trouble.append(trouble)
                if not session.exitstatus:
                    session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    def pytest_unconfigure(self) -> None:
        """Give the cluster back if the session never came to its end."""
        self._use.release()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the verdicts at the end of pytest's own output."""
        if self._verdicts:
            write_recoveries(terminalreporter, self._verdicts)
            write_verdicts(terminalreporter, self._verdicts, self._ended_early)
            write_measurements(terminalreporter, self._verdicts)
            if self._written:
                terminalreporter.write_line(f"written to {shortest(self._reports.latest / 'verdicts.json')}")
        for trouble in self._trouble:
            terminalreporter.write_line(trouble, red=True)

    def _write(self, session: pytest.Session) -> None:
        self._verdicts = judge_all(self._all_results())
        run = RunFacts(
            command=["pytest", *self._config.invocation_params.args],
            root=self._config.rootpath,
            started=self._started,
            ended=datetime.now().astimezone(),
            ended_early=self._ended_early,
        )
        try:
            write_results(self._reports.verdicts, results_document(run, self._cluster, self._verdicts))
            self._written = True
        except OSError as error:
            self._trouble.append(f"the results could not be written: {error}")
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        if self._allure:
            self._allure.finish(self._cluster, self._verdicts)

    def _all_results(self) -> list[ScenarioResult]:
        """Every scenario of every claim that the run touched, those that were not run included."""
        plans = self._plans()
        touched = {plans[nodeid].claim for nodeid in self._selected if nodeid in plans}
        return [self._result(plan) for plan in plans.values() if plan.claim in touched]

    def _result(self, plan: ScenarioPlan) -> ScenarioResult:
        repetitions = self._selected.get(plan.nodeid)
        if repetitions is None:
            return ScenarioResult(plan, Outcome.NOT_RUN, "not selected")
        missing = ScenarioResult(plan, Outcome.NOT_RUN, self._ended_early or "the run ended before its turn")
        return combine([self._results.get(nodeid, missing) for nodeid in repetitions])

    def _plans(self) -> dict[str, ScenarioPlan]:
        files = dict.fromkeys(nodeid.partition("::")[0] for nodeid in self._selected)
        found = plans_of_files(files, self._config.rootpath, vocabulary(self._config))
        return {plan.nodeid: plan for plan in found}


class TestStatus:
    """Shows NOT PROVEN as pytest's error, whichever phase of the scenario it came from."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Count a call that proved nothing as an error, not as a failure."""
        return ("error", "E", "ERROR") if is_unproven_call(report) else None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None]:
        """Have the JUnit file say the same."""
        yield
        if is_unproven_call(report):
            from podproof.pytest_plugin.junit import failure_to_error

            failure_to_error(self._config, report)

    def __init__(self, config: pytest.Config) -> None:
        self._config = config


def _asks_for_cluster(item: pytest.Item) -> bool:
    """Whether a test uses our fixture; a parameter or another fixture of that name is the test's own."""
    own = item.callspec.params if hasattr(item, "callspec") else ()
    if "cluster" not in getattr(item, "fixturenames", ()) or "cluster" in own:
        return False
    found = item.session._fixturemanager.getfixturedefs("cluster", item) or None
    return found is not None and found[-1].func.__module__.startswith("podproof.pytest_plugin")


def _so_far(result: ScenarioResult, phase: str) -> ScenarioResult:
    """What a scenario's result is worth if no later phase of it is ever heard of."""
    if phase == "call" and result.outcome is Outcome.TRUE:
        return replace(result, outcome=Outcome.NOT_PROVEN, reason="interrupted while cleaning up")
    if phase == "setup" and result.outcome is Outcome.NOT_RUN:
        return replace(result, reason="interrupted while it ran")
    return result


def is_unproven_call(report: pytest.TestReport) -> bool:
    """Whether this is the failed call of a scenario whose trial failed."""
    data = getattr(report, "podproof", None)
    return bool(data and report.when == "call" and report.failed and data["outcome"] == Outcome.NOT_PROVEN)


def _facts(use: ClusterUse) -> ClusterFacts:
    from podproof.reporting.cluster_facts import cluster_facts

    return cluster_facts(use.cluster())
