"""The matrix as Markdown, for a pull request: what changed first, then every claim in one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

SYMBOLS = {
    "TRUE": "✅",
    "TRUE WITHIN LIMITS": "☑️",
    "FALSE": "❌",
    "NOT PROVEN": "❔",
    "NOT APPLICABLE": "⬜",
}
_OUTCOMES = {0: "✅", 1: "❌", 2: "❔"}
_MOST_CHANGES = 50
"""A comment of a pull request holds 65536 characters; the page has all of them."""


def render(document: Mapping[str, Any]) -> str:
    """The text."""
    return "\n".join([*_head(document), *_changes(document), *_table(document), *_reproduce(document)]) + "\n"


def _head(document: Mapping[str, Any]) -> Iterator[str]:
    outcome = document["outcome"]
    names = " → ".join(each["name"] for each in document["targets"])
    yield f"## podproof: {names}"
    yield ""
    yield f"{_OUTCOMES[outcome['status']]} **{_text(outcome['text'])}**"
    yield ""
    for each in document["targets"]:
        if each["status"] == "not tried":
            yield f"- {each['name']} was not tried: {_text(each['why'])}"
    if len({each["suite"]["fingerprint"] for each in document["targets"] if each["status"] == "tried"}) > 1:
        yield "- the targets were tried with different builds of the suite"
    for each in document["comparisons"]:
        if each["too_few"]:
            yield (
                f"- {each['before']} → {each['after']}: {each['too_few']} times were not compared, "
                f"fewer than {document['needed_samples']} samples each"
            )
    yield ""


def _changes(document: Mapping[str, Any]) -> Iterator[str]:
    changes = document["changes"]
    yield "### What changed"
    yield ""
    if not changes:
        yield "Nothing." if document["comparisons"] else "There was nothing to compare with."
        yield ""
        return
    yield "| | from → to | claim | what | was | is |"
    yield "|---|---|---|---|---|---|"
    for each in changes[:_MOST_CHANGES]:
        claim = f"`{each['claim']}`" if each["claim"] else "the cluster"
        before = f"{each['before']} (baseline)" if each["baseline"] else each["before"]
        yield (
            f"| {each['direction']} | {before} → {each['after']} | {claim} "
            f"| {_text(each['what'])}{_figures(each['time'])} | {_text(each['was'])} | {_text(each['is'])} |"
        )
    if len(changes) > _MOST_CHANGES:
        yield ""
        yield f"... and {len(changes) - _MOST_CHANGES} more, in the page."
    yield ""


def _figures(time: Mapping[str, Any] | None) -> str:
    if time is None:
        return ""
    counts = f"{time['before']['count']} and {time['after']['count']} samples"
    return f" ({counts}, Cliff's delta {time['effect']:+.2f}, adjusted p {time['p_adjusted']:.2g})"


def _table(document: Mapping[str, Any]) -> Iterator[str]:
    names = [each["name"] for each in document["targets"]]
    yield "### Claims"
    yield ""
    yield "| claim | " + " | ".join(names) + " |"
    yield "|---|" + "---|" * len(names)
    for claim in document["claims"]:
        yield f"| `{claim['slug']}` | " + " | ".join(_cell(cell) for cell in claim["cells"]) + " |"
    yield ""
    yield (
        ", ".join(f"{symbol} {verdict}" for verdict, symbol in SYMBOLS.items())
        + "; times are median recoveries."
    )
    yield ""


def _cell(cell: Mapping[str, Any] | None) -> str:
    if cell is None:
        return ""
    recovery = cell["recovery"]
    return SYMBOLS[cell["verdict"]] + (f" {recovery['median']:.1f} s" if recovery else "")


def _reproduce(document: Mapping[str, Any]) -> Iterator[str]:
    yield "<details><summary>Reproduce</summary>"
    yield ""
    for each in document["targets"]:
        if each["reproduce"]:
            yield f"{each['name']} ({each['version']}, components: {each['components'] or 'its own'}):"
            yield "```sh"
            yield from each["reproduce"]
            yield "```"
    yield f"Measured on {document['machine']}, {document['started']}, podproof {document['podproof']}."
    yield "</details>"


def _text(text: str) -> str:
    """In one cell of a table, and never as a tag."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", " ")
