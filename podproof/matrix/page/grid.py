"""The matrix itself: claims by targets, as a grid of buttons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from podproof.matrix.page import words
from podproof.matrix.page.changes import in_order
from podproof.matrix.page.markup import Markup, tag


def grid(document: Mapping[str, Any]) -> Markup:
    """The whole table; its rows are grouped by subject, in the order of the document."""
    targets = document["targets"]
    corner = tag("th", "Claim", scope="col", role="columnheader", class_="claim")
    head = tag("tr", corner, *map(_column, targets), role="row")
    bodies = []
    for subject, claims in groupby(in_subjects(document["claims"]), key=lambda claim: claim["feature"]):
        title = tag("span", subject, class_="stuck")
        heading = tag("th", title, colspan=len(targets) + 1, scope="rowgroup", role="rowheader")
        rows = [_row(document, claim) for claim in claims]
        bodies.append(
            tag(
                "tbody",
                tag("tr", heading, role="row", class_="subject"),
                *rows,
                data_subject=subject,
                role="rowgroup",
            )
        )
    return tag(
        "table",
        tag("thead", head, role="rowgroup"),
        *bodies,
        role="grid",
        aria_labelledby="matrix",
        aria_readonly="true",
        class_="grid",
    )


def in_subjects(claims: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Claims with all of a subject side by side."""
    subjects = list(dict.fromkeys(claim["feature"] for claim in claims))
    return sorted(claims, key=lambda claim: subjects.index(claim["feature"]))


def found_at(document: Mapping[str, Any], slug: str, target: str) -> list[Mapping[str, Any]]:
    """The changes of a claim that came with a target."""
    return in_order(
        [each for each in document["changes"] if each["claim"] == slug and each["after"] == target]
    )


def legend() -> Markup:
    """What the symbols mean."""
    verdicts = [
        tag("li", words.verdict(name, short=True), tag("span", f" {meaning}", class_="faint"))
        for name, meaning in words.MEANING.items()
    ]
    verdicts.append(
        tag(
            "li",
            tag("span", "1.2 s", class_="number"),
            tag("span", " median time of recovery", class_="faint"),
        )
    )
    return tag("ul", *verdicts, class_="plain legend small")


def _column(target: Mapping[str, Any]) -> Markup:
    name = tag("span", target["name"], class_="name")
    told: list[Markup] = []
    if target["status"] != "tried":
        told = [
            tag("span", "⊘ not tried", class_="note"),
            tag("span", words.reason(target["why"]), class_="note faint clamped", title=target["why"]),
        ]
    elif target["version"].lstrip("v") != target["name"]:
        told = [tag("span", target["version"], class_="note faint")]
    return tag("th", name, *told, scope="col", role="columnheader")


def _row(document: Mapping[str, Any], claim: Mapping[str, Any]) -> Markup:
    slug = claim["slug"]
    changed = any(found_at(document, slug, target["name"]) for target in document["targets"])
    titles = {each["title"] for cell in claim["cells"] if cell for each in cell["scenarios"]}
    heading = tag(
        "th",
        tag("span", claim["sentence"], class_="sentence"),
        tag("code", slug, class_="slug"),
        scope="row",
        role="rowheader",
        class_="claim",
    )
    cells = [
        _cell(document, claim, target, cell)
        for target, cell in zip(document["targets"], claim["cells"], strict=True)
    ]
    return tag(
        "tr",
        heading,
        *cells,
        id=f"claim-{slug}",
        role="row",
        data_slug=slug,
        data_changed=changed,
        data_also=" ".join(sorted(titles)).lower(),
    )


def _cell(
    document: Mapping[str, Any],
    claim: Mapping[str, Any],
    target: Mapping[str, Any],
    cell: Mapping[str, Any] | None,
) -> Markup:
    if cell is None:
        told = "not in its suite" if target["status"] == "tried" else "not tried"
        return tag("td", tag("span", told), role="gridcell", class_="nothing", tabindex="-1")
    changes = found_at(document, claim["slug"], target["name"])
    notes = []
    if hint := _limits(cell):
        notes.append(tag("span", hint, class_="note"))
    if cell["recovery"]:
        median = words.seconds(cell["recovery"]["median"])
        notes.append(tag("span", tag("span", "recovery ", class_="label"), median, class_="note"))
    if changes:
        since = f", since {changes[0]['before']}"
        more = f" +{len(changes) - 1}" if len(changes) > 1 else ""
        told = tag("span", more, class_="note")
        notes.append(tag("span", words.badge(changes[0]), told, _unseen(since)))
    button = tag(
        "button",
        words.verdict(cell["verdict"], short=True),
        *notes,
        type="button",
        tabindex="-1",
        aria_haspopup="dialog",
        data_cell=f"{claim['slug']}@{target['name']}",
        class_=" ".join(
            [words.STYLES[cell["verdict"]], *(["changed", changes[0]["direction"]] if changes else [])]
        ),
    )
    return tag("td", button, role="gridcell")


def _limits(cell: Mapping[str, Any]) -> str:
    """How many limits are proven, where it is not all of them."""
    all_of_them = sum(each["kind"] == "limit" for each in cell["scenarios"])
    proven = len(cell["limits"])
    return f"{proven}/{all_of_them} limits" if proven < all_of_them else ""


def _unseen(text: str) -> Markup:
    return tag("span", text, class_="unseen")
