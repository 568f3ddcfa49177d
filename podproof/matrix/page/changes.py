"""What changed: one group for each comparison, and in it what matters most first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from podproof.matrix.page import words
from podproof.matrix.page.markup import Markup, join, tag
from podproof.matrix.page.plots import Lane, strips

_FOLDED_FROM = 3
"""So many differences that are neither better nor worse are folded away."""


def changes(document: Mapping[str, Any]) -> Markup:
    """All of them, by comparison."""
    if not document["comparisons"]:
        return tag("p", "Nothing was compared: it takes two targets that were tried, or a baseline.")
    claims = {each["slug"]: each["sentence"] for each in document["claims"]}
    groups = [_group(document, each, claims) for each in document["comparisons"]]
    return join(*groups)


def counts(document: Mapping[str, Any]) -> Markup:
    """How many changes of each kind there are, of those kinds of which there are any."""
    found = Counter(each["kind"] for each in document["changes"])
    told = [
        tag(
            "span",
            tag("span", str(found[kind]), class_="number"),
            words.count(found[kind], kind).lstrip("0123456789"),
        )
        for kind in words.KINDS
        if found[kind]
    ]
    return tag("p", "Changes in all: ", *told, class_="counts") if told else Markup("")


def in_order(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Worse first, and of those what matters most first."""
    directions = list(words.DIRECTIONS)
    return sorted(
        found, key=lambda each: (directions.index(each["direction"]), words.KINDS.index(each["kind"]))
    )


def difference(change: Mapping[str, Any]) -> Markup:
    """What was, and what is; of a time also the samples."""
    was = tag("span", tag("span", "was ", class_="faint"), words.verdict(change["was"] or "nothing"))
    now = tag("span", tag("span", "is ", class_="faint"), words.verdict(change["is"] or "nothing"))
    arrow = tag("span", " → ", class_="faint", aria_hidden="true")
    line = tag("p", was, arrow, now, class_="difference")
    return join(line, _time(change)) if change["time"] else line


def link(change: Mapping[str, Any], claims: Mapping[str, str]) -> Markup:
    """A claim's sentence, which opens the cell that changed; without a script it leads to the claim's row."""
    slug = change["claim"]
    cell = f"{slug}@{change['after']}"
    return tag("a", claims.get(slug, slug), href=f"#claim-{slug}", data_open=cell, class_="sentence")


def of(change: Mapping[str, Any], comparison: Mapping[str, Any]) -> bool:
    """Whether a change was found by a comparison."""
    return all(change[key] == comparison[key] for key in ("before", "after", "baseline"))


def _group(document: Mapping[str, Any], comparison: Mapping[str, Any], claims: Mapping[str, str]) -> Markup:
    found = in_order([each for each in document["changes"] if of(each, comparison)])
    baseline = tag("span", " (baseline)", class_="faint") if comparison["baseline"] else ""
    arrow = tag("span", " → ", class_="faint", aria_label="to", role="img")
    heading = tag("h3", comparison["before"], baseline, arrow, comparison["after"])
    first = [each for each in found if each["direction"] != "other"]
    rest = [each for each in found if each["direction"] == "other"]
    parts = [
        tag("div", heading, words.tally(found) or tag("span", "no difference was found"), class_="titled")
    ]
    if first:
        parts.append(tag("ul", *(_item(each, claims) for each in first), class_="plain changes"))
    if rest:
        listed = tag("ul", *(_item(each, claims) for each in rest), class_="plain changes")
        if len(rest) < _FOLDED_FROM:
            parts.append(listed)
        else:
            kinds = Counter(each["kind"] for each in rest)
            told = ", ".join(words.count(kinds[kind], kind) for kind in words.KINDS if kinds[kind])
            summary = tag("summary", f"{len(rest)} differences, neither better nor worse: {told}")
            parts.append(tag("details", summary, listed))
    parts.append(tag("p", _compared_times(document, comparison), class_="faint small"))
    return tag("section", *parts, class_="card comparison")


def _compared_times(document: Mapping[str, Any], comparison: Mapping[str, Any]) -> str:
    told = f"{words.count(comparison['times'], 'time')} of recovery compared."
    if few := comparison["too_few"]:
        were = "was" if few == 1 else "were"
        needed = document["needed_samples"]
        told += (
            f" {words.count(few, 'time')} {were} not compared: fewer than {words.count(needed, 'sample')}."
        )
    return told[:1].upper() + told[1:]


def _item(change: Mapping[str, Any], claims: Mapping[str, str]) -> Markup:
    slug, what = change["claim"], change["what"]
    kind = tag("span", change["kind"], class_="kind")
    if not slug:  # it is of the whole cluster
        about = [tag("span", what, class_="sentence")]
    else:
        about = [link(change, claims)]
        if what not in ("", change["kind"], claims.get(slug)):
            about.append(tag("p", what, class_="what"))
    return tag(
        "li",
        tag("div", words.badge(change), kind, class_="labels"),
        tag("div", *about, difference(change)),
        class_=f"change {change['direction']}",
    )


def _time(change: Mapping[str, Any]) -> Markup:
    time = change["time"]
    plot = strips(
        [
            Lane(change["before"], time["before"]["samples"], "before"),
            Lane(
                change["after"],
                time["after"]["samples"],
                change["direction"],
                words.direction(change),
            ),
        ],
        f"{time['measurement']}, seconds",
    )
    facts = [
        ("ratio of medians", f"{time['ratio']:.2f}"),
        ("Cliff's delta", f"{time['effect']:+.2f}"),
        ("adjusted p", _p(time["p_adjusted"])),
    ]
    told = [tag("div", tag("dt", name), tag("dd", value)) for name, value in facts]
    return tag("figure", plot, tag("dl", *told, class_="inline"), class_="time")


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
