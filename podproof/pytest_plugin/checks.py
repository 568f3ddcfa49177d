"""Everything that makes a feature file unusable, found before any scenario runs."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from podproof.pytest_plugin.claims import Vocabulary
from podproof.pytest_plugin.document import FeatureText, RuleText, ScenarioText, StepText, Tag
from podproof.pytest_plugin.names import example_id, item_name

_STARTS = ("Given", "When", "Then")


def problems(feature: FeatureText, known: Vocabulary) -> list[str]:
    """List what is wrong with the file itself, each as one line that starts with file:line."""
    found = [
        *_tags(feature, known),
        *_rules(feature, known),
        *_scenarios(feature),
        *_twins(feature),
    ]
    return [f"{feature.shown}:{line}: {text}" for line, text in sorted(set(found))]


Finding = tuple[int, str]


def _tags(feature: FeatureText, known: Vocabulary) -> Iterator[Finding]:
    for tag in _all_tags(feature):
        if tag.name not in known.tags:
            near = difflib.get_close_matches(tag.name, known.tags, n=1)
            hint = f"; did you mean @{near[0]}?" if near else "; known tags are the markers of pyproject.toml"
            yield tag.line, f"unknown tag @{tag.name}{hint}"
    for tag in _all_tags(feature, rules=False):
        if tag.name in known.sentences:
            yield tag.line, f"the claim @{tag.name} is tagged here; a claim is the tag of a Rule"


def _all_tags(feature: FeatureText, *, rules: bool = True) -> Iterator[Tag]:
    yield from feature.tags
    if rules:
        for rule in feature.rules:
            yield from rule.tags
    for _, scenario in feature.scenarios():
        yield from scenario.tags
        # A table's tags are kept with each of its rows; naming them once is enough.
        yield from dict.fromkeys(tag for row in scenario.examples or () for tag in row.tags)


def _rules(feature: FeatureText, known: Vocabulary) -> Iterator[Finding]:
    for scenario in feature.loose:
        yield scenario.line, f'scenario "{scenario.name}" is under no Rule, so it belongs to no claim'
    seen: dict[str, int] = {}
    for rule in feature.rules:
        slugs = claims_of(rule, known)
        if len(slugs) != 1:
            which = "no claim" if not slugs else f"{len(slugs)} claims (@{', @'.join(slugs)})"
            yield rule.line, f'Rule "{rule.name}" is tagged with {which}; it needs exactly one'
        elif slugs[0] in seen:
            yield rule.line, f"a second Rule for the claim @{slugs[0]}; the first is on line {seen[slugs[0]]}"
        else:
            seen[slugs[0]] = rule.line
        if not rule.scenarios:
            yield rule.line, f'Rule "{rule.name}" has no scenario, so it proves nothing'


def claims_of(rule: RuleText, known: Vocabulary) -> list[str]:
    """The claims that a Rule is tagged with; a sound one has exactly one."""
    return [tag.name for tag in rule.tags if tag.name in known.sentences]


def _scenarios(feature: FeatureText) -> Iterator[Finding]:
    for steps in (feature.background, *(rule.background for rule in feature.rules)):
        yield from _first_step(steps)
    for _, scenario in feature.scenarios():
        yield from _scenario(scenario)


def _scenario(scenario: ScenarioText) -> Iterator[Finding]:
    if not scenario.steps:
        yield scenario.line, f'scenario "{scenario.name}" has no steps: it would pass without doing anything'
    yield from _first_step(scenario.steps)
    if scenario.examples is None:
        return
    if not scenario.examples:
        yield scenario.line, f'outline "{scenario.name}" has no Examples, so there is nothing to run'
        return
    for example in scenario.examples:
        for step in scenario.steps:
            for missing in sorted(step.placeholders - example.values.keys()):
                yield step.line, f"<{missing}> has no column in the Examples"
    ids: dict[str, int] = {}
    for example in scenario.examples:
        same = ids.setdefault(example_id(example.values), example.line)
        if same != example.line:
            yield example.line, f"this example is the same as the one of line {same}"


def _first_step(steps: tuple[StepText, ...]) -> Iterator[Finding]:
    if steps and steps[0].keyword not in _STARTS:
        yield steps[0].line, f"the first step must start with Given, When or Then, not {steps[0].keyword}"


def _twins(feature: FeatureText) -> Iterator[Finding]:
    """Scenarios that pytest-bdd would silently drop, or that would share one node id."""
    names: dict[str, ScenarioText] = {}
    for _, scenario in feature.scenarios():
        first = names.setdefault(item_name(scenario.name), scenario)
        if first is scenario:
            continue
        how = "has the same name as" if first.name == scenario.name else "is named too much like"
        yield scenario.line, f'scenario "{scenario.name}" {how} the one of line {first.line}'


def did_you_mean(step: str, defined: Iterable[str]) -> str:
    """A hint for an undefined step: the defined one that is nearest, if any is near."""
    near = difflib.get_close_matches(step, list(defined), n=1, cutoff=0.7)
    return f'; did you mean "{near[0]}"?' if near else ""
