"""What each scenario is about: read from the file, before and without running anything."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from podproof.pytest_plugin.checks import claims_of
from podproof.pytest_plugin.claims import LIMIT, Vocabulary
from podproof.pytest_plugin.document import (
    Example,
    FeatureFileError,
    FeatureText,
    RuleText,
    ScenarioText,
    read_feature,
    render,
)
from podproof.pytest_plugin.names import example_id, item_name
from podproof.verdicts.scenarios import Kind, PlannedStep, ScenarioPlan


def shown(path: Path, root: Path) -> str:
    """How errors and reports name a file: relative to pytest's root directory if it is in there."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def plan(
    feature: FeatureText, rule: RuleText, scenario: ScenarioText, example: Example | None, known: Vocabulary
) -> ScenarioPlan:
    """Say what one scenario, or one row of an outline, is about."""
    values = dict(example.values) if example else {}
    slug = claims_of(rule, known)[0]
    tags = {tag.name for tag in (*scenario.tags, *(example.tags if example else ()))}
    suffix = f"[{example_id(values)}]" if example else ""
    return ScenarioPlan(
        nodeid=f"{feature.shown}::{item_name(scenario.name)}{suffix}",
        file=feature.shown,
        line=example.line if example else scenario.line,
        title=_title(scenario, values),
        feature=feature.name,
        claim=slug,
        sentence=known.sentences[slug],
        rule=rule.name,
        kind=Kind.LIMIT if LIMIT in tags else Kind.SUPPORT,
        about=scenario.description,
        why_it_matters=rule.description,
        example=values,
        steps=tuple(
            PlannedStep(step.keyword, step.rendered(values), step.line)
            for step in feature.steps_of(rule, scenario)
        ),
        tags=tuple(sorted(tags | {tag.name for tag in rule.tags})),
    )


def plans(feature: FeatureText, known: Vocabulary) -> list[ScenarioPlan]:
    """Say what every scenario of a sound feature file is about, in its order."""
    return [
        plan(feature, rule, scenario, example, known)
        for rule, scenario in feature.scenarios()
        if rule is not None and len(claims_of(rule, known)) == 1
        for example in (scenario.examples if scenario.examples is not None else (None,))
    ]


def plans_of_files(files: Iterable[str], root: Path, known: Vocabulary) -> list[ScenarioPlan]:
    """Say what all scenarios of these files are about, whether they were selected to run or not."""
    found: list[ScenarioPlan] = []
    for name in files:
        try:
            found += plans(read_feature(root / name, name), known)
        except (FeatureFileError, OSError):
            continue  # the collector reports it
    return found


def _title(scenario: ScenarioText, values: dict[str, str]) -> str:
    """The title with the example's values: in their places, or behind it where it names none."""
    title = render(scenario.name, values)
    unnamed = [value for name, value in values.items() if f"<{name}>" not in scenario.name]
    return f"{title} ({', '.join(unnamed)})" if unnamed else title
