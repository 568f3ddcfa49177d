"""Which suite it was: results of two are never put side by side without a word."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from podproof.errors import UsageError
from podproof.verdicts.results import suite_commit

_DECIDING = ("conftest.py", "features", "steps", "manifests")
"""What of a suite's directory a verdict depends on."""

_PACKAGE = Path(__file__).parents[1]
_NOT_DECIDING = "matrix"
"""The part of the machinery that only reads results."""

_KINDS = {".py", ".feature", ".yaml", ".yml", ".json", ".html", ".conf", ".sh", ".sql", ".txt"}


@dataclass(frozen=True)
class Suite:
    """The suite as it is now.

    Attributes:
        commit: Its commit, with `-dirty` if it was changed since; empty outside of git.
        fingerprint: A checksum of every file that decides a verdict, the machinery's included.
    """

    commit: str
    fingerprint: str

    @classmethod
    def at(cls, root: Path) -> Suite:
        """The suite in this directory.

        Raises:
            UsageError: There is none.
        """
        if not (root / "features").is_dir():
            raise UsageError(f"there are no features/ in {root}: run it where podproof's suite is")
        digest = hashlib.sha256()
        for name, path in _files(root):
            digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
        return cls(suite_commit(root), digest.hexdigest()[:16])


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    parts = [(name, root / name) for name in _DECIDING]
    parts += [
        (f"podproof/{each.name}", each) for each in sorted(_PACKAGE.iterdir()) if each.name != _NOT_DECIDING
    ]
    for name, part in parts:
        every = [part] if part.is_file() else sorted(part.rglob("*"))
        for path in every:
            if path.suffix in _KINDS and path.is_file():
                yield f"{name}/{path.relative_to(part)}", path
