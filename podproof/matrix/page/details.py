"""What opens from a cell: everything that is known about a claim on a target.

It is much, and most of it is never looked at, so it is not in the page's HTML but packed beside it: as HTML
that was escaped here, compressed; the page's script unpacks it when a cell is opened for the first time.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from podproof.matrix.page import words
from podproof.matrix.page.changes import difference
from podproof.matrix.page.grid import found_at
from podproof.matrix.page.markup import Markup, join, tag
from podproof.matrix.page.plots import Lane, strips

_UNFOLDED = 3
"""Up to so many scenarios are all shown open; of more only those that did not hold."""


def packed(document: Mapping[str, Any], directory: Path) -> str:
    """Everything that cells open to, compressed (zlib) and in base64.

    It is JSON: ``cells``, HTML by ``"slug@target"``; and ``timelines``, a list of SVG files that the HTML
    refers to by their position. A file that cannot be read is left out, and the HTML says that there is none.
    """
    timelines: dict[str, int] = {}
    pictures: list[str] = []
    for path in _timelines(document):
        picture = _picture(directory / path)
        if picture is not None and path not in timelines:
            timelines[path] = len(pictures)
            pictures.append(picture)
    cells = {
        f"{claim['slug']}@{target['name']}": _cell(document, claim, target, cell, timelines)
        for claim in document["claims"]
        for target, cell in zip(document["targets"], claim["cells"], strict=True)
        if cell is not None
    }
    text = json.dumps({"cells": cells, "timelines": pictures}, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode("utf-8", "replace"), 9)).decode("ascii")


def _timelines(document: Mapping[str, Any]) -> Iterator[str]:
    """The files of all timelines, those of one scenario side by side: they are alike, and compress well."""
    for claim in document["claims"]:
        files: dict[str, list[str]] = {}
        for cell in claim["cells"]:
            for each in cell["scenarios"] if cell else ():
                if each["timeline"]:
                    files.setdefault(each["nodeid"], []).append(each["timeline"])
        for alike in files.values():
            yield from alike


def _picture(path: Path) -> str | None:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    # Whatever else a document may name as a timeline does not get into a page that people pass on.
    return text.strip() if text.lstrip().startswith("<svg") else None


def _cell(
    document: Mapping[str, Any],
    claim: Mapping[str, Any],
    target: Mapping[str, Any],
    cell: Mapping[str, Any],
    timelines: Mapping[str, int],
) -> Markup:
    parts = [
        tag("p", words.verdict(cell["verdict"]), " ", tag("span", cell["why"]), class_="why"),
        *_changes(document, claim["slug"], target["name"]),
        *_titles("Limits that are proven", cell["limits"]),
        *_titles("Limits that no longer hold", cell["changes"]),
        tag("h3", words.count(len(cell["scenarios"]), "scenario").capitalize()),
    ]
    unfold = len(cell["scenarios"]) <= _UNFOLDED
    parts += [_scenario(each, timelines, unfold=unfold) for each in cell["scenarios"]]
    parts.append(
        tag("p", tag("code", claim["slug"]), " in ", tag("code", claim["file"]), class_="faint small")
    )
    return join(*parts)


def _changes(document: Mapping[str, Any], slug: str, target: str) -> list[Markup]:
    found = [
        tag(
            "li",
            tag("div", words.badge(each), tag("span", each["kind"], class_="kind"), class_="labels"),
            tag("div", tag("p", f"since {each['before']}: {each['what']}", class_="what"), difference(each)),
            class_=f"change {each['direction']}",
        )
        for each in found_at(document, slug, target)
    ]
    return [tag("h3", "What changed"), tag("ul", *found, class_="plain changes")] if found else []


def _titles(heading: str, titles: list[str]) -> list[Markup]:
    return [tag("h3", heading), tag("ul", *(tag("li", each) for each in titles))] if titles else []


def _scenario(scenario: Mapping[str, Any], timelines: Mapping[str, int], *, unfold: bool) -> Markup:
    kind = tag("span", "limit", class_="kind") if scenario["kind"] == "limit" else ""
    summary = tag(
        "summary",
        words.verdict(scenario["outcome"], short=True),
        tag("span", scenario["title"], class_="title"),
        kind,
        "" if scenario["outcome"] == "NOT RUN" else _duration(scenario["seconds"]),
    )
    parts = [tag("pre", scenario["reason"], class_="reason")] if scenario["reason"] else []
    if scenario["steps"]:
        parts.append(tag("ol", *map(_step, scenario["steps"]), class_="plain steps"))
    if scenario["measurements"]:
        parts += [tag("h4", "Measured"), *map(_measurement, scenario["measurements"])]
    if scenario["watched"]:
        spans = [tag("li", each["what"], " ", _duration(each["seconds"])) for each in scenario["watched"]]
        parts += [tag("h4", "Watched all the time"), tag("ul", *spans)]
    parts.append(tag("h4", "Timeline"))
    if (number := timelines.get(scenario["timeline"])) is not None:
        parts.append(tag("figure", class_="timeline", data_timeline=number, data_title=scenario["title"]))
    else:
        parts.append(tag("p", "no timeline", class_="faint"))
    parts.append(tag("p", tag("code", scenario["nodeid"]), class_="small faint"))
    unfolded = unfold or scenario["outcome"] in ("FALSE", "NOT PROVEN")
    return tag("details", summary, *parts, open=unfolded, class_="scenario")


def _step(step: Mapping[str, Any]) -> Markup:
    passed = step["status"] == "passed"
    status = (
        ""
        if passed
        else tag("span", f" {step['status']}", class_="badge worse" if step["status"] == "failed" else "kind")
    )
    return tag(
        "li",
        tag("span", tag("strong", step["keyword"]), f" {step['text']}", status),
        _duration(step["seconds"]),
    )


def _duration(seconds: float) -> Markup:
    return tag("span", words.seconds(seconds), class_="duration")


def _measurement(taken: Mapping[str, Any]) -> Markup:
    samples = taken["samples"] or [taken["seconds"]]
    told = [tag("strong", taken["name"]), f" {words.seconds(taken['seconds'])}"]
    if len(samples) > 1:
        spread = f"{words.seconds(taken['minimum'])} to {words.seconds(taken['maximum'])}"
        late = words.seconds(taken["p95"])
        told.append(f", the median of {len(samples)} samples ({spread}, 95th percentile {late})")
    if taken["bound"] is None:
        told.append(tag("span", ", no bound", class_="faint"))
    else:
        excess = taken["maximum"] - taken["bound"]
        over = f", exceeded by {words.seconds(excess)}" if excess > 0 else ""
        told.append(f", bound {taken['bound']:g} s{over}")
    parts = [tag("p", *told)]
    if taken["origin"]:
        parts.append(tag("p", f"The bound is from: {taken['origin']}", class_="faint small"))
    plot = strips([Lane("", samples)], taken["name"], taken["bound"])
    return tag("div", *parts, plot, class_="measurement")
