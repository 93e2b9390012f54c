"""Four shards, merged, are one run: the same verdict, Markdown, store and report."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ultra.commands.cli import main
from tests.reporting.html.page_data import read_columns, read_episodes
from tests.run import slow_imports  # noqa: F401 - for speed
from tests.run.project import NO_XDIST, VARYING_FIELDS, Project

RUN = (
    *("--ultra-model=demo/follower", "--ultra-instances=2", "--ultra-task-type=simple_task,basic_task"),
    "--ultra-prompt-type=optimal,flawed_tool_misuse,flawed_redundant_operations",
)
"""Twelve cases of four tasks, of which the follower does eight."""
GATES = ("--ultra-fail-under=0.8", "--ultra-max-drop=0.2", "--ultra-gate-on=rate")
OWN_COLUMNS = frozenset({"run_id", "command", "files", "started_at", "ended_at", "dir", "options"})
"""Columns of the store that differ between any two runs."""
VARYING_COLUMNS = frozenset({"worker", "started", "waiting", "duration", "modelTime", "toolTime", "standstill"})
"""The same of the report's table."""


def test_four_merged_shards_are_one_run(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    for number, mode in enumerate((NO_XDIST, NO_XDIST, NO_XDIST, ("-n2",)), 1):
        shard = project.run(*mode, *RUN, *GATES, f"--ultra-shard={number}/4", f"--ultra-dir=jobs/{number}")
        assert shard.ret == 0, "the gates are judged over all shards"
        assert_is_shard(shard.outlines, number)
    whole = project.run(*NO_XDIST, *RUN, *GATES, "--ultra-dir=whole", "--ultra-markdown=whole.md")
    capsys.readouterr()
    assert main(["merge", "jobs", "-o", "merged", "--ultra-markdown=merged.md"]) == whole.ret == 1
    merged = capsys.readouterr().out.splitlines()
    assert verdict_of(merged)[-1] == "2 of 3 gates missed: exit code 1"
    assert verdict_of(merged) == verdict_of(whole.outlines)
    assert without_times(project.path / "merged.md") == without_times(project.path / "whole.md")
    assert_same_store(project.path)
    assert_same_report(project.path)


def assert_is_shard(lines: list[str], number: int) -> None:
    share = f"shard {number} of 4: 3 of 12 cases"
    assert f"ultra: {share}, divided by the steps of their tasks" in lines
    last = f"{share}; `pytest-ultra merge` joins the shards, and judges the gates over all shards"
    assert last in unwrapped(lines)
    assert not verdict_of(lines)


def verdict_of(lines: list[str]) -> list[str]:
    return [line for line in unwrapped(lines) if line.startswith("gate ") or ": exit code " in line]


def unwrapped(lines: list[str]) -> list[str]:
    """Join the lines that the terminal of a run has wrapped."""
    return re.sub(r"\n  (?=\S)", " ", "\n".join(lines)).splitlines()


def without_times(path: Path) -> str:
    return re.sub(r"run \d{8}T\S+,|[\d.]+ s\b", "", path.read_text())


def assert_same_store(folder: Path) -> None:
    for name in ("whole", "merged"):
        assert main(["store", "sync", "--dir", name]) == 0
    whole, merged = (dict(read_store(folder / name / "results.sqlite")) for name in ("whole", "merged"))
    assert len(merged["episodes"]) == 12
    assert merged == whole


def read_store(path: Path) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """Yield the rows of each table, without what differs between two runs of the same cases."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    for table in ("runs", "cases", "episodes"):
        rows = [dict(row) for row in connection.execute(f"select * from {table}")]  # noqa: S608 - our own names
        kept = [{name: row[name] for name in row if name not in VARYING_FIELDS | OWN_COLUMNS} for row in rows]
        yield table, sorted(kept, key=repr)
    connection.close()


def assert_same_report(folder: Path) -> None:
    for name in ("whole", "merged"):
        assert main(["report", "--dir", name, "-o", f"{name}.html"]) == 0
    pages = [(folder / f"{name}.html").read_text() for name in ("whole", "merged")]
    whole, merged = ({n: values for n, values in read_columns(p).items() if n not in VARYING_COLUMNS} for p in pages)
    assert len(merged["outcome"]) == 12
    assert merged == whole
    shown = [re.sub(r"\d+\.\d+", "", repr(read_episodes(page))) for page in pages]
    assert shown[0] == shown[1]
