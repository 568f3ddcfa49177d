"""The parts that a picture is put together from, as SVG; `style` is a class of the picture's style sheet."""

from __future__ import annotations

from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 560, 12, 548
"""The picture's width, and where what is drawn in it begins and ends."""


def text(x: float, y: float, words: str, style: str, *, around: bool = False) -> str:
    """A text that begins at `x`, or has it in its middle; moved as far to the left as it takes to be seen."""
    anchor = "middle" if around else "start"
    if around and x - LEFT < 10:
        anchor = "start"
    elif x + len(words) * (3 if around else 8.2) > RIGHT:
        anchor, x = "end", RIGHT
    placed = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{style}" x="{x:.1f}" y="{y:g}"{placed}>{escape(words)}</text>'


def bar(x: float, y: float, width: float, height: float, style: str, told: str = "") -> str:
    """A filled rectangle; `told` is what a pointer that rests on it is told."""
    style = style.replace(" ", "-")
    shape = f'rect class="{style}" x="{x:.1f}" y="{y:g}" width="{width:.1f}" height="{height:g}"'
    return f"<{shape}><title>{escape(told)}</title></rect>" if told else f"<{shape}/>"


def circle(x: float, y: float, told: str = "") -> str:
    """The mark of a restart, with its middle at a point."""
    return f'<circle class="restart" cx="{x:.1f}" cy="{y:g}" r="4"><title>{escape(told)}</title></circle>'


def path(d: str, style: str) -> str:
    """A line, or a shape, as SVG writes it."""
    return f'<path class="{style}" d="{d}"/>'
