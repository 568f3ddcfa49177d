"""A scenario's requests, grouped by what came back."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

_MOST_ANSWERS = 4  # as many rows as a reader takes in


def grouped(requests: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """The requests by what came back, those that got nothing first: what to call them, their style, they."""
    lost = [row for row in requests if not row["ok"]]
    answered = [row for row in requests if row["ok"]]
    if lost:
        yield f"{len(lost)} lost", "lost", lost
    named = {_short(row["answer"]) for row in answered}
    # Many Pods of few controllers: what tells the controllers' Pods apart is the last part of the name.
    common = {answer: _without_last_part(answer) for answer in named}
    if len(named) > _MOST_ANSWERS >= len(set(common.values())):
        names = common
    elif len(named) > _MOST_ANSWERS:
        names = dict.fromkeys(named, f"in {len(named)} ways")
    else:
        names = {answer: answer for answer in named}
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in answered:
        groups.setdefault(names[_short(row["answer"])], []).append(row)
    for name, group in groups.items():
        yield f"{len(group)} answered{f': {name}' if name else ''}", "sent", group


def _short(answer: Any) -> str:
    return textwrap.shorten(str(answer or ""), 60, placeholder=" …")


def _without_last_part(answer: str) -> str:
    head = answer.rpartition("-")[0]
    return f"{head}-…" if head else answer
