"""How long everything takes to build from nothing, by podproof and by plain calls of ``go build``."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure
from podproof.cluster.embedded import gobuild, gotool
from podproof.cluster.embedded.recipes import DEFAULT_KUBERNETES, every_recipe


def measure() -> list[Figure]:
    """Build everything twice with empty compiler caches; modules are downloaded beforehand."""
    subprocess.run([sys.executable, "-m", "podproof.cli", "build", "--components", "build"], check=True)
    return [
        Figure("cold build by podproof", "s", [_ours()]),
        Figure("cold build by plain go build", "s", [_plain()]),
    ]


def _ours() -> float:
    with tempfile.TemporaryDirectory(prefix="podproof-bench-") as scratch:
        environment = os.environ | {"PODPROOF_CACHE": f"{scratch}/podproof", "GOCACHE": f"{scratch}/go"}
        script = (
            "from podproof.cluster.embedded.gobuild import Components\n"
            "from podproof.cluster.embedded.progress import Progress\n"
            f"Components({DEFAULT_KUBERNETES!r}, Progress())\n"
        )
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", script], env=environment, check=True)
        return time.monotonic() - began


def _plain() -> float:
    """The same modules, packages and flags, one ``go build`` after the other."""
    seconds = 0.0
    with tempfile.TemporaryDirectory(prefix="podproof-bench-") as scratch:
        for recipe in every_recipe(DEFAULT_KUBERNETES):
            built = gobuild.directory_of(recipe)
            folder = Path(scratch) / recipe.label
            folder.mkdir()
            for name in ("go.mod", "go.sum"):
                (folder / name).write_bytes((built / name).read_bytes())
            environment = gotool.environment(
                gotool.find(), GOCACHE=f"{scratch}/go", CGO_ENABLED="1" if recipe.cgo else "0"
            )
            output = folder / "bin"
            output.mkdir()
            arguments = ["build", "-trimpath", "-ldflags", " ".join(("-s -w", *recipe.ldflags))]
            tags = ["-tags", ",".join(recipe.tags)] if recipe.tags else []
            packages = sorted(set(recipe.commands.values()))
            began = time.monotonic()
            subprocess.run(
                [str(gotool.find()), *arguments, *tags, "-o", f"{output}/", *packages],
                cwd=folder,
                env=environment,
                check=True,
            )
            seconds += time.monotonic() - began
    return seconds
