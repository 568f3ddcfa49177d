"""What the page calls things: verdicts, directions, spans of time; never by colour alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from podproof.matrix.page.markup import Markup, tag

SYMBOLS = {
    "TRUE": "✓",
    "TRUE WITHIN LIMITS": "◐",
    "FALSE": "✗",
    "NOT PROVEN": "?",
    "NOT APPLICABLE": "○",
    "NOT RUN": "○",
}
SHORT = {
    "TRUE": "true",
    "TRUE WITHIN LIMITS": "within limits",
    "FALSE": "false",
    "NOT PROVEN": "not proven",
    "NOT APPLICABLE": "n/a",
    "NOT RUN": "not run",
}
MEANING = {
    "TRUE": "every scenario held",
    "TRUE WITHIN LIMITS": "it holds, and where it ends is proven too",
    "FALSE": "the cluster did something else",
    "NOT PROVEN": "the trial failed, so nothing is known",
    "NOT APPLICABLE": "the cluster lacks what it needs",
}
STYLES = {
    "TRUE": "holds",
    "TRUE WITHIN LIMITS": "limits",
    "FALSE": "fails",
    "NOT PROVEN": "unproven",
    "NOT APPLICABLE": "absent",
    "NOT RUN": "absent",
}
"""Classes of the style sheet."""

DIRECTIONS = {"worse": "▼", "unknown": "?", "better": "▲", "other": "≠"}
"""From what a reader must not miss to what they may skip."""
SPEEDS = {"worse": "slower", "better": "faster"}
KINDS = ("verdict", "limit", "scenario", "time", "capability", "warning", "setting")
"""What can change, from what matters most to what only explains it."""


def verdict(name: str, *, short: bool = False) -> Markup:
    """A verdict, or a scenario's outcome, as symbol and word in its colour."""
    told = SHORT.get(name, name) if short else name
    if name not in SYMBOLS:  # what a change says it was or is may be any text
        return tag("span", told)
    return tag(
        "span", tag("span", SYMBOLS[name], aria_hidden="true"), f" {told}", class_=f"verdict {STYLES[name]}"
    )


def direction(change: Mapping[str, Any]) -> str:
    """Where a change leads, in a word."""
    if change["kind"] == "time" and change["direction"] in SPEEDS:
        return SPEEDS[change["direction"]]
    return {"other": "different", "unknown": "unclear"}.get(change["direction"], str(change["direction"]))


def badge(change: Mapping[str, Any]) -> Markup:
    """The same with its symbol and in its colour."""
    symbol = tag("span", DIRECTIONS[change["direction"]], aria_hidden="true")
    return tag("span", symbol, f" {direction(change)}", class_=f"badge {change['direction']}")


def tally(changes: Iterable[Mapping[str, Any]]) -> Markup:
    """How many changes lead where, as badges; empty if there are none."""
    found = [change["direction"] for change in changes]
    told = {"other": "different", "unknown": "unclear"}
    badges = [
        tag(
            "span",
            tag("span", symbol, aria_hidden="true"),
            f" {found.count(name)} {told.get(name, name)}",
            class_=f"badge {name}",
        )
        for name, symbol in DIRECTIONS.items()
        if name in found
    ]
    return Markup(" ".join(badges))


def count(number: int, noun: str) -> str:
    """A number with its noun: ``"1 claim"``, ``"2 claims"``, ``"no claims"``."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number or 'no'} {noun if number == 1 else plural}"


def seconds(value: float) -> str:
    """A span of time, as exactly as anybody wants to know it."""
    if value >= 600:
        minutes = round(value / 60)
        return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
    if value >= 99.5:
        return f"{value:.0f} s"
    return f"{value:.1f} s" if value >= 1 else f"{value:.2f} s"


def moment(written: str) -> str:
    """A point in time, to the minute; as it was written if it is none."""
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        return written
    zone = "" if read.tzinfo is None else f" {'UTC' if not read.utcoffset() else read.strftime('%z')}"
    return f"{read:%Y-%m-%d %H:%M}{zone}"


def reason(text: str) -> str:
    """Why something is missing, which whoever wrote the document may not have said."""
    return text or "no reason was given"
