"""The page as a whole: its sections, its style and its script in one file."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from podproof.matrix.page import words
from podproof.matrix.page.changes import changes
from podproof.matrix.page.details import packed
from podproof.matrix.page.grid import grid, in_subjects, legend
from podproof.matrix.page.headline import headline, versions
from podproof.matrix.page.markup import Markup, join, tag
from podproof.matrix.page.targets import targets
from podproof.matrix.page.times import times

NAME = "index.html"
_HERE = Path(__file__).parent
_PLACE = re.compile(r"\{\{ (\w+) \}\}")


def render(document: Mapping[str, Any], directory: Path) -> str:
    """The page as one text.

    Args:
        document: A matrix, as `podproof/matrix/matrix.schema.json` has it.
        directory: Where it lies; the files of its timelines are relative to this.
    """
    style, script = _file("page.css"), _file("page.js")
    parts = {
        "title": join("podproof matrix: ", ", ".join(each["name"] for each in document["targets"])),
        "policy": _policy(style, script),
        "style": style,
        "script": script,
        "headline": headline(document),
        "versions": versions(document),
        "changes": changes(document),
        "subjects": _subjects(document),
        "shown": join(f"{words.count(len(document['claims']), 'claim')}"),
        "grid": grid(document),
        "legend": legend(),
        "times": times(document),
        "targets": targets(document),
        "command": join(" ".join(document["command"])),
        "details": packed(document, directory),
    }
    # All at once: what a part contains is never taken for a place.
    return _PLACE.sub(lambda found: parts[found[1]], _file("page.html"))


def write(document: Mapping[str, Any], directory: Path) -> Path:
    """Write the page into the document's directory, whole or not at all; returns the file.

    Raises:
        OSError: It could not be written.
    """
    page = directory / NAME
    unfinished = page.with_name(f".{NAME}.{os.getpid()}")
    unfinished.write_bytes(render(document, directory).encode("utf-8", "replace"))
    unfinished.replace(page)
    return page


def _file(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _subjects(document: Mapping[str, Any]) -> Markup:
    found = dict.fromkeys(claim["feature"] for claim in in_subjects(document["claims"]))
    return join(*(tag("option", each, value=each) for each in found))


def _policy(style: str, script: str) -> str:
    """Nothing is loaded from anywhere, and nothing runs but what this module put there."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
