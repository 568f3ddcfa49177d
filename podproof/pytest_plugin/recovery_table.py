"""The table of recoveries at the end of pytest's output, in the four times of the availability studies."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from podproof.verdicts.claims import ClaimVerdict
from podproof.verdicts.scenarios import ScenarioResult

TIMES = ("reaction", "repair", "recovery", "outage")
"""From the fault to the first reaction, from there to the successor's start and to the service's return, and
from the fault to its end as clients see it."""

_GAP = "  "
_WIDTH = max(len(name) for name in TIMES)


def recovery_rows(claims: Sequence[ClaimVerdict]) -> list[str]:
    """The table, its heading first; empty if no scenario measured all four times."""
    rows = [
        f"{_GAP.join(f'{times[name]:.1f} s'.rjust(_WIDTH) for name in TIMES)}{_GAP}{_title(result)}"
        for claim in claims
        for result in claim.scenarios
        if (times := _times(result))
    ]
    return [_GAP.join([name.rjust(_WIDTH) for name in TIMES] + ["scenario"]), *rows] if rows else []


def write_recoveries(reporter: pytest.TerminalReporter, claims: Sequence[ClaimVerdict]) -> None:
    """Write one row for each scenario that measured all four times; nothing if there is none."""
    if rows := recovery_rows(claims):
        reporter.section("recovery")
        for row in rows:
            reporter.write_line(row)


def _times(result: ScenarioResult) -> dict[str, float]:
    """The four times of a scenario; empty if it lacks one."""
    times = {each.name: each.seconds for each in result.measurements}
    return times if times.keys() >= set(TIMES) else {}


def _title(result: ScenarioResult) -> str:
    return f"{result.plan.title} ({result.plan.claim})"
