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
        """Make the run's directory, let `latest` point at it, and drop the oldest runs."""
        self.directory.mkdir(parents=True, exist_ok=True)
        # A symbolic link cannot be changed in place: make another, and rename it over the old one.
        fresh = self.root / f".latest-{os.getpid()}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path("runs") / self.run)
        fresh.replace(self.latest)
        for old in sorted(each for each in self.directory.parent.iterdir() if each.is_dir())[:-KEPT_RUNS]:
            shutil.rmtree(old, ignore_errors=True)


def shortest(path: Path) -> Path:
    """A path as a reader can use it from the current directory."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
