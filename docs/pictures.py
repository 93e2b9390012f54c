"""Make the pictures of the documentation from a demo run: `python docs/pictures.py [NAME ...]`, by default all of them.

Requires the extra `test` and Chromium (`apt-get install chromium fonts-inter fonts-jetbrains-mono`; with other fonts
the pictures differ slightly).
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Page, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
MODELS = "demo,demo/perfect,demo/follower"
COMPARED = ("demo", "demo/follower")
DESK, PHONE = (1200, 800), (390, 780)
COLOURS = 256
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MAKERS)}")
    wanted = parser.parse_args().names or list(MAKERS)
    PICTURES.mkdir(exist_ok=True)
    for name in wanted:
        MAKERS[name]()


def picture_report() -> None:
    """Take the views of a report and of one of two runs, light and dark, and the first screen on a phone."""
    with tempfile.TemporaryDirectory() as folder:
        report = _run_demo(Path(folder), MODELS)
        for scheme in SCHEMES:
            with _open(report, scheme, DESK) as page:
                _take_views(page, scheme)
        with _open(report, "light", PHONE) as page:
            _save(page, "report-phone")
        two = _compare_demos(Path(folder))
        for scheme in SCHEMES:
            with _open(two, scheme, DESK) as page:
                _save(page, f"report-runs-{scheme}")


def _take_views(page: Page, scheme: Scheme) -> None:
    _save(page, f"report-overview-{scheme}", height=1420)
    _go(page, "#cases?model=demo&against=lost%3Acontrol&sort=-tokens")
    _save(page, f"report-cases-{scheme}")
    _go(page, "#cases?model=demo&prompt_type=flawed_semantic_drift&against=lost%3Acontrol&sort=-turns")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.locator(".transcript").wait_for()
    _save(page, f"report-case-{scheme}", height=1240)
    _scroll_to(page, ".block:has(.transcript)")
    _save(page, f"report-pair-{scheme}")
    _scroll_to(page, ".block:has(.timeline)")
    _save(page, f"report-timeline-{scheme}")


def _scroll_to(page: Page, selector: str) -> None:
    page.locator(selector).evaluate("view => scrollTo(0, view.getBoundingClientRect().top + scrollY - 80)")


def _run_demo(folder: Path, models: str) -> Path:
    report = folder / "report.html"
    args = ["-n", "2", "-q", "--ultra-model", models, "--ultra-instances", "4", "--ultra-html", report.name]
    command = [sys.executable, "-m", "pytest", *args]
    subprocess.run(command, cwd=folder, check=False, stdout=subprocess.DEVNULL)  # noqa: S603 - some cases fail, by design
    return report


def _compare_demos(folder: Path) -> Path:
    """Write the report of two runs, of two agents whose runs differ in nothing else."""
    for model in COMPARED:
        _run_demo(folder, model)
    runs = sorted(path.name for path in (folder / ".ultra" / "runs").iterdir())[-len(COMPARED) :]
    command = [sys.executable, "-m", "pytest_ultra", "report", *runs, "-o", "two.html"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
    return folder / "two.html"


@contextmanager
def _open(report: Path, scheme: Scheme, size: tuple[int, int]) -> Iterator[Page]:
    path = shutil.which("chromium")
    if path is None:
        sys.exit("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        width, height = size
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": height})
        page.goto(report.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        yield page
        browser.close()


def _go(page: Page, address: str) -> None:
    page.evaluate("address => { location.hash = address; }", address)
    page.locator("#cases-body tr").first.wait_for()


def _save(page: Page, name: str, height: int | None = None) -> None:
    """Save the visible part, or the top `height` pixels of the page, with a reduced palette."""
    shot = page.screenshot(full_page=height is not None)
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    image = image.crop((0, 0, image.width, min(height or image.height, image.height)))
    reduced = image.quantize(COLOURS, kmeans=2, dither=Image.Dither.NONE)
    reduced.save(PICTURES / f"{name}.png", optimize=True)


def picture_terminal() -> None:
    """Take the live status, in the project's folder, since this uses the tests' terminal emulator."""
    subprocess.run([sys.executable, "-m", "docs.terminal_picture"], cwd=PICTURES.parents[1], check=True)


MAKERS: Mapping[str, Callable[[], None]] = {"report": picture_report, "terminal": picture_terminal}
"""Functions that make the pictures, by name."""


if __name__ == "__main__":
    main()
