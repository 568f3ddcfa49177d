"""What stands in a `.feature` file, with the line of everything that an error may have to name."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PLACEHOLDER = re.compile(r"<(.+?)>")


class FeatureFileError(Exception):
    """A feature file cannot be used; each of `problems` is one line that starts with file:line."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


@dataclass(frozen=True)
class Tag:
    """A tag, without its `@`."""

    name: str
    line: int


@dataclass(frozen=True)
class StepText:
    """A step as it stands in the file, placeholders included."""

    keyword: str
    text: str
    line: int

    @property
    def placeholders(self) -> set[str]:
        """The `<names>` that an Examples table has to fill."""
        return set(_PLACEHOLDER.findall(self.text))

    def rendered(self, example: Mapping[str, str]) -> str:
        """The step's text with the example's values."""
        return render(self.text, example)


@dataclass(frozen=True)
class Example:
    """One row of an Examples table."""

    values: Mapping[str, str]
    line: int
    tags: tuple[Tag, ...]


@dataclass(frozen=True)
class ScenarioText:
    """A Scenario or Scenario Outline.

    Attributes:
        steps: Its own steps; those of a Background are not among them.
        examples: The rows of all its tables; None if it is a plain scenario without any table.
    """

    name: str
    line: int
    tags: tuple[Tag, ...]
    description: str
    steps: tuple[StepText, ...]
    examples: tuple[Example, ...] | None


@dataclass(frozen=True)
class RuleText:
    """A Rule: in podproof's features, one claim."""

    name: str
    line: int
    tags: tuple[Tag, ...]
    description: str
    background: tuple[StepText, ...]
    scenarios: tuple[ScenarioText, ...]


@dataclass(frozen=True)
class FeatureText:
    """A feature file.

    Attributes:
        path: Where it is.
        shown: How errors and reports name it: relative to pytest's root directory.
        loose: Scenarios that belong to no Rule.
    """

    path: Path
    shown: str
    name: str
    line: int
    tags: tuple[Tag, ...]
    description: str
    background: tuple[StepText, ...]
    rules: tuple[RuleText, ...]
    loose: tuple[ScenarioText, ...]

    def scenarios(self) -> Iterator[tuple[RuleText | None, ScenarioText]]:
        """Every scenario with the Rule that it stands under, in the order of the file."""
        belonging: list[tuple[RuleText | None, ScenarioText]] = [(None, each) for each in self.loose]
        belonging += [(rule, each) for rule in self.rules for each in rule.scenarios]
        yield from sorted(belonging, key=lambda pair: pair[1].line)

    def steps_of(self, rule: RuleText | None, scenario: ScenarioText) -> tuple[StepText, ...]:
        """All steps that the scenario runs: the Feature's Background, the Rule's, its own."""
        return self.background + (rule.background if rule else ()) + scenario.steps


def render(text: str, example: Mapping[str, str]) -> str:
    """Replace each `<name>` by the example's value, the way pytest-bdd does."""
    return _PLACEHOLDER.sub(lambda found: example.get(found[1], found[0]), text)


def read_feature(path: Path, shown: str) -> FeatureText:
    """Read a feature file.

    Raises:
        FeatureFileError: It is not Gherkin, not UTF-8, or holds no Feature.
    """
    from gherkin.errors import CompositeParserException, ParserError
    from gherkin.parser import Parser

    try:
        document = Parser().parse(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise FeatureFileError([f"{shown}:{line}: not UTF-8 text"]) from None
    except CompositeParserException as error:
        raise FeatureFileError([_broken(shown, each) for each in error.errors]) from None
    except ParserError as error:
        raise FeatureFileError([_broken(shown, error)]) from None
    if not document.get("feature"):
        raise FeatureFileError([f"{shown}:1: no Feature in this file"])
    return _feature(document["feature"], path, shown)


def _broken(shown: str, error: Any) -> str:
    said = re.sub(r"^\(\d+:\d+\): ", "", str(error)).replace("\n", " ")
    return f"{shown}:{error.location['line']}: not Gherkin: {said}"


def _feature(node: Mapping[str, Any], path: Path, shown: str) -> FeatureText:
    children = node["children"]
    return FeatureText(
        path=path,
        shown=shown,
        name=node["name"],
        line=node["location"]["line"],
        tags=_tags(node),
        description=_prose(node),
        background=_background(children),
        rules=tuple(_rule(child["rule"]) for child in children if "rule" in child),
        loose=tuple(_scenario(child["scenario"]) for child in children if "scenario" in child),
    )


def _rule(node: Mapping[str, Any]) -> RuleText:
    children = node["children"]
    return RuleText(
        name=node["name"],
        line=node["location"]["line"],
        tags=_tags(node),
        description=_prose(node),
        background=_background(children),
        scenarios=tuple(_scenario(child["scenario"]) for child in children if "scenario" in child),
    )


def _scenario(node: Mapping[str, Any]) -> ScenarioText:
    tables = node["examples"]
    outline = bool(tables) or node["keyword"].strip().endswith(("Outline", "Template"))
    return ScenarioText(
        name=node["name"],
        line=node["location"]["line"],
        tags=_tags(node),
        description=_prose(node),
        steps=_steps(node),
        examples=tuple(row for table in tables for row in _rows(table)) if outline else None,
    )


def _rows(table: Mapping[str, Any]) -> Iterator[Example]:
    if "tableHeader" not in table:
        return
    names = [cell["value"] for cell in table["tableHeader"]["cells"]]
    for row in table["tableBody"]:
        values = [cell["value"] for cell in row["cells"]]
        yield Example(dict(zip(names, values, strict=True)), row["location"]["line"], _tags(table))


def _background(children: Sequence[Mapping[str, Any]]) -> tuple[StepText, ...]:
    return next((_steps(child["background"]) for child in children if "background" in child), ())


def _steps(node: Mapping[str, Any]) -> tuple[StepText, ...]:
    return tuple(
        StepText(step["keyword"].strip(), step["text"], step["location"]["line"]) for step in node["steps"]
    )


def _tags(node: Mapping[str, Any]) -> tuple[Tag, ...]:
    return tuple(Tag(tag["name"].removeprefix("@"), tag["location"]["line"]) for tag in node["tags"])


def _prose(node: Mapping[str, Any]) -> str:
    return textwrap.dedent(node["description"]).strip()
