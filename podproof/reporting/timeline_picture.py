"""A scenario at a glance: its Pods as bars, what was done to them, its requests, over one axis of time.

It is an SVG, drawn for a width at which its letters can be read on a telephone, and scaled to any other. It
has a background of its own: it follows the colours of the system, and the page around it may have others.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from podproof.reporting import svg
from podproof.reporting.answers import grouped
from podproof.reporting.lanes import Lane, lanes
from podproof.reporting.svg import LEFT, RIGHT, WIDTH

_SHOWN = 1.4  # how much larger it is where there is room
_ROW, _BAR, _STRIP = 30, 11, 16
_COLUMN = 4  # the width of a column of requests
_LETTERS = 62  # as many as surely fit into a line
_MOST_ROWS = 24
_TICKS = (0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600)
_SMALLEST_END = 0.1
_OUTLOOK = 1.04  # what came last is seen for a moment

_STYLE = """\
svg{--paper:#fff;--ink:#1f2328;--faint:#656d76;--line:#dde2e8;--pending:#b6bec8;--running:#dfa100;\
--ready:#0a8f6a;--failed:#cf3a24;--succeeded:#57606a;--when:#7a3fd0;--sent:#2f6fd0;\
font:13px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
@media(prefers-color-scheme:dark){svg{--paper:#15191f;--ink:#e6edf3;--faint:#9aa4af;--line:#323a44;\
--pending:#5d6772;--running:#e8b417;--ready:#2dbd94;--failed:#f0664f;--succeeded:#a3adb8;--when:#b78cf5;\
--sent:#6ea4f4}}
text{fill:var(--ink);paint-order:stroke;stroke:var(--paper);stroke-width:3px}
.faint{fill:var(--faint);font-size:11px}.bold{font-weight:600}
.when{fill:var(--when);font-weight:600}.mark{stroke:var(--when);stroke-width:1.5;stroke-dasharray:4 3}
.line{stroke:var(--line)}.pending{fill:var(--pending)}.running,.unknown{fill:var(--running)}
.ready{fill:var(--ready)}.failed,.not-ready,.lost{fill:var(--failed)}.succeeded,.ended{fill:var(--succeeded)}
.sent{fill:var(--sent)}.leaving{fill:url(#leaving)}.end{stroke:var(--ink);stroke-width:2}
.restart{fill:var(--paper);stroke:var(--ink);stroke-width:1.5}"""
_LEAVING = (
    '<defs><pattern id="leaving" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect width="2.6" height="6" style="fill:var(--paper)"/></pattern></defs>'
)
_LEGEND = {
    "pending": "pending",
    "running": "running, not ready",
    "unknown": "unknown",
    "ready": "ready",
    "succeeded": "ended",
    "failed": "failed",
    "ended": "ended",
    "not ready": "not ready (Node)",
}


@dataclass(frozen=True, slots=True)
class StepSpan:
    """A step and its time.

    Attributes:
        keyword: ``"Given"``, ``"When"`` or ``"Then"``; the one that an ``"And"`` stands for.
        text: What it says.
        start: Seconds from the start of the recording.
        end: Likewise.
    """

    keyword: str
    text: str
    start: float
    end: float


def picture(
    title: str,
    rows: Sequence[dict[str, Any]],
    steps: Sequence[StepSpan] = (),
    requests: Sequence[dict[str, Any]] = (),
) -> str | None:
    """Draw a scenario; None if there is nothing to see.

    Args:
        title: The scenario's.
        rows: Its timeline, see `podproof.kube.changes.Change.as_dict`, in the order of time.
        steps: Its steps, in order.
        requests: What its clients sent: `seconds`, `ok` and `answer` of each, in the order of time.
    """
    ends = [each["seconds"] for each in (*rows, *requests)] + [step.end for step in steps]
    end = max([*ends, _SMALLEST_END]) * _OUTLOOK
    drawn = lanes(rows, end)
    if not drawn and not requests:
        return None
    return _Drawing(end).draw(
        title, drawn, next((each for each in steps if each.keyword == "When"), None), requests
    )


class _Drawing:
    """A picture in the making, from top to bottom."""

    def __init__(self, end: float) -> None:
        self._end = end
        self._y = 4.0
        self._parts: list[str] = []
        self._texts: list[str] = []  # drawn last: lines end at them

    def draw(
        self, title: str, drawn: Sequence[Lane], when: StepSpan | None, requests: Sequence[dict[str, Any]]
    ) -> str:
        """Draw everything."""
        for line in textwrap.wrap(title, _LETTERS):
            self._y += 18
            self._texts.append(svg.text(LEFT, self._y, line, "bold"))
        top = self._when(when) if when else self._y + 6
        for lane in drawn[:_MOST_ROWS]:
            self._lane(lane)
        if len(drawn) > _MOST_ROWS:
            self._y += 18
            self._texts.append(svg.text(LEFT, self._y, f"and {len(drawn) - _MOST_ROWS} more", "faint"))
        if requests:
            self._requests(requests)
        self._axis(top, when)
        self._legend(drawn)
        height = round(self._y + 12)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH * _SHOWN:.0f}" height="{height * _SHOWN:.0f}">'
            f"<title>{escape(title)}</title><style>{_STYLE}</style>{_LEAVING}"
            f'<rect width="{WIDTH}" height="{height}" rx="6" style="fill:var(--paper)"/>'
            f"{''.join(self._parts)}{''.join(self._texts)}</svg>\n"
        )

    def _when(self, when: StepSpan) -> float:
        """What was done; gives where its mark begins."""
        start, end = self._x(when.start), self._x(when.end)
        for line in textwrap.wrap(f"When {when.text}", _LETTERS):
            self._y += 18
            self._texts.append(svg.text(start, self._y, line, "when"))
        top = self._y + 5
        self._y += 3
        if end - start > 2:  # it took its time, as the kubelet does to evict
            self._parts.append(svg.bar(start, top, end - start, 4, "when"))
            self._y += 5
        return top

    def _lane(self, lane: Lane) -> None:
        self._y += _ROW
        top = self._y - _BAR
        name = lane.name if lane.kind == "Pod" else f"Node {lane.name}"
        node = f'<tspan dx="8" class="faint">on {escape(lane.node)}</tspan>' if lane.node else ""
        self._texts.append(f'<text x="{LEFT}" y="{top - 4:g}">{escape(name)}{node}</text>')
        for span in lane.spans:
            x = self._x(span.start)
            width = max(self._x(span.end) - x, 1)
            told = f"{span.state}{', being deleted' if span.leaving else ''}: {span.end - span.start:.1f} s"
            self._parts.append(svg.bar(x, top, width, _BAR, span.state, told))
            if span.leaving:
                self._parts.append(svg.bar(x, top, width, _BAR, "leaving", told))
        for at in lane.restarts:
            self._parts.append(svg.circle(self._x(at), top + _BAR / 2, f"container restarted at {at:.1f} s"))
        if lane.gone and lane.spans:
            self._parts.append(svg.path(f"M{self._x(lane.spans[-1].end):.1f} {top - 3:g}v{_BAR + 6}", "end"))

    def _requests(self, requests: Sequence[dict[str, Any]]) -> None:
        lost = sum(not row["ok"] for row in requests)
        self._y += 26
        told = f"{len(requests)} requests, {lost or 'none'} lost"
        self._texts.append(svg.text(LEFT, self._y, told, "bold"))
        for told, style, group in grouped(requests):
            self._y += 16
            self._texts.append(svg.text(LEFT, self._y, told, "faint"))
            self._y += _STRIP + 4
            self._parts.append(svg.path(self._columns(group), style))

    def _columns(self, group: Sequence[dict[str, Any]]) -> str:
        """One column for each few pixels, as high as there are requests in it."""
        counts = Counter(int((self._x(row["seconds"]) - LEFT) / _COLUMN) for row in group)
        most = max(counts.values())
        heights = {index: max(count / most * _STRIP, 3) for index, count in sorted(counts.items())}
        return "".join(
            f"M{LEFT + index * _COLUMN} {self._y:g}v-{height:.0f}h{_COLUMN - 1}v{height:.0f}z"
            for index, height in heights.items()
        )

    def _axis(self, top: float, when: StepSpan | None) -> None:
        self._y += 10
        bottom = self._y
        self._y += 14
        step = next((each for each in _TICKS if self._end / each <= 8), _TICKS[-1])
        lines = [svg.path(f"M{LEFT} {bottom:g}H{RIGHT}", "line")]
        for index in range(int(self._end / step) + 1):
            x = self._x(index * step)
            lines.append(svg.path(f"M{x:.1f} {top:g}V{bottom + 3:g}", "line"))
            self._texts.append(svg.text(x, self._y, f"{index * step:g} s", "faint", around=True))
        self._parts[:0] = lines  # behind all that is drawn already
        if when:
            self._parts.append(svg.path(f"M{self._x(when.start):.1f} {top:g}V{bottom:g}", "mark"))

    def _legend(self, drawn: Sequence[Lane]) -> None:
        """What the colours mean, as far as they occur."""
        spans = [span for lane in drawn for span in lane.spans]
        states = {span.state for span in spans}
        occurring = {told: svg.bar(0, -9, 12, 9, each) for each, told in _LEGEND.items() if each in states}
        entries = [(swatch, told) for told, swatch in occurring.items()]
        if any(span.leaving for span in spans):
            entries.append(
                (svg.bar(0, -9, 12, 9, "ready") + svg.bar(0, -9, 12, 9, "leaving"), "being deleted")
            )
        if any(lane.restarts for lane in drawn):
            entries.append((svg.circle(6, -4.5), "container restarted"))
        if any(lane.gone for lane in drawn):
            entries.append((svg.path("M6 -12v14", "end"), "gone"))
        x: float = WIDTH
        for swatch, told in entries:
            width = 17 + len(told) * 6 + 14
            if x + width > WIDTH:
                x = LEFT
                self._y += 19
            label = svg.text(17, 0, told, "faint")
            self._parts.append(f'<g transform="translate({x:.0f} {self._y:g})">{swatch}{label}</g>')
            x += width

    def _x(self, seconds: float) -> float:
        return LEFT + min(max(seconds / self._end, 0), 1) * (RIGHT - LEFT)
