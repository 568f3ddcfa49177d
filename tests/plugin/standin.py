"""A stand-in for the cluster and a few trivial steps: here the plugin is tested, not Kubernetes.

`tests/plugin/conftest.py` writes this file as the conftest of each suite that the tests run.
"""

from __future__ import annotations

import importlib
import os
import re
import signal
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_bdd import given, parsers, then, when

import podproof.cluster
from podproof.errors import CleanupError, ClusterError, NotApplicable, TrialError
from podproof.kube.conditions import demand
from podproof.verdicts.measurements import Measurements
from podproof.verdicts.results import ClusterFacts, NodeFact, SettingFact


@dataclass(frozen=True)
class ClusterRequest:
    """As the real one."""

    context: str | None = None
    kubeconfig: Path | None = None
    name: str = "default"
    kubernetes_version: str | None = None
    nodes: int | None = None
    components: str | None = None
    flags: tuple[str, ...] = ()
    victims: tuple[str, ...] = ()


@dataclass(frozen=True)
class StandIn:
    """A cluster that is nothing but its name."""

    name: str
    provider: str = "embedded"
    kubeconfig: Path = Path("/nowhere/kubeconfig")
    context: str = "podproof"
    victims: tuple[str, ...] = ()
    owner: int | None = None


def note(text: str) -> None:
    """Write down what the plugin asked for, for the test to read."""
    with Path("calls.txt").open("a", encoding="utf-8") as file:
        file.write(f"{text}\n")


def acquire(request: ClusterRequest, *, owner_pid: int, progress: Callable[[str], None]) -> StandIn:
    """Pretend to start."""
    note(f"acquire {request.name} {request.context} {owner_pid == os.getpid()}")
    if os.environ.get("NO_CLUSTER"):
        raise ClusterError("the cluster is not there: start it")
    progress("starting the stand-in")
    owner = os.getpid() if os.environ.get("OWN_CLUSTER") else None
    return _stand_in(request, owner)


def attach(request: ClusterRequest) -> StandIn:
    """Pretend to find it."""
    note(f"attach {request.name} {request.context}")
    return _stand_in(request)


def _stand_in(request: ClusterRequest, owner: int | None = None) -> StandIn:
    if request.context:
        return StandIn(request.context, "existing", context=request.context)
    return StandIn(request.name, owner=owner)


def release(cluster: StandIn, *, owner_pid: int) -> None:
    """Pretend to stop."""
    note(f"release {cluster.name} {owner_pid == os.getpid()}")


def facts(cluster: StandIn) -> ClusterFacts:
    """What a real cluster would say of itself."""
    return ClusterFacts(
        name=cluster.name,
        provider=cluster.provider,
        version="v1.37.1",
        context=cluster.context,
        nodes=(NodeFact("node-1", "v1.37.1", victim=False), NodeFact("node-2", "v1.37.1", victim=True)),
        settings={"node-monitor-grace-period": SettingFact("50s", "the default of 1.37", assumed=True)},
    )


selection: Any = types.ModuleType("podproof.cluster.selection")
selection.ClusterRequest, selection.acquire = ClusterRequest, acquire
selection.attach, selection.release = attach, release
_real: dict[str, Any] = {}


def pytest_configure() -> None:
    """Put the stand-in where the plugin looks."""
    _real["module"] = sys.modules.get(selection.__name__)
    _real["attribute"] = getattr(podproof.cluster, "selection", None)
    # By name: the tests' own process may have forgotten the module since an earlier suite.
    _real["reporting"] = importlib.import_module("podproof.reporting.cluster_facts")
    _real["facts"] = _real["reporting"].cluster_facts
    sys.modules[selection.__name__] = selection
    podproof.cluster.selection = selection  # type: ignore[attr-defined,unused-ignore]
    _real["reporting"].cluster_facts = facts


def pytest_unconfigure() -> None:
    """Put the real one back: some of these suites run in the process of the tests."""
    if not _real:
        return  # the command line was refused before this file was configured
    _real["reporting"].cluster_facts = _real["facts"]
    if _real["attribute"] is None:
        del podproof.cluster.selection  # type: ignore[attr-defined,unused-ignore]
    else:
        podproof.cluster.selection = _real["attribute"]  # type: ignore[attr-defined,unused-ignore]
    if _real["module"] is None:
        del sys.modules[selection.__name__]
    else:
        sys.modules[selection.__name__] = _real["module"]


@dataclass
class Namespace:
    """What evidence asks of a namespace."""

    name: str
    applied: tuple[object, ...] = ()


