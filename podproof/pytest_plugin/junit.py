"""JUnit XML: what proved nothing is an error there too, as in pytest's own counts."""

from __future__ import annotations

import pytest
from _pytest.junitxml import xml_key


def failure_to_error(config: pytest.Config, report: pytest.TestReport) -> None:
    """Turn the failure that pytest has just noted for this report into an error.

    pytest derives the one or the other from the phase alone, and has no hook for it.
    """
    xml = config.stash.get(xml_key, None)
    if xml is None:
        return
    for element in xml.node_reporter(report).nodes:
        if element.tag == "failure":
            element.tag = "error"
            xml.stats["failure"] -= 1
            xml.stats["error"] += 1
