"""The documentation agrees with the code: its tables match, its links resolve, and its examples run."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from docs import tables
from pytest_ultra.commands.cli import main
from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import flatten
from pytest_ultra.reporting.episode_fields import MEANINGS
from tests.results_factory import make_case, make_episode

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PICTURE = re.compile(r"(?<=src=\")[^\"]+|(?<=srcset=\")[^\"]+|(?<=\]\()pictures/[^)]+")
FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<content>.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_are_generated_from_the_code(page: Path) -> None:
    text = page.read_text()
    assert text == tables.refresh(text), "run `python docs/tables.py`"


def test_every_table_is_on_one_page() -> None:
    placed = [name for page in PAGES for name in re.findall(r"<!-- table: ([\w ]+) -->", page.read_text())]
    assert sorted(placed) == sorted(tables.TABLES)


def test_every_field_of_the_json_document_is_explained() -> None:
    assert sorted(MEANINGS) == sorted(flatten(make_episode(make_case(PromptType.OPTIMAL))))


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_links_resolve(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", FENCE.sub("", page.read_text())):
        path, _, anchor = target.partition("#")
        if not path.startswith(("http://", "https://")):
            other = page.parent / path if path else page
            assert other.exists(), target
            assert not anchor or anchor in anchors(other), target


def test_every_guarantee_names_a_command_that_exists() -> None:
    page = (ROOT / "docs" / "guarantees.md").read_text().partition("## The fault machine")[0]
    rows = [row for row in page.splitlines() if row.startswith("| ") and not row.startswith("| promise")]
    assert rows
    for row in rows:
        found = re.search(r"\| `(?:pytest|python) ([^`]+?)(?: -k \"?([^`\"]+)\"?)?` \|$", row)
        assert found, row
        tests = "".join((ROOT / word).read_text() for word in found[1].split() if word.endswith(".py"))
        for word in re.findall(r"\w+", found[2] or ""):
            assert word == "or" or re.search(rf"def test_\w*{word}", tests), row


def test_every_picture_exists_is_shown_and_is_small() -> None:
    named = [(page.parent, name) for page in PAGES for name in PICTURE.findall(page.read_text())]
    shown = {(folder / name).resolve() for folder, name in named}
    existing = set((ROOT / "docs" / "pictures").iterdir())
    assert shown == existing
    assert max(path.stat().st_size for path in existing) < 150_000


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_links_to_every_page() -> None:
    text = PAGES[0].read_text()
    assert [page.name for page in PAGES[1:] if f"](docs/{page.name})" not in text] == []


class Example(NamedTuple):
    """Files, and a command to run in their folder, from one section of a page."""

    page: str
    section: str
    files: dict[str, str]
    command: str
    exit_code: int


def examples() -> Iterator[Example]:
    """Find the blocks marked `bash run` (or `run-fails`), with the named files before them in their section."""
    for page in PAGES:
        for section in re.split(r"^(?=##+ )", page.read_text(), flags=re.MULTILINE):
            files: dict[str, str] = {}
            title = section.partition("\n")[0].strip("# ")
            for block in FENCE.finditer(section):
                language, _, mark = block["info"].partition(" ")
                if language in ("python", "toml", "json") and mark:
                    files[mark] = block["content"]
                elif mark in ("run", "run-fails"):
                    yield Example(page.name, title, dict(files), block["content"], int(mark == "run-fails"))


@pytest.mark.parametrize("example", list(examples()), ids=lambda example: f"{example.page}: {example.section}")
def test_examples_run(pytester: pytest.Pytester, example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, which takes a fifth of the time; `test_readme.py` and `tests/run` start real commands."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)  # as in an active environment
    for name, content in example.files.items():
        path = pytester.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    for line in example.command.splitlines():
        words = re.findall(r'"[^"]*"|\S+', line)
        args = [word.strip('"') for word in words[1:]]
        assert words[0] in ("pytest", "pytest-ultra")
        code = pytester.runpytest_inprocess(*args).ret if words[0] == "pytest" else main(args)
        assert code == example.exit_code