class Recording:
    """What evidence asks of a recording."""

    def timeline(self) -> list[dict[str, Any]]:
        """One change."""
        return [
            {"seconds": 0.25, "kind": "Pod", "name": "web", "type": "ADDED", "summary": "Pending"},
            {"seconds": 1.5, "kind": "Pod", "name": "web", "type": "MODIFIED", "summary": "Running"},
        ]

    def event_lateness(self) -> list[float]:
        """Two events, in seconds."""
        return [0.004, 0.0255]


@pytest.fixture
def namespace(cluster: StandIn, keep_namespace: Callable[[], bool]) -> Iterator[Namespace]:
    """A namespace that notes when it would be deleted."""
    yield Namespace(f"podproof-{cluster.name}-1")
    if os.environ.get("INTERRUPT_CLEANING_UP"):
        os.kill(os.getpid(), signal.SIGINT)
    note("kept" if keep_namespace() else "deleted")


@pytest.fixture
def recording(namespace: Namespace) -> Recording:
    """A recording of nothing."""
    del namespace
    return Recording()


@pytest.fixture
def untidy() -> Iterator[None]:
    """Cannot be cleaned up."""
    yield
    raise CleanupError("namespace is stuck")


@pytest.fixture
def unavailable() -> None:
    """Cannot be set up."""
    raise TrialError("the fault did not take")


@pytest.fixture(scope="session")
def two_nodes() -> None:
    """Not there, which is found out once."""
    raise NotApplicable("two Nodes")


@pytest.fixture
def asserting() -> None:
    """Says no, but it is no step."""
    demand(False, expected="a Pod to look at", observed="none")


@given("a Pod")
def _(recording: Recording) -> None:
    del recording


@given(parsers.parse("a worker for {what}"))
def _(what: str) -> None:
    note(f"{os.environ['PYTEST_XDIST_WORKER']} {what}")


@given("a power switch")
def _() -> None:
    raise NotApplicable("a power switch")


@given("two Nodes")
def _(two_nodes: None) -> None:
    del two_nodes


@given("a skip")
def _() -> None:
    pytest.skip("not today")


@given("something untidy")
def _(untidy: None) -> None:
    del untidy


@given("a false assumption")
def _() -> None:
    demand(False, expected="this", observed="that")


@when("nothing happens")
def _() -> None:
    pass


@when("the trial fails")
def _() -> None:
    raise TrialError("the fault did not take")


@when("a fault is unavailable")
def _(unavailable: None) -> None:
    del unavailable


@when("Ctrl-C is pressed")
def _() -> None:
    _signal_all(signal.SIGINT)


@when("the job is cancelled")
def _() -> None:
    _signal_all(signal.SIGTERM)


def _signal_all(number: signal.Signals) -> None:
    # As a terminal does it: every process in the foreground gets the signal.
    if os.environ.get("PYTEST_XDIST_WORKER"):
        os.kill(os.getppid(), number)
    os.kill(os.getpid(), number)
    signal.pause()


@when("the process dies")
def _() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@when("it recovers in 1 s, 2 s and so on")
def _(request: pytest.FixtureRequest, measurements: Measurements) -> None:
    measurements.add("recovery", _turn(request), 4, "a default")


@then(parsers.parse("repetition {number:d} is different"))
def _(request: pytest.FixtureRequest, number: int) -> None:
    demand(_turn(request) != number, expected="what always is", observed="something else")


@then(parsers.parse("repetition {number:d} cannot tell"))
def _(request: pytest.FixtureRequest, number: int) -> None:
    if _turn(request) == number:
        raise TrialError("the watch broke")


def _turn(request: pytest.FixtureRequest) -> int:
    """Which repetition it is."""
    found = re.search(r"repetition (\d+) of", request.node.name)
    return int(found[1]) if found else 1


@when(parsers.parse("it recovers in {seconds:g} s"))
def _(measurements: Measurements, seconds: float) -> None:
    measurements.add("recovery", seconds, 30, "a default")


@then(parsers.parse("{left:d} is {right:d}"))
def _(left: int, right: int) -> None:
    demand(left == right, expected=str(right), observed=str(left))


@then("something is asserted")
def _() -> None:
    raise AssertionError("a step's own assumption")


@then("there is a defect")
def _() -> None:
    raise KeyError("surprise")


@then("something unknown is looked at")
def _(unknown: None) -> None:
    del unknown


@then("something is looked at that is not there")
def _(asserting: None) -> None:
    del asserting
