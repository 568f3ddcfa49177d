"""How scenarios are named for pytest: `features/x.feature::test_scenario_title[example]`."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_bdd.scenario import make_python_name


def item_name(scenario_name: str) -> str:
    """The name of the test function that pytest-bdd would make of a scenario's title."""
    return f"test_{make_python_name(scenario_name)}"


def example_id(values: Mapping[str, str]) -> str:
    """What names a row of an Examples table in a node id."""
    return "-".join(values.values())
