"""The pytest plugin: `.feature` files are collected, run against a real cluster, and judged.

Where things are: `options` the command line; `document`, `checks`, `collector` from files to items; `trial`,
`life`, `failure_text` one scenario while it runs; `repeat`, `cluster_use`, `run` the whole run; `table`,
`junit` what is shown. Only what every pytest start needs is imported here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from podproof import interruption
from podproof.pytest_plugin.fixtures import cluster, has_own_cluster, keep_namespace, measurements
from podproof.pytest_plugin.names import scenario_id
from podproof.pytest_plugin.options import add_options, check_options, names_features

if TYPE_CHECKING:
    from podproof.pytest_plugin.collector import FeatureFile

__all__ = ["cluster", "has_own_cluster", "keep_namespace", "measurements"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add podproof's options."""
    add_options(parser)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> FeatureFile | None:
    """Collect feature files."""
    if file_path.suffix != ".feature":
        return None
    from podproof.pytest_plugin.collector import FeatureFile

    return FeatureFile.from_parent(parent, path=file_path)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Decide where Allure results go, before allure-pytest looks for it."""
    check_options(config)
    # A repetition that failed is named like an item; it is run again as its scenario.
    config.args[:] = [scenario_id(argument) for argument in config.args]
    wanted = getattr(config.option, "allure_report_dir", "")  # absent if allure-pytest is switched off
    if wanted is None and not config.option.collectonly and names_features(config):
        config.option.allure_report_dir = str(_reports_root(config) / "allure-results")
        config.stash[_OWN_ALLURE] = True


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Set up this process's part: it runs scenarios, it decides on the whole run, or both."""
    from podproof.pytest_plugin.cluster_use import CLUSTER_USE, RUN_INPUT, ClusterUse
    from podproof.pytest_plugin.life import Life
    from podproof.pytest_plugin.repeat import Repeat
    from podproof.reporting.runs import RunReports

    config = session.config
    config.add_cleanup(interruption.on_sigterm())
    use = config.stash[CLUSTER_USE] = ClusterUse.of(config)
    worker_input: dict[str, str] | None = getattr(config, "workerinput", None)
    root = _reports_root(config)
    reports = RunReports.new(root) if worker_input is None else RunReports(root, worker_input[RUN_INPUT])
    bridge = results = None
    allure = getattr(config.option, "allure_report_dir", None)
    if allure and not config.option.collectonly:
        from podproof.reporting.allure_bridge import AllureBridge, AllureResults

        bridge = AllureBridge()
        config.add_cleanup(bridge.unregister)
        directory = Path(allure).absolute()
        results = AllureResults(directory, clean=config.stash.get(_OWN_ALLURE, False))
    config.pluginmanager.register(Life(config, reports, bridge), "podproof-life")
    config.pluginmanager.register(Repeat(config), "podproof-repeat")
    if worker_input is None:
        from podproof.pytest_plugin.run import Run, TestStatus

        config.pluginmanager.register(TestStatus(config), "podproof-status")
        run = Run(config, use, reports, results)
        config.pluginmanager.register(run, "podproof-run")
        # Registered too late to be told by pluggy in this very call.
        run.pytest_sessionstart(session)


_OWN_ALLURE = pytest.StashKey[bool]()


def _reports_root(config: pytest.Config) -> Path:
    """The reports' directory: relative to pytest's root directory, wherever pytest was called."""
    root: Path = config.rootpath / config.getoption("reports_dir")
    return root
