"""A browser, and the page of a sample matrix in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from podproof.matrix.page import write
from tests.matrix_sample import sample, write_timelines

CHROMIUM = Path("/usr/bin/chromium")
"""Debian's: what a package manager keeps up to date is not downloaded a second time."""

Open = Callable[..., Page]


@pytest.fixture(scope="module")  # no longer: other tests want an event loop of their own
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: scripts/system-packages browser installs it", pytrace=False)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )  # root has none
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("matrix")
    document = sample(6)
    write_timelines(document, directory)
    return write(document, directory)


@pytest.fixture
def open_page(browser: Browser, file: Path) -> Iterator[Open]:
    """Opens the page; whatever it complains about, or asks of anybody but its own file, fails the test."""
    complaints: list[str] = []
    requests: list[str] = []
    contexts = []

    def opened(state: str = "", width: int = 1440, scheme: str = "light", *, script: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
            java_script_enabled=script,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(f"{file.as_uri()}{state}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
    assert {url.partition("#")[0] for url in requests if not url.startswith("data:")} <= {file.as_uri()}
