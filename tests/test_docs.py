"""The documentation agrees with the code: its tables, its links, and its examples, which run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pytest_ultra.benchmark.axes import PromptType
from pytest_ultra.benchmark.episode import FailureClass, flatten
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.models.providers import PROVIDERS
from pytest_ultra.options.settings import OPTIONS
from pytest_ultra.reporting.labels import FAILURE_CLASSES, OUTCOMES
from tests.results_factory import make_case, make_episode

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<content>.*?)^```$", re.MULTILINE | re.DOTALL)
VERDICTS = {"full": "passes", "partial": "fails (F)", "failed": "fails (F)", "error": "error (E)", "skipped": "skipped"}


def option_rows() -> list[str]:
    pipe = r"\|"
    cells = ((o.flag, o.metavar, o.key, o.default, o.help) for o in OPTIONS)
    return [
        f"| `{flag} {metavar.replace('|', pipe)}` | `{key}` | {f'`{default}`' if default else ''} | {told} |"
        for flag, metavar, key, default, told in cells
    ]


def provider_rows() -> list[str]:
    rows = []
    for name, provider in PROVIDERS.items():
        keys = " or ".join(f"`{key}`" for key in provider.key_variables) or "none"
        optional = " (not required)" if provider.key_variables and not provider.needs_key else ""
        url = f"`{provider.base_url}`" if provider.base_url else "made for the run, on loopback"
        if provider.url_variable:
            url = f"`{provider.url_variable}`" + (f", else {url}" if provider.base_url else "")
        rows.append(f"| `{name}` | {keys}{optional} | {url} |")
    return rows


def outcome_rows() -> list[str]:
    return [f"| `{outcome}` | {VERDICTS[outcome]} | {told} |" for outcome, told in OUTCOMES.items()]


def class_rows() -> list[str]:
    return [f"| `{name}` | {_responsible(name)} | {told} |" for name, told in FAILURE_CLASSES.items()]


def _responsible(failure_class: FailureClass) -> str:
    return "infrastructure" if failure_class.is_infrastructure else "model"


def tool_rows() -> list[str]:
    return [
        f"| `{t.name}` | {t.description.replace('<', '&lt;')} | {t.weight:g} | {', '.join(t.transient_codes)} |"
        for t in TOOLS.values()
    ]


@pytest.mark.parametrize(
    ("page", "rows"),
    [
        ("options.md", option_rows()),
        ("options.md", provider_rows()),
        ("reading-results.md", outcome_rows()),
        ("reading-results.md", class_rows()),
        ("benchmark.md", tool_rows()),
    ],
    ids=["options", "providers", "outcomes", "failure classes", "tools"],
)
def test_tables_say_what_the_code_says(page: str, rows: list[str]) -> None:
    lines = (ROOT / "docs" / page).read_text().splitlines()
    start = lines.index(rows[0]) if rows[0] in lines else 0
    assert lines[start : start + len(rows)] == rows
    assert not lines[start + len(rows)].startswith("|"), "the table has rows that the code does not know"


def test_every_field_of_the_json_document_is_explained() -> None:
    page = (ROOT / "docs" / "reading-results.md").read_text()
    section = page.partition("## The JSON document")[2].partition("\n## ")[0]
    explained = [name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in row.split(", ")]
    fields = flatten(make_episode(make_case(PromptType.OPTIMAL)))
    assert sorted(explained) == sorted(f"`{name}`" for name in fields)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", FENCE.sub("", page.read_text())):
        path, _, anchor = target.partition("#")
        if not path.startswith(("http://", "https://")):
            other = page.parent / path if path else page
            assert other.exists(), target
            assert not anchor or anchor in anchors(other), target


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


class Example(NamedTuple):
    """Files to write and a command to run in their folder, from one section of a page."""

    page: str
    section: str
    files: dict[str, str]
    command: str
    exit_code: int


def examples() -> Iterator[Example]:
    """Find the blocks marked `bash run` (or `run-fails`), with the section's named files before them."""
    for page in PAGES:
        for section in re.split(r"^(?=##+ )", page.read_text(), flags=re.MULTILINE):
            files: dict[str, str] = {}
            title = section.partition("\n")[0].strip("# ")
            for block in FENCE.finditer(section):
                language, _, mark = block["info"].partition(" ")
                if language in ("python", "toml") and mark:
                    files[mark] = block["content"]
                elif mark in ("run", "run-fails"):
                    yield Example(page.name, title, dict(files), block["content"], int(mark == "run-fails"))


@pytest.mark.parametrize("example", list(examples()), ids=lambda example: f"{example.page}: {example.section}")
def test_examples_run(pytester: pytest.Pytester, example: Example) -> None:
    for name, content in example.files.items():
        (pytester.path / name).write_text(content)
    for line in example.command.splitlines():
        words = re.findall(r'"[^"]*"|\S+', line)
        assert words[0] == "pytest"
        result = pytester.runpytest_subprocess(*(word.strip('"') for word in words[1:]))
        assert result.ret == example.exit_code
