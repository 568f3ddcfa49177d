"""The list of claims, the features and the registered markers speak of the same claims."""

import re
import tomllib
from pathlib import Path

from podproof.pytest_plugin.document import read_feature

ROOT = Path(__file__).parents[2]
_HEADING = re.compile(r"## \[(\S+)\]\(\.\./features/(\S+)\)")
_ROW = re.compile(r"\| `([a-z0-9-]+)` \| ([^|]+) \|")
_LIMITS = re.compile(r"\| `([a-z0-9-]+)` \|[^|]+\|[^|]+\| ([^|]+) \|")


def listed() -> dict[str, tuple[str, str]]:
    """What docs/claims.md has: for each slug the feature file and the sentence."""
    claims: dict[str, tuple[str, str]] = {}
    file = ""
    for line in (ROOT / "docs" / "claims.md").read_text(encoding="utf-8").splitlines():
        if heading := _HEADING.match(line):
            file = heading[2]
        elif row := _ROW.match(line):
            assert row[1] not in claims, f"{row[1]} is listed twice"
            claims[row[1]] = (file, row[2].strip())
    return claims


def registered() -> dict[str, str]:
    """The claims among the markers of pyproject.toml, with their sentences."""
    markers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    parts = [marker.split(": Claim: ") for marker in markers["tool"]["pytest"]["ini_options"]["markers"]]
    return {part[0]: part[1] for part in parts if len(part) == 2}


def tried() -> dict[str, str]:
    """The claims that features have a Rule for, with the feature file."""
    claims: dict[str, str] = {}
    for path in sorted((ROOT / "features").rglob("*.feature")):
        file = path.relative_to(ROOT / "features").as_posix()
        for rule in read_feature(path, file).rules:
            claims |= {tag.name: file for tag in rule.tags if tag.name in registered()}
    return claims


def test_every_claim_of_the_list_has_a_rule_in_its_feature_and_every_rule_is_listed() -> None:
    assert tried() == {slug: file for slug, (file, _) in listed().items()}


def test_a_claim_has_limits_in_the_list_if_scenarios_prove_some() -> None:
    text = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    told = {slug for slug, limits in _LIMITS.findall(text) if limits.strip() != "-"}
    proven: set[str] = set()
    for path in sorted((ROOT / "features").rglob("*.feature")):
        for rule in read_feature(path, path.name).rules:
            if any(tag.name == "limit" for scenario in rule.scenarios for tag in scenario.tags):
                proven |= {tag.name for tag in rule.tags if tag.name in registered()}
    assert proven == told


def test_every_claim_of_the_list_is_registered_and_the_other_way_round() -> None:
    assert sorted(registered()) == sorted(listed())
    assert len(listed()) > 30


def test_the_list_says_the_sentences_as_they_are_registered() -> None:
    different = {
        slug: sentence
        for slug, (_, sentence) in listed().items()
        if not registered().get(slug, "").startswith(sentence)
    }
    assert not different
