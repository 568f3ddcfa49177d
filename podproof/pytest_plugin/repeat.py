"""`--repeat N`: each scenario that was selected becomes N items.

That happens after everything that selects, so that `-k`, `-m`, node ids and `--lf` are about scenarios and
know nothing of repetitions.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

import pytest
from _pytest.nodeid import NodeId

from podproof.pytest_plugin.collector import ScenarioItem
from podproof.pytest_plugin.names import scenario_id
from podproof.pytest_plugin.options import repetitions


class Repeat:
    """The hooks that repeat scenarios; has to be registered after pytest's own plugins."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._times = repetitions(config)
        self._ran: dict[str, set[str]] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, object, object]:
        """Repeat what everybody else has left to run.

        All run once before the first runs again: what is slow for a while, the machine or the cluster, then
        touches some repetitions of many scenarios, and not all of one.
        """
        result = yield
        if self._times > 1:
            once = [item for item in items if isinstance(item, ScenarioItem)]
            first = [item.again(1, self._times) if isinstance(item, ScenarioItem) else item for item in items]
            more = [item.again(number, self._times) for number in range(2, self._times + 1) for item in once]
            items[:] = [*first, *more]
        return result

    def pytest_report_collectionfinish(self, items: list[pytest.Item]) -> str | None:
        """Say why there are more items than were collected."""
        if self._times == 1 or not any(isinstance(item, ScenarioItem) for item in items):
            return None
        return f"each scenario runs {self._times} times"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notice which repetitions have run."""
        if (scenario := scenario_id(report.nodeid)) != report.nodeid:
            self._ran.setdefault(scenario, set()).add(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Let `--lf` know scenarios, not repetitions; pytest writes down what failed after this."""
        plugin: Any = self._config.pluginmanager.get_plugin("lfplugin")
        if plugin is not None and self._times > 1:
            wholly = [scenario for scenario, ran in self._ran.items() if len(ran) == self._times]
            _as_scenarios(plugin.lastfailed, wholly)


def _as_scenarios(failed: dict[NodeId, bool], ran: Iterable[str]) -> None:
    """Replace the repetitions among pytest's failures by their scenarios.

    A scenario all of whose repetitions ran is forgotten first: it may have failed in an earlier run.
    """
    for scenario in ran:
        failed.pop(NodeId.parse(scenario), None)
    for known in [*failed]:
        scenario = scenario_id(str(known))
        if scenario != str(known):
            del failed[known]
            failed[NodeId.parse(scenario)] = True
