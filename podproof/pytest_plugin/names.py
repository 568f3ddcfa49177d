"""How scenarios are named for pytest: `features/x.feature::test_scenario_title[example]`.

With `--repeat 5`, a repetition of it is `features/x.feature::test_scenario_title[example-repetition 2 of 5]`,
in the manner of what pytest parametrizes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pytest_bdd.scenario import make_python_name

_REPETITION = re.compile(r"(\[|-)repetition \d+ of \d+\]$")


def item_name(scenario_name: str) -> str:
    """The name of the test function that pytest-bdd would make of a scenario's title."""
    return f"test_{make_python_name(scenario_name)}"


def example_id(values: Mapping[str, str]) -> str:
    """What names a row of an Examples table in a node id."""
    return "-".join(values.values())


def repetition_id(number: int, of: int) -> str:
    """What names a repetition in a node id."""
    return f"repetition {number} of {of}"


def scenario_id(nodeid: str) -> str:
    """The node id of the scenario that a node id names a repetition of; any other as it is."""
    return _REPETITION.sub(lambda found: "" if found[1] == "[" else "]", nodeid)
