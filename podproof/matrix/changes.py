"""What differs between two targets, and whether that is worse.

A claim is worse off where it was TRUE, within limits or not, and is FALSE or does not apply any more; or
where it did not apply and is FALSE. A limit that vanished is news and neither: the claim now holds where it
did not, and who relied on the limit has to know. What is NOT PROVEN on either side cannot be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from podproof.matrix import times
from podproof.verdicts.spread import Spread

Change = dict[str, Any]
Column = Mapping[str, Any]
"""A target as it stands in the matrix, with its `cells`: a claim's cell by its slug."""

_RANK = {"TRUE": 2, "TRUE WITHIN LIMITS": 2, "NOT APPLICABLE": 1, "FALSE": 0}
WORSE_FIRST = ("worse", "unknown", "other", "better")
ABSENT = "absent"
NONE = "-"


def compare(before: Column, after: Column, *, baseline: bool = False) -> tuple[dict[str, Any], list[Change]]:
    """Compare two targets that were tried.

    Args:
        before: The earlier one.
        after: The later one.
        baseline: Whether the earlier one is of another matrix.

    Returns:
        What was compared, and every change, the worst first; both in the shape of the schema.
    """
    tested = _tested(before, after)
    found = [
        *_of_claims(before, after),
        *_of_times(tested, _claims(after)),
        *_of_capabilities(before, after),
        *_of_warnings(before, after),
        *_of_settings(before, after),
    ]
    names = {"before": before["name"], "after": after["name"], "baseline": baseline}
    for change in found:
        change.update(names)
    found.sort(key=lambda change: WORSE_FIRST.index(change["direction"]))
    return {**names, "times": len(tested.differences), "too_few": tested.too_few}, found


def _change(
    kind: str, direction: str, what: str, was: str, now: str, *, claim: str = "", time: Change | None = None
) -> Change:
    return {
        "kind": kind, "direction": direction, "claim": claim,
        "what": what, "was": was, "is": now, "time": time,
    }  # fmt: skip


def _of_claims(before: Column, after: Column) -> Iterator[Change]:
    for slug in dict.fromkeys((*before["cells"], *after["cells"])):
        was, now = before["cells"].get(slug), after["cells"].get(slug)
        if was is None or now is None:
            yield _change(
                "verdict", "other", "the suite has another set of claims",
                was["verdict"] if was else ABSENT, now["verdict"] if now else ABSENT, claim=slug,
            )  # fmt: skip
            continue
        if was["verdict"] != now["verdict"]:
            yield _change(
                "verdict", _direction(was, now), now["why"], was["verdict"], now["verdict"], claim=slug
            )
        yield from _of_scenarios(slug, was, now)


def _direction(was: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    if "NOT PROVEN" in (was["verdict"], now["verdict"]):
        return "unknown"
    gained = _RANK[now["verdict"]] - _RANK[was["verdict"]]
    return "worse" if gained < 0 else "better" if gained > 0 else "other"


def _of_scenarios(slug: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    """Scenarios that came out differently, in words of what that means for the claim."""
    earlier = {each["nodeid"]: each for each in was["scenarios"]}
    for each in now["scenarios"]:
        other = earlier.get(each["nodeid"])
        if other is None or other["outcome"] == each["outcome"]:
            continue
        outcomes = {other["outcome"], each["outcome"]}
        kind = "limit" if each["kind"] == "limit" else "scenario"
        if "NOT PROVEN" in outcomes:
            direction = "unknown"
        elif kind == "limit" or "NOT RUN" in outcomes:
            direction = "other"
        else:
            direction = "worse" if _RANK[each["outcome"]] < _RANK[other["outcome"]] else "better"
        reason = f": {_first_line(each['reason'])}" if each["reason"] else ""
        yield _change(
            kind, direction, f"{each['title']}{reason}", other["outcome"], each["outcome"], claim=slug
        )


def _first_line(text: str) -> str:
    return next(iter(text.splitlines()), "")


def _tested(before: Column, after: Column) -> times.Tested:
    return times.compare(*(times.samples_of(_scenarios(column)) for column in (before, after)))


def _scenarios(column: Column) -> list[Mapping[str, Any]]:
    return [each for cell in column["cells"].values() for each in cell["scenarios"]]


def _claims(column: Column) -> dict[str, str]:
    """The claim of each scenario, by its node id."""
    return {each["nodeid"]: slug for slug, cell in column["cells"].items() for each in cell["scenarios"]}


def _of_times(tested: times.Tested, claims: Mapping[str, str]) -> Iterator[Change]:
    for each in tested.differences:
        if not each.is_worth_telling:
            continue
        was, now = spread(each.before), spread(each.after)
        longer = each.ratio > 1
        title = each.scenario.rpartition("::")[2].removeprefix("test_").replace("_", " ")
        yield _change(
            "time",
            "worse" if longer else "better",
            f"{title}: {each.measurement} takes {each.ratio:.2f} times as long",
            f"{was['median']:.2f} s",
            f"{now['median']:.2f} s",
            claim=claims[each.scenario],
            time={
                "scenario": each.scenario,
                "measurement": each.measurement,
                "before": was,
                "after": now,
                "ratio": round(each.ratio, 3),
                "effect": round(each.effect, 3),
                "p": each.p,
                "p_adjusted": each.p_adjusted,
            },
        )


def spread(samples: Sequence[float]) -> dict[str, Any]:
    """Samples in the shape of the schema."""
    return {"count": len(samples), "median": Spread(samples).median, "samples": list(samples)}


def _of_capabilities(before: Column, after: Column) -> Iterator[Change]:
    """What came or went; one that only one of both was asked for has neither come nor gone.

    That is neither better nor worse by itself: a claim that rested on it says so by its verdict.
    """
    words = {True: "offered", False: "not offered"}
    for name, had in before["capabilities"].items():
        has = after["capabilities"].get(name)
        if has is not None and has != had:
            yield _change("capability", "other", name, words[had], words[has])


def _of_warnings(before: Column, after: Column) -> Iterator[Change]:
    had, has = before["api_warnings"], after["api_warnings"]
    for text in has:
        if text not in had:
            yield _change("warning", "other", text, NONE, "warned of")
    for text in had:
        if text not in has:
            yield _change("warning", "other", text, "warned of", NONE)


def _of_settings(before: Column, after: Column) -> Iterator[Change]:
    for name, setting in after["settings"].items():
        other = before["settings"].get(name)
        if other is not None and other["value"] != setting["value"]:
            what = f"{name} ({setting['origin']})"
            yield _change("setting", "other", what, other["value"], setting["value"])
