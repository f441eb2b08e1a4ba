"""Chromium, offline, on a phone's screen: what a reader of a site sees."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_S

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Visit:
    """A page in the browser with what it asked for and complained about."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: self.complaints.append(str(e)))
        page.on("request", lambda r: self.requests.append(r.url))

    def go(self, path: Path) -> Any:
        """Open a page; one with samples is ready when the first are shown."""
        self.page.goto(path.as_uri())
        if self.page.locator("#samples").count():
            self.page.wait_for_function("() => document.getElementById('place').textContent !== ''")
            self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until the samples that the pager names are drawn."""
        self.page.wait_for_function(
            """() => {
                const [a, b] = (document.getElementById('place').textContent.match(/\\d+/g) || [1, 0]).map(Number);
                return document.querySelectorAll('.sample').length === b - a + 1;
            }"""
        )


def chromium() -> str | None:
    """The browser of this machine, if it has one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    found = chromium()
    if found is None:
        pytest.fail("the page tests need Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield running
        running.close()


def patient(browser: Any, **settings: Any) -> Any:
    """A context without a network, whose pages may take their time."""
    context = browser.new_context(offline=True, **settings)
    context.set_default_timeout(1000 * PATIENCE_S)
    return context


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:
    """Ends with the check that the page had no complaint (the policy's included) and stayed on the disk."""
    context = patient(browser, viewport={"width": 390, "height": 844})
    found = Visit(context.new_page())
    yield found
    context.close()
    assert found.complaints == []
    assert found.requests and all(url.startswith(("file:", "data:")) for url in found.requests)
