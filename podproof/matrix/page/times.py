"""Recovery times over the targets, so that a trend is seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podproof.matrix.page import words
from podproof.matrix.page.grid import in_subjects
from podproof.matrix.page.markup import Markup, tag
from podproof.matrix.page.plots import Lane, strips

_MEASUREMENT = "recovery"


def times(document: Mapping[str, Any]) -> Markup:
    """One card for each claim with times of recovery, and in it a plot for each scenario that has some."""
    cards = [
        card for claim in in_subjects(document["claims"]) if (card := _card(document, claim)) is not None
    ]
    if not cards:
        return tag("p", "No claim measured a recovery.")
    return tag("div", *cards, class_="cards")


def _card(document: Mapping[str, Any], claim: Mapping[str, Any]) -> Markup | None:
    if not any(cell and cell["recovery"] for cell in claim["cells"]):
        return None
    columns = [
        (target["name"], cell)
        for target, cell in zip(document["targets"], claim["cells"], strict=True)
        if target["status"] == "tried"
    ]
    found = {
        (each["time"]["scenario"], each["after"]): each["direction"]
        for each in document["changes"]
        if each["time"] and each["claim"] == claim["slug"]
    }
    plots = []
    for nodeid, title in _timed(claim).items():
        lanes = []
        for name, cell in columns:
            direction = found.get((nodeid, name), "")
            word = words.SPEEDS.get(direction, "")
            lanes.append(Lane(name, _samples(cell, nodeid), direction, word))
        plots.append(tag("figure", tag("figcaption", title), strips(lanes, f"{title}: recovery, seconds")))
    if not plots:  # no scenario says which times they are: the claim's own
        lanes = [
            Lane(name, cell["recovery"]["samples"] if cell and cell["recovery"] else ())
            for name, cell in columns
        ]
        plots.append(tag("figure", strips(lanes, "recovery, seconds")))
    return tag("article", tag("h3", claim["sentence"]), *plots, class_="card", data_slug=claim["slug"])


def _timed(claim: Mapping[str, Any]) -> dict[str, str]:
    """The scenarios that measure a recovery anywhere: their titles by their ids."""
    return {
        each["nodeid"]: each["title"]
        for cell in claim["cells"]
        if cell
        for each in cell["scenarios"]
        if any(map(_is_recovery, each["measurements"]))
    }


def _samples(cell: Mapping[str, Any] | None, nodeid: str) -> list[float]:
    return [
        sample
        for each in (cell["scenarios"] if cell else ())
        if each["nodeid"] == nodeid
        for taken in each["measurements"]
        if _is_recovery(taken)
        for sample in taken["samples"] or [taken["seconds"]]
    ]


def _is_recovery(taken: Mapping[str, Any]) -> bool:
    return bool(taken["name"] == _MEASUREMENT)
