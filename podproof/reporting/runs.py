"""Where a run's reports go: `reports/runs/<when>/`, with `reports/latest` pointing at the newest."""

from __future__ import annotations

import os
import re
import shutil
import zlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

KEPT_RUNS = 20
"""How many runs are kept: enough to compare, few enough to never fill a disk."""
_OWN_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d+")
"""What a run's directory is called; see `RunReports.new`."""


@dataclass(frozen=True)
class RunReports:
    """The reports of one run.

    Attributes:
        root: The directory of all reports.
        run: The name of this run's directory: when it started, and by which process.
    """

    root: Path
    run: str

    @classmethod
    def new(cls, root: Path) -> RunReports:
        """Name the reports of a run that starts now; creates nothing yet."""
        return cls(root, f"{datetime.now().astimezone():%Y-%m-%dT%H-%M-%S}-{os.getpid()}")

    @property
    def directory(self) -> Path:
        """Where everything of this run is."""
        return self.root / "runs" / self.run

    @property
    def latest(self) -> Path:
        """Where the newest run is always found."""
        return self.root / "latest"

    @property
    def verdicts(self) -> Path:
        """The run's results file."""
        return self.directory / "verdicts.json"

    def evidence_name(self, nodeid: str) -> str:
        """The directory of one scenario's evidence, relative to the run's."""
        readable = re.sub(r"[^A-Za-z0-9.-]+", "_", nodeid.replace(".feature::test_", "/")).strip("_")
        # Shortened names may be the same; the id's checksum is not.
        return f"evidence/{readable[:100]}-{zlib.crc32(nodeid.encode()):08x}"

    def begin(self) -> None:
        """Make the run's directory and let `latest` point at it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        # A symbolic link cannot be changed in place: make another, and rename it over the old one.
        fresh = self.root / f".latest-{os.getpid()}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path("runs") / self.run)
        fresh.replace(self.latest)

    def drop_oldest(self) -> None:
        """Remove the oldest runs; whatever else the user keeps beside them is left alone."""
        others = (each for each in self.directory.parent.iterdir() if each.name != self.run)
        for old in sorted(filter(_is_run, others))[: 1 - KEPT_RUNS]:
            shutil.rmtree(old, ignore_errors=True)


def _is_run(path: Path) -> bool:
    """Whether podproof has written this: by its name and by what is in it."""
    return (
        _OWN_NAME.fullmatch(path.name) is not None
        and path.is_dir()
        and not path.is_symlink()
        and ((path / "verdicts.json").is_file() or (path / "evidence").is_dir())
    )


def shortest(path: Path) -> Path:
    """A path as a reader can use it from the current directory."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
