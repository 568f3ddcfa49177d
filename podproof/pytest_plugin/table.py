"""The table of verdicts at the end of pytest's output."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from podproof.verdicts.claims import ClaimVerdict, Verdict

_COLOURS: dict[Verdict, dict[str, bool]] = {
    Verdict.TRUE: {"green": True},
    Verdict.TRUE_WITHIN_LIMITS: {"green": True},
    Verdict.FALSE: {"red": True, "bold": True},
    Verdict.NOT_PROVEN: {"yellow": True, "bold": True},
    Verdict.NOT_APPLICABLE: {"cyan": True},
}
_HEADER = ("claim", "verdict", "held", "slowest recovery")
_GAP = 2


def write_verdicts(
    reporter: pytest.TerminalReporter, verdicts: Sequence[ClaimVerdict], ended_early: str
) -> None:
    """Write one row for each claim, and under it why, where it is not simply true."""
    reporter.section("verdicts")
    rows = [_cells(each) for each in verdicts]
    widths = [max(len(row[column]) for row in [_HEADER, *rows]) for column in range(len(_HEADER))]
    wide = sum(widths) + _GAP * (len(widths) - 1) <= reporter._tw.fullwidth
    if wide:
        reporter.write_line(
            "  ".join(cell.ljust(width) for cell, width in zip(_HEADER, widths, strict=True)).rstrip()
        )
    for each, cells in zip(verdicts, rows, strict=True):
        if wide:
            reporter.write(cells[0].ljust(widths[0] + _GAP))
            reporter.write(cells[1].ljust(widths[1] + _GAP), **_COLOURS[each.verdict])
            reporter.write_line(f"{cells[2].ljust(widths[2] + _GAP)}{cells[3]}".rstrip())
        else:
            reporter.write_line(cells[0])
            reporter.write_line(f"  {cells[1]}", **_COLOURS[each.verdict])
            recovery = "" if cells[3] == "-" else f", slowest recovery {cells[3]}"
            reporter.write_line(f"  {cells[2]} held{recovery}")
        if each.verdict not in (Verdict.TRUE, Verdict.TRUE_WITHIN_LIMITS) or each.changes:
            reporter.write_line(f"  {each.why}")
    if ended_early:
        reporter.write_line(f"partial: {ended_early}", yellow=True)


def _cells(each: ClaimVerdict) -> tuple[str, str, str, str]:
    recovery = each.slowest_recovery
    return (
        each.slug,
        str(each.verdict),
        f"{each.held}/{len(each.scenarios)}",
        "-" if recovery is None else f"{recovery:.1f} s",
    )
