"""`make report`: renders the Allure results as one HTML file, by Allure 3.

Run as ``python -m podproof.reporting.html [REPORTS_DIR]``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from podproof.errors import PodproofError, UsageError
from podproof.reporting.allure_bridge import CATEGORIES

SETTINGS = {
    "name": "podproof: claims about Kubernetes",
    "hideLabels": ["host", "thread", "framework", "language"],
    "categories": CATEGORIES,
    "plugins": {
        "awesome": {
            "options": {
                "singleFile": True,  # a browser opens it from disk; many files would need a web server
                "reportLanguage": "en",
                # By claim alone: groups of what went well come closed, and the claims are what matters.
                "groupBy": ["story"],
            }
        }
    },
}
ALLURE = Path(__file__).parents[2] / "node_modules/.bin/allure"
"""Where npm installs the Allure that package.json pins."""


def render(reports: Path, allure: Path) -> Path:
    """Render `reports/allure-results` into `reports/allure-report`; returns the file to open.

    Raises:
        UsageError: There is nothing to render, or Allure is not installed.
        PodproofError: Allure failed; the text holds what it said.
    """
    settings = f"export default {json.dumps(SETTINGS)};"
    return generate(reports / "allure-results", reports / "allure-report", allure, settings)


def generate(results: Path, output: Path, allure: Path, settings: str) -> Path:
    """Have Allure render results; returns the file to open.

    Args:
        results: The directory of the results.
        output: The directory of the report.
        allure: Allure's command.
        settings: The text of its configuration, a JavaScript module.

    Raises:
        UsageError: There is nothing to render, or Allure is not installed.
        PodproofError: Allure failed; the text holds what it said.
    """
    if not any(results.glob("*-result.json")):
        raise UsageError(f"there are no results in {results}: run `pytest features/` first")
    if not allure.exists():
        raise UsageError(f"Allure is not installed at {allure}: run `npm ci` in {allure.parents[2]}")
    with tempfile.TemporaryDirectory() as scratch:
        configuration = Path(scratch) / "allurerc.mjs"
        configuration.write_text(settings, encoding="utf-8")
        called = subprocess.run(
            [str(allure), "generate", str(results), "--config", str(configuration), "--output", str(output)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "NO_COLOR": "1"},
        )
    page = output / "index.html"
    if called.returncode or not page.is_file():
        raise PodproofError(f"Allure could not render {results}: {(called.stderr or called.stdout).strip()}")
    return page


def main(arguments: list[str]) -> int:
    """Render and say how to open it."""
    reports = Path(arguments[0] if arguments else "reports").absolute()
    try:
        page = render(reports, ALLURE)
    except PodproofError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    print(f"open it in a browser: {page.as_uri()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
