"""`podproof steps`: every sentence that a scenario can be made of, what it does, and where one says it."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from podproof.errors import UsageError

KEYWORDS = ("given", "when", "then")
_ALIKE = 0.9
"""How much of their letters two sentences must share to be worth a second look, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step that is defined.

    Attributes:
        keyword: One of `KEYWORDS`.
        sentence: What scenarios say, with its parameters.
        about: The first line of its docstring.
        function: What runs, as ``module.name``: sentences of one function are variants of each other.
        example: A sentence of a scenario that means it; empty if no scenario does.
        where: The file and line of that.
    """

    keyword: str
    sentence: str
    about: str
    function: str
    example: str = ""
    where: str = ""


def steps_of(suite: Path) -> list[Step]:
    """The steps that the modules in `suite`/steps define, with examples from `suite`/features; sorted.

    Raises:
        UsageError: There is no such directory, or a module cannot be imported.
    """
    # Late: only this command needs them.
    from pytest_bdd.steps import step_function_context_registry

    folder = suite / "steps"
    if not folder.is_dir():
        raise UsageError(f"there are no steps in {folder}: name the directory that has steps/ and features/")
    sys.path.insert(0, str(suite))
    try:
        for module in pkgutil.iter_modules([str(folder)]):
            importlib.import_module(f"{folder.name}.{module.name}")
    except (ImportError, SyntaxError) as error:
        raise UsageError(f"the steps cannot be read: {error}") from error
    finally:
        sys.path.remove(str(suite))
    said = list(_said(suite))
    found = [
        _step(context, said)
        for context in step_function_context_registry.values()
        if context.step_func.__module__.startswith(f"{folder.name}.")
    ]
    return sorted(found, key=lambda step: (KEYWORDS.index(step.keyword), step.sentence.lower()))


def alike(steps: Sequence[Step]) -> list[tuple[Step, Step]]:
    """Pairs of steps with the same keyword that say nearly the same, by different functions."""
    return [
        (one, other)
        for one, other in combinations(steps, 2)
        if one.keyword == other.keyword
        and one.function != other.function
        and _likeness(_plain(one.sentence), _plain(other.sentence)) >= _ALIKE
    ]


def listing(steps: Sequence[Step]) -> Iterator[str]:
    """The steps as lines of text, and after them what may be wrong with them."""
    for keyword in KEYWORDS:
        group = [step for step in steps if step.keyword == keyword]
        yield f"{keyword.capitalize()} ({len(group)})"
        for step in group:
            yield f"  {step.sentence}"
            yield f"      {step.about}"
            if step.example and step.example != step.sentence:
                yield f"      for example: {step.example}"
            if step.where:
                yield f"      {step.where}"
        yield ""
    for step in steps:
        if not step.where:
            yield f"no scenario says: {step.keyword.capitalize()} {step.sentence} ({step.function})"
    for one, other in alike(steps):
        yield f"nearly the same: {one.keyword.capitalize()} {one.sentence}"
        yield f"            and: {other.keyword.capitalize()} {other.sentence}"


def _step(context: Any, said: Sequence[tuple[str, str, str]]) -> Step:
    function = context.step_func
    told = [
        (text, where)
        for keyword, text, where in said
        if keyword == context.type and context.parser.is_matching(text)
    ]
    example, where = told[0] if told else ("", "")
    about = (function.__doc__ or "").strip().partition("\n")[0]
    sentence = re.sub(r"\(\?P<\w+>", "(", context.parser.name)
    return Step(context.type, sentence, about, f"{function.__module__}.{function.__name__}", example, where)


def _said(suite: Path) -> Iterator[tuple[str, str, str]]:
    """Every sentence of every scenario, with the values of its examples: keyword, text, file and line."""
    from pytest_bdd.exceptions import FeatureError
    from pytest_bdd.parser import FeatureParser

    for file in sorted((suite / "features").rglob("*.feature")):
        shown = file.relative_to(suite).as_posix()
        try:
            feature = FeatureParser(str(suite), shown).parse()
        except FeatureError as error:
            raise UsageError(f"{shown} cannot be read: {error}") from error
        for scenario in feature.scenarios.values():
            contexts = [context for each in scenario.examples for context in each.as_contexts()]
            for context in contexts or [{}]:
                for step in scenario.render(context).steps:
                    yield step.type, step.name, f"{shown}:{step.line_number}"


def _plain(sentence: str) -> str:
    """The sentence without its parameters."""
    return re.sub(r"\{\w+(:\w+)?\}|\([^()]*\)", "…", sentence)


def _likeness(one: str, other: str) -> float:
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    # The quick ratios are upper bounds.
    return matcher.ratio() if matcher.real_quick_ratio() >= _ALIKE <= matcher.quick_ratio() else 0.0
