"""Samples of a time, as dots over an axis of seconds, one lane for each set of them.

The axis begins at zero: what looks twice as long is twice as long. Dots that would hide each other stand
above each other. The colours are the page's.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from podproof.matrix.page import words
from podproof.matrix.page.markup import Markup, tag

_WIDTH, _LANE, _AXIS = 360, 22, 20
_RADIUS = 3.0
_LEVELS = (0, -1, 1, -2, 2)
_LETTER = 7.4  # as wide as a letter of a label is at most, on average
_LETTERS = 14  # so many of a label are shown
_VALUE = 92  # room for the median, told as a number, and for a word before it
_MOST_TICKS = 5


@dataclass(frozen=True, slots=True)
class Lane:
    """One set of samples.

    Attributes:
        name: What it is called; empty if there is only one.
        samples: Seconds; none if nothing was measured.
        style: A class of the style sheet.
        word: What the style says in colour.
    """

    name: str
    samples: Sequence[float]
    style: str = ""
    word: str = ""

    def __str__(self) -> str:
        """What a reader is told who does not see it."""
        name = f"{self.name}: " if self.name else ""
        if not self.samples:
            return f"{name}not measured"
        middle = words.seconds(statistics.median(self.samples))
        if len(self.samples) == 1:
            return f"{name}{middle}"
        spread = f"{words.seconds(min(self.samples))} to {words.seconds(max(self.samples))}"
        return f"{name}median {middle} of {len(self.samples)} samples, {spread}"


def strips(lanes: Sequence[Lane], what: str, bound: float | None = None) -> Markup:
    """Draw the lanes above each other; `what` says what was timed, `bound` is marked if there is one."""
    longest = max([len(lane.name) for lane in lanes], default=0)
    left = min(longest, _LETTERS) * _LETTER + 10 if longest else _RADIUS + 1
    right = _WIDTH - _VALUE
    end = max([sample for lane in lanes for sample in lane.samples] + [bound or 0, 0.01])
    scale = (right - left - _RADIUS - 1) / end
    bottom = len(lanes) * _LANE + 2
    parts = [*_axis(left, right, bottom, end, scale)]
    for index, lane in enumerate(lanes):
        parts += _lane(lane, left, index * _LANE + _LANE / 2, scale)
    told = f"{what}. {'; '.join(map(str, lanes))}"
    if bound is not None:
        x = round(left + bound * scale, 1)
        parts.append(tag("line", x1=x, x2=x, y1=0, y2=bottom + 4, class_="bound"))
        told += f"; bound {words.seconds(bound)}"
    box = f"0 0 {_WIDTH} {bottom + _AXIS}"
    return tag("svg", *parts, class_="plot", viewBox=box, role="img", aria_label=told)


def _axis(left: float, right: float, bottom: float, end: float, scale: float) -> list[Markup]:
    parts = [tag("line", x1=round(left, 1), x2=right, y1=bottom, y2=bottom, class_="axis")]
    step = _step(end)
    for index in range(int(end / step + 1e-9) + 1):
        x = round(left + index * step * scale, 1)
        parts.append(tag("line", x1=x, x2=x, y1=0, y2=bottom + 3, class_="tick"))
        number = f"{index * step:g}" + (" s" if index == 0 else "")
        parts.append(
            tag("text", number, x=x, y=bottom + 15, text_anchor="middle" if index else None, class_="faint")
        )
    return parts


def _step(end: float) -> float:
    """A round number of seconds that divides the axis into a few parts."""
    step = 0.001
    while True:
        for factor in (1, 2, 5):
            if end / (step * factor) < _MOST_TICKS:
                return step * factor
        step *= 10


def _lane(lane: Lane, left: float, y: float, scale: float) -> list[Markup]:
    parts = []
    if lane.name:
        short = lane.name if len(lane.name) <= _LETTERS else f"{lane.name[: _LETTERS - 1]}…"
        parts.append(tag("text", short, x=left - 8, y=y + 4, text_anchor="end"))
    if not lane.samples:
        return [*parts, tag("text", "not measured", x=left + 2, y=y + 4, class_="faint")]
    last: dict[int, float] = {}
    for sample in sorted(lane.samples):
        x = left + sample * scale
        free = (level for level in _LEVELS if x - last.get(level, -_WIDTH) >= 2 * _RADIUS)
        level = next(free, _LEVELS[-1])
        last[level] = x
        height = y + level * (_RADIUS + 0.5)
        parts.append(tag("circle", cx=round(x, 1), cy=height, r=_RADIUS, class_=f"dot {lane.style}".strip()))
    middle = statistics.median(lane.samples)
    x = round(left + middle * scale, 1)
    parts.append(tag("line", x1=x, x2=x, y1=y - 9, y2=y + 9, class_="median"))
    told = f"{lane.word} {words.seconds(middle)}".strip()
    parts.append(
        tag("text", told, x=_WIDTH, y=y + 4, text_anchor="end", class_=f"value {lane.style}".strip())
    )
    return parts
