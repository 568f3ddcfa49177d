"""How the measurements of repeated scenarios are spread, as a table for the terminal and for the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podproof.verdicts.claims import ClaimVerdict
from podproof.verdicts.measurements import Measurement

_HEADER = ("scenario", "measurement", "n", "min", "median", "p95", "max", "bound")
_TEXTS = 2
"""So many columns are text, to the left; the others are numbers, to the right."""
_GAP = "  "
_NOTHING = "-"


def spread_lines(claims: Sequence[ClaimVerdict], width: int) -> list[str]:
    """One line for each measurement of each scenario that was repeated; none if none was.

    Where a line would be longer than `width`, a scenario's title stands above its measurements instead.
    """
    rows = [row for claim in claims for row in _rows(claim)]
    if not rows:
        return []
    columns = [max(map(len, column)) for column in zip(_HEADER, *rows, strict=True)]
    if sum(columns) + len(_GAP) * (len(columns) - 1) <= width:
        return [_line(row, columns) for row in (_HEADER, *rows)]
    columns[0] = 0
    lines = [_line(("", *_HEADER[1:]), columns)]
    last = ""
    for row in rows:
        if row[0] != last:
            lines.append(row[0])
        last = row[0]
        lines.append(_line(("", *row[1:]), columns))
    return lines


def _rows(claim: ClaimVerdict) -> Iterator[tuple[str, ...]]:
    for result in claim.scenarios:
        if result.outcomes:
            yield from (_row(result.plan.title, taken) for taken in result.measurements)


def _row(title: str, taken: Measurement) -> tuple[str, ...]:
    spread = taken.spread
    numbers = (spread.minimum, spread.median, spread.p95, spread.maximum)
    bound = _NOTHING if taken.bound is None else f"{taken.bound:g}"
    told = f"{bound} exceeded by {taken.excess:.3f}" if taken.excess else bound
    return (title, taken.name, str(len(spread.samples)), *(f"{number:.3f}" for number in numbers), told)


def _line(row: Sequence[str], columns: Sequence[int]) -> str:
    cells = [
        cell.ljust(width) if number < _TEXTS else cell.rjust(width)
        for number, (cell, width) in enumerate(zip(row, columns, strict=True))
    ]
    return _GAP.join(cells).rstrip()
