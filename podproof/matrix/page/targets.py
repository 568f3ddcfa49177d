"""What each target was, and how to try it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from podproof.matrix.page import words
from podproof.matrix.page.markup import Markup, join, tag


def targets(document: Mapping[str, Any]) -> Markup:
    """One part for each, folded: a reader wants one of them at most."""
    return join(*map(_target, document["targets"]))


def _target(target: Mapping[str, Any]) -> Markup:
    tried = target["status"] == "tried"
    told = (target["version"], words.seconds(target["seconds"])) if tried else ("⊘ not tried",)
    summary = tag("summary", tag("strong", target["name"]), tag("span", " · ".join(told), class_="faint"))
    parts = [_facts(target)]
    if target["settings"]:
        parts += [tag("h4", "Settings"), _settings(target["settings"])]
    if target["capabilities"]:
        listed = [
            tag("li", tag("span", "✓ " if has else "✗ ", aria_hidden="true"), _has(has), name)
            for name, has in sorted(target["capabilities"].items())
        ]
        parts += [tag("h4", "Capabilities"), tag("ul", *listed, class_="plain")]
    if target["api_warnings"]:
        listed = [tag("li", each) for each in target["api_warnings"]]
        parts += [tag("h4", "Warnings of its API server"), tag("ul", *listed)]
    if target["reproduce"]:
        commands = tag("pre", tag("code", "\n".join(target["reproduce"])), tabindex="0")
        copy = tag("button", "Copy", type="button", class_="plainly copy", hidden=True)
        parts += [tag("h4", "Reproduce"), tag("div", commands, copy, class_="commands")]
    return tag("details", summary, *parts, class_="card target")


def _has(has: bool) -> Markup:
    return tag("span", "" if has else "lacks: ", class_="faint")


def _facts(target: Mapping[str, Any]) -> Markup:
    rows: list[tuple[str, str | Markup]] = []
    if target["status"] != "tried":
        rows.append(("Not tried because", words.reason(target["why"])))
    elif target["why"]:
        rows.append(("Ended early", target["why"]))
    rows += [
        ("Asked for as", target["target"]),
        ("Version", target["version"]),
        ("Components", target["components"]),
        ("Flags", _codes(target["flags"])),
        ("Suite", _suite(target["suite"])),
    ]
    if target["started"]:
        rows.append(("Tried", f"{words.moment(target['started'])}, for {words.seconds(target['seconds'])}"))
    if target["build_seconds"]:
        rows.append(("Building took", words.seconds(target["build_seconds"])))
    nodes = [
        f"{each['name']} {each['version']}{' (victim)' if each['victim'] else ''}" for each in target["nodes"]
    ]
    rows += [
        ("Nodes", ", ".join(nodes)),
        ("Results", _codes([target["results"]] if target["results"] else [])),
    ]
    return tag(
        "dl", *(tag("div", tag("dt", name), tag("dd", told)) for name, told in rows if told), class_="facts"
    )


def _suite(suite: Mapping[str, str]) -> Markup:
    if not suite["commit"] and not suite["fingerprint"]:
        return Markup("")
    return join(
        "commit ", tag("code", suite["commit"]), ", fingerprint ", tag("code", suite["fingerprint"][:16])
    )


def _codes(texts: Iterable[str]) -> Markup:
    return join(*(part for each in texts for part in (tag("code", each), " ")))


def _settings(settings: Mapping[str, Mapping[str, Any]]) -> Markup:
    rows = [
        tag(
            "tr",
            tag("th", name, scope="row"),
            tag("td", tag("code", each["value"])),
            tag("td", "assumed: " if each["assumed"] else "", each["origin"]),
        )
        for name, each in sorted(settings.items())
    ]
    head = tag("tr", *(tag("th", each, scope="col") for each in ("Setting", "Value", "Where it was read")))
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="settings")
    return tag("div", table, class_="scrolled", tabindex="0", role="region", aria_label="Settings")
