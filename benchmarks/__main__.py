"""Measure and write down: ``python -m benchmarks [--runs N] [--build]``."""

import argparse
import json
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks import build, life, suite
from benchmarks.figures import Figure
from podproof import __version__
from podproof.cluster.embedded.recipes import DEFAULT_KUBERNETES

OUTPUT = Path("reports/bench")


def main() -> int:
    """Run the benchmarks, print the figures beside their goals, and write them to ``reports/bench/``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="how often a cluster is started (default: 5)")
    parser.add_argument(
        "--build", action="store_true", help="also build everything from nothing, twice: slow"
    )
    options = parser.parse_args()
    figures: list[Figure] = [*life.measure(options.runs), *suite.measure()]
    if options.build:
        figures += build.measure()
    for figure in figures:
        print(figure)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    document = {
        "podproof": __version__,
        "kubernetes": DEFAULT_KUBERNETES,
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": psutil.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
            "kernel": platform.release(),
            "python": platform.python_version(),
        },
        "figures": [figure.as_dict() for figure in figures],
    }
    file = OUTPUT / "bench.json"
    file.write_text(json.dumps(document, indent=2) + "\n")
    print(f"written to {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
