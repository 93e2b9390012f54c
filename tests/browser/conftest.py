"""A browser for the tests of this folder, and pages that record errors and network requests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.report_factory import hostile_episodes, ordinary_episodes, write

REQUIRED = "ULTRA_TEST_BROWSER"
"""Set this where the tests must not be skipped, as .ci/run does."""

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium once per module, since Playwright's running event loop breaks the tests of other modules."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        reason = "Chromium is not installed, so the report was not tested in a browser: apt-get install chromium"
        if os.environ.get(REQUIRED):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("ordinary") / "report.html", ordinary_episodes())


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("hostile") / "report.html", hostile_episodes())


@pytest.fixture
def open_report(browser: Browser) -> Iterator[Open]:
    """Open a report at a view; at the end, check that no page had an error or requested anything but files."""
    violations: list[str] = []
    contexts = []

    def open_report(path: Path, view: str = "", **options: Any) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5_000)
        page.on("console", lambda message: violations.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: violations.append(f"error: {error}"))
        page.on("request", lambda request: violations.append(request.url) if is_outside(request.url) else None)
        page.goto(f"{path.as_uri()}{view}")
        if options.get("java_script_enabled", True):
            page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield open_report
    for context in contexts:
        context.close()
    assert violations == []


def is_outside(url: str) -> bool:
    return not url.startswith(("file:", "data:"))
