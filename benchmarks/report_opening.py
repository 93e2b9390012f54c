"""Measure how soon Chromium shows a report: its overview, and its table of cases.

    python benchmarks/report_opening.py REPORT.html [ROUNDS]

Each round is a new browser. Make a report of 5,000 episodes by `results.py make DIR` and `results.py time DIR report`.
Needs the extra `test` and Chromium.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright


def main() -> None:
    address, rounds = Path(sys.argv[1]).resolve().as_uri(), int(sys.argv[2]) if len(sys.argv) > 2 else 5  # noqa: PLR2004
    measured = [measure(address) for _ in range(rounds)]
    for name, seconds in zip(("overview", "cases"), zip(*measured, strict=True), strict=True):
        print(f"{name:10} median {statistics.median(seconds):.2f} s, {min(seconds):.2f} to {max(seconds):.2f}")


def measure(address: str) -> tuple[float, float]:
    """Return the seconds until the overview is shown, and from there until the first case is."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        started = time.monotonic()
        page.goto(address, wait_until="commit")
        page.wait_for_selector("html[data-ready]", state="attached")
        opened = time.monotonic()
        page.evaluate("() => { location.hash = '#cases'; }")
        page.locator("#cases-body tr").first.wait_for()
        shown = time.monotonic()
        browser.close()
    return opened - started, shown - opened


if __name__ == "__main__":
    main()
