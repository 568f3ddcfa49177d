"""Collects `.feature` files as pytest collects modules: no test module has to be written.

pytest-bdd's own `scenario()` makes the test functions and runs them. What is added here is where they come
from, how they are named and located, and that nothing that is wrong with a file goes unnoticed.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from _pytest.python import CallSpec
from pytest_bdd import scenario as bdd_scenario
from pytest_bdd.exceptions import GherkinParseError
from pytest_bdd.scenario import find_fixturedefs_for_step
from pytest_bdd.steps import step_function_context_registry

from podproof.pytest_plugin.checks import did_you_mean, problems
from podproof.pytest_plugin.claims import Vocabulary, vocabulary
from podproof.pytest_plugin.document import Example, FeatureFileError, FeatureText, ScenarioText, read_feature
from podproof.pytest_plugin.names import example_id, item_name, repetition_id
from podproof.pytest_plugin.plan import plan, shown
from podproof.verdicts.scenarios import ScenarioPlan

_SEEN = pytest.StashKey[dict[str, str]]()


class FeatureFile(pytest.Module):
    """A `.feature` file; a Module to pytest, so that module-scoped fixtures work."""

    def _getobj(self) -> types.ModuleType:
        return types.ModuleType(self.path.stem)

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Yield each scenario, and each row of an outline, or raise all that is wrong with the file."""
        known = vocabulary(self.config)
        try:
            feature = read_feature(self.path, shown(self.path, self.config.rootpath))
            self._check(feature, known)
            yield from self._items(feature, known)
        except FeatureFileError as error:
            raise self.CollectError(str(error)) from None
        except GherkinParseError as error:
            # What pytest-bdd's parser refuses beyond the Gherkin language itself.
            where = f"{shown(Path(error.filename), self.config.rootpath)}:{error.line}"
            raise self.CollectError(f"{where}: {error.message}") from None

    def _check(self, feature: FeatureText, known: Vocabulary) -> None:
        # Steps are looked up only in a sound file: pytest-bdd cannot read every other one.
        wrong = problems(feature, known) or [
            *_claimed_elsewhere(self, feature, known),
            *_undefined_steps(self, feature),
        ]
        if wrong:
            raise FeatureFileError(wrong)

    def _items(self, feature: FeatureText, known: Vocabulary) -> Iterator[ScenarioItem]:
        for rule, scenario in feature.scenarios():
            if rule is None:
                continue  # the checks have refused such a file
            function = _function(feature, scenario)
            for example in scenario.examples if scenario.examples is not None else (None,):
                what = plan(feature, rule, scenario, example, known)
                row = example_id(example.values) if example else None
                yield ScenarioItem.from_parent(
                    self,
                    name=what.nodeid.removeprefix(f"{feature.shown}::"),
                    originalname=item_name(scenario.name),
                    # Only names the row, for node ids, `--lf` and `-k`; its values are bound already.
                    callspec=CallSpec(_idlist=(row,)) if row is not None else None,
                    keywords={row: True} if row is not None else None,
                    callobj=_bound(function, example),
                    plan=what,
                )


class ScenarioItem(pytest.Function):
    """One scenario, or one row of an outline.

    Attributes:
        plan: What it is about.
        repetition: Which one it is, if there are several; else empty.
    """

    def __init__(self, *, plan: ScenarioPlan, repetition: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan = plan
        self.repetition = repetition

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it stands in the feature file, and its title."""
        which = f" ({self.repetition})" if self.repetition else ""
        return self.path, self.plan.line - 1, f"{self.plan.title}{which}"

    def again(self, number: int, of: int) -> ScenarioItem:
        """One repetition of this scenario, an item of its own."""
        row = self.callspec._idlist if hasattr(self, "callspec") else ()
        which = repetition_id(number, of)
        spec = CallSpec(_idlist=(*row, which))
        item: ScenarioItem = ScenarioItem.from_parent(
            self.parent,
            name=f"{self.originalname}[{spec.id}]",
            originalname=self.originalname,
            callspec=spec,
            callobj=self.obj,
            plan=self.plan,
            repetition=which,
        )
        # What was marked since it was collected is marked in its repetitions.
        item.own_markers[:] = self.own_markers
        item.keywords.update((mark.name, mark) for mark in self.own_markers)
        return item


def _function(feature: FeatureText, scenario: ScenarioText) -> Callable[..., object]:
    """The function that pytest-bdd makes of a scenario; it takes the request and an example's values."""

    def test() -> None:
        """Nothing happens after the steps."""

    decorate = bdd_scenario(feature.path.name, scenario.name, features_base_dir=str(feature.path.parent))
    return decorate(test)


def _bound(function: Callable[..., object], example: Example | None) -> Callable[..., object]:
    """The function for one example.

    pytest-bdd would leave the rows to `parametrize`; bound here, each is located at its own line.
    """
    values: Mapping[str, str] = dict(example.values) if example else {}

    def run(request: pytest.FixtureRequest) -> None:
        __tracebackhide__ = True
        function(request, values)

    marks: list[pytest.Mark] = [
        mark for mark in getattr(function, "pytestmark", ()) if mark.name != "parametrize"
    ]
    own = [getattr(pytest.mark, tag.name).mark for tag in (example.tags if example else ())]
    run.pytestmark = [*own, *marks]  # type: ignore[attr-defined]  # where pytest keeps a function's marks
    run.__doc__ = function.__doc__
    return run


def _claimed_elsewhere(file: FeatureFile, feature: FeatureText, known: Vocabulary) -> Iterator[str]:
    """A claim has one Rule in the whole suite, or its verdict would depend on which file is run."""
    seen = file.session.stash.setdefault(_SEEN, {})
    for rule in feature.rules:
        for tag in rule.tags:
            if tag.name not in known.sentences:
                continue
            here = f"{feature.shown}:{rule.line}"
            first = seen.setdefault(tag.name, here)
            if first != here:
                yield f"{here}: a second Rule for the claim @{tag.name}; the first is {first}"


def _undefined_steps(file: FeatureFile, feature: FeatureText) -> Iterator[str]:
    """Steps that no step definition matches, each as one line that starts with file:line."""
    # pytest-bdd types steps and merges Backgrounds, so its own view of the file is what is looked up.
    template_of = bdd_templates(feature)
    fixtures = file.session._fixturemanager
    asked: dict[tuple[str, str], bool] = {}
    told: set[str] = set()
    for _, scenario in feature.scenarios():
        for example in scenario.examples if scenario.examples is not None else (None,):
            for step in template_of[scenario.name].render(dict(example.values) if example else {}).steps:
                key = (step.type, step.name)
                if key not in asked:
                    asked[key] = any(find_fixturedefs_for_step(step, fixtures, file))
                if asked[key]:
                    continue
                line = f'{feature.shown}:{step.line_number}: undefined step "{step.keyword} {step.name}"'
                if line not in told:
                    told.add(line)
                    yield line + did_you_mean(step.name, _defined_steps(step.type))


def bdd_templates(feature: FeatureText) -> Mapping[str, Any]:
    """pytest-bdd's own scenarios of a file, by their names."""
    from pytest_bdd.feature import get_feature

    return get_feature(str(feature.path.parent), feature.path.name).scenarios


def _defined_steps(kind: str) -> list[str]:
    """The texts of all step definitions for Given, When or Then."""
    return [
        context.parser.name
        for context in step_function_context_registry.values()
        if context.type in (None, kind) and isinstance(context.parser.name, str)
    ]
