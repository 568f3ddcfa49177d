"""The verdicts as a table of plain cells, for the terminal and for the report."""

from __future__ import annotations

from collections.abc import Sequence

from podproof.verdicts.claims import ClaimVerdict, Verdict

HEADER = ("claim", "verdict", "held", "slowest recovery")
GAP = "  "
NOTHING = "-"
"""Stands where there is nothing to show."""

Cells = tuple[str, str, str, str]


def cells(claim: ClaimVerdict) -> Cells:
    """One row: the slug, the verdict, how many scenarios held, the slowest recovery measured."""
    recovery = claim.slowest_recovery
    return (
        claim.slug,
        str(claim.verdict),
        f"{claim.held}/{len(claim.scenarios)}",
        NOTHING if recovery is None else f"{recovery:.1f} s",
    )


def widths(rows: Sequence[Cells]) -> list[int]:
    """How wide each column has to be, its heading included."""
    return [max(len(row[column]) for row in [HEADER, *rows]) for column in range(len(HEADER))]


def line(row: Cells, columns: Sequence[int]) -> str:
    """A row as one aligned line."""
    return GAP.join(cell.ljust(width) for cell, width in zip(row, columns, strict=True)).rstrip()


def needs_explaining(claim: ClaimVerdict) -> bool:
    """Whether the verdict alone does not tell enough."""
    return claim.verdict not in (Verdict.TRUE, Verdict.TRUE_WITHIN_LIMITS) or bool(claim.changes)


def as_text(claims: Sequence[ClaimVerdict]) -> str:
    """The whole table, each claim with its sentence, the reason for its verdict and its limits."""
    rows = [cells(claim) for claim in claims]
    columns = widths(rows)
    lines = [line(HEADER, columns)]
    for claim, row in zip(claims, rows, strict=True):
        lines += ["", line(row, columns), f"    {claim.sentence}", f"    {claim.why}"]
        lines += [f"    limit: {title}" for title in claim.limits]
        lines += [f"    no longer so: {title}" for title in claim.changes]
    return "\n".join(lines) + "\n"
