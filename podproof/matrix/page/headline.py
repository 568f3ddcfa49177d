"""What was compared, when, and what came out, as far as ten seconds take a reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from podproof.matrix.page import words
from podproof.matrix.page.changes import counts, in_order, link, of
from podproof.matrix.page.markup import Markup, join, tag

_MOST_LINES = 5
_OUTCOMES = {
    0: ("✓", "good", "No claim became worse"),
    1: ("▼", "bad", "Something became worse"),
    2: ("?", "open", "It could not be told"),
}


def headline(document: Mapping[str, Any]) -> Markup:
    """The outcome, in words and with what to keep in mind about it."""
    symbol, style, told = _OUTCOMES[document["outcome"]["status"]]
    tried = [each for each in document["targets"] if each["status"] == "tried"]
    compared = ", ".join(each["name"] for each in tried) or "nothing"
    facts = [
        f"{words.moment(document['started'])} to {words.moment(document['ended'])}",
        words.count(len(document["claims"]), "claim"),
        f"each recovery timed {words.count(document['samples'], 'time')}",
        document["machine"],
        f"podproof {document['podproof']}",
    ]
    outcome = tag(
        "div",
        tag("span", symbol, class_="sign", aria_hidden="true"),
        tag(
            "div",
            tag("h2", told, id="outcome"),
            tag("p", document["outcome"]["text"]),
            *_first(document),
            counts(document),
        ),
        class_=f"outcome {style}",
    )
    return join(
        tag(
            "div",
            tag("h1", "Claims about Kubernetes by version"),
            tag("p", tag("strong", compared), class_="compared"),
            tag("p", *_separated(facts), class_="faint"),
        ),
        outcome,
        *_warnings(document, tried),
    )


def _first(document: Mapping[str, Any]) -> list[Markup]:
    """What became worse, or what could not be told if nothing did: one line for each claim and target."""
    claims = {each["slug"]: each["sentence"] for each in document["claims"]}
    lines: dict[tuple[str, str], Markup] = {}
    for wanted in ("worse", "unknown"):
        for change in in_order([each for each in document["changes"] if each["direction"] == wanted]):
            about = (
                link(change, claims) if change["claim"] else tag("span", change["what"], class_="sentence")
            )
            difference = f"{change['was'] or 'nothing'} → {change['is'] or 'nothing'}"
            told = tag("span", f" {words.direction(change)}: {difference}", class_="small")
            key = (change["after"], change["claim"] or change["what"])
            lines.setdefault(key, tag("li", tag("strong", change["after"]), " ", about, told))
        if lines:
            break
    listed = list(lines.values())
    if len(listed) > _MOST_LINES:
        listed[_MOST_LINES:] = [tag("li", f"and {len(listed) - _MOST_LINES} more")]
    return [tag("ul", *listed, class_="plain first")] if listed else []


def versions(document: Mapping[str, Any]) -> Markup:
    """One card for each target, in order: how many claims have which verdict, and what changed before it."""
    cards = [_card(document, column, target) for column, target in enumerate(document["targets"])]
    return tag("ol", *cards, class_="versions")


def _card(document: Mapping[str, Any], column: int, target: Mapping[str, Any]) -> Markup:
    name = tag("strong", target["name"], class_="name")
    if target["status"] != "tried":
        why = tag("p", words.reason(target["why"]), class_="small clamped")
        return tag("li", name, tag("p", "⊘ not tried", class_="faint"), why, class_="card lacking")
    found = Counter(
        claim["cells"][column]["verdict"] for claim in document["claims"] if claim["cells"][column]
    )
    lines = [
        tag("li", tag("span", str(found[each]), class_="number"), " ", words.verdict(each, short=True))
        for each in words.MEANING
        if found[each]
    ]
    told = [_since(document, each) for each in document["comparisons"] if each["after"] == target["name"]]
    if target["why"]:
        told.append(tag("p", f"⚠ ended early: {target['why']}", class_="small"))
    return tag(
        "li",
        name,
        _bar(found),
        tag("ul", *lines, class_="plain small"),
        *(told or [tag("p", "compared with nothing before it", class_="faint small")]),
        class_="card",
    )


def _since(document: Mapping[str, Any], comparison: Mapping[str, Any]) -> Markup:
    changes = [each for each in document["changes"] if of(each, comparison)]
    before = f"since {comparison['before']}{' (baseline)' if comparison['baseline'] else ''}: "
    return tag("p", before, words.tally(changes) or tag("span", "no change", class_="faint"), class_="small")


def _bar(found: Mapping[str, int]) -> Markup:
    """The verdicts as parts of a bar; the numbers beside it say the same."""
    whole = sum(found.values()) or 1
    parts, x = [], 0.0
    for name in words.MEANING:
        width = found[name] / whole * 100
        if width:
            style = f"part {words.STYLES[name]}"
            parts.append(tag("rect", x=round(x, 2), y=0, width=round(width, 2), height=8, class_=style))
        x += width
    return tag(
        "svg", *parts, class_="bar", viewBox="0 0 100 8", preserveAspectRatio="none", aria_hidden="true"
    )


def _warnings(document: Mapping[str, Any], tried: list[Mapping[str, Any]]) -> list[Markup]:
    found = []
    suites: dict[str, list[Mapping[str, Any]]] = {}
    for target in tried:
        suites.setdefault(target["suite"]["fingerprint"], []).append(target)
    if len(suites) > 1:
        listed = [
            tag(
                "li",
                ", ".join(each["name"] for each in targets),
                ": suite ",
                tag("code", fingerprint[:12] or "unknown"),
                " of commit ",
                tag("code", ", ".join(sorted({each["suite"]["commit"][:12] for each in targets}))),
            )
            for fingerprint, targets in suites.items()
        ]
        text = "The targets were tried with different suites: what changed may be the suite's doing."
        found.append(_warning(tag("p", tag("strong", text)), tag("ul", *listed)))
    if not document["complete"]:
        found.append(
            _warning(tag("p", tag("strong", "Not complete: "), words.reason(document["ended_early"])))
        )
    return found


def _warning(*content: Markup) -> Markup:
    sign = tag("span", "⚠", class_="sign", aria_hidden="true")
    return tag("div", sign, tag("div", *content), class_="warning", role="note")


def _separated(facts: list[str]) -> list[Markup]:
    """Facts as parts that a line may break between, and not within."""
    return [tag("span", fact, class_="fact") for fact in facts if fact]
