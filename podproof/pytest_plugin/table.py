"""The table of verdicts at the end of pytest's output."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from podproof.reporting.spread_table import spread_lines
from podproof.reporting.verdict_table import GAP, HEADER, NOTHING, cells, line, needs_explaining, widths
from podproof.verdicts.claims import ClaimVerdict, Verdict

_COLOURS: dict[Verdict, dict[str, bool]] = {
    Verdict.TRUE: {"green": True},
    Verdict.TRUE_WITHIN_LIMITS: {"green": True},
    Verdict.FALSE: {"red": True, "bold": True},
    Verdict.NOT_PROVEN: {"yellow": True, "bold": True},
    Verdict.NOT_APPLICABLE: {"cyan": True},
}


def write_verdicts(
    reporter: pytest.TerminalReporter, claims: Sequence[ClaimVerdict], ended_early: str
) -> None:
    """Write one row for each claim, and under it why, where it is not simply true."""
    reporter.write_sep("=", "verdicts")
    rows = [cells(claim) for claim in claims]
    columns = widths(rows)
    wide = len(line(HEADER, columns)) <= reporter._tw.fullwidth
    if wide:
        reporter.write_line(line(HEADER, columns))
    for claim, row in zip(claims, rows, strict=True):
        slug, verdict, held, recovery = row
        colour = _COLOURS[claim.verdict]
        if wide:
            before, _, after = line(row, columns).partition(f"{GAP}{verdict}")
            reporter.write(f"{before}{GAP}")
            reporter.write(verdict, **colour)
            reporter.write_line(after)
        else:
            reporter.write_line(slug)
            reporter.write_line(f"{GAP}{verdict}", **colour)
            slowest = "" if recovery == NOTHING else f", slowest recovery {recovery}"
            reporter.write_line(f"{GAP}{held} held{slowest}")
        if needs_explaining(claim):
            reporter.write_line(f"{GAP}{claim.why}")
    if ended_early:
        reporter.write_line(f"partial: {ended_early}", yellow=True)


def write_measurements(reporter: pytest.TerminalReporter, claims: Sequence[ClaimVerdict]) -> None:
    """Write how the measurements of scenarios that were repeated are spread; nothing if none were."""
    if lines := spread_lines(claims, reporter._tw.fullwidth):
        reporter.write_sep("=", "measurements, in seconds")
        for each in lines:
            reporter.write_line(each)
