"""Which tags exist, and which of them name a claim: both are registered pytest markers.

A marker that names a claim is registered as ``slug: Claim: the sentence``, so that one list in
pyproject.toml serves pytest's strict markers, `pytest --markers` and the verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

_CLAIM = "Claim:"
LIMIT = "limit"
"""The tag of a scenario that proves where its claim ends."""


@dataclass(frozen=True)
class Vocabulary:
    """The tags that feature files may use.

    Attributes:
        tags: Every registered marker.
        sentences: Of those that name a claim, the claim's sentence.
    """

    tags: frozenset[str]
    sentences: dict[str, str]


def vocabulary(config: pytest.Config) -> Vocabulary:
    """Read the registered markers."""
    tags, sentences = set(), {}
    for line in config.getini("markers"):
        name, _, text = line.partition(":")
        tag = name.partition("(")[0].strip()
        tags.add(tag)
        if text.strip().startswith(_CLAIM):
            sentences[tag] = text.strip().removeprefix(_CLAIM).strip()
    return Vocabulary(frozenset(tags), sentences)
