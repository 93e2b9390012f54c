"""A stored run in the terminal: its provenance, its table, and notices about its endpoints."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from pytest_ultra.analysis.summary import summarize
from pytest_ultra.commands.command_output import print_bytes, print_json, print_lines, print_marked, warn, width
from pytest_ultra.reporting import paper_table
from pytest_ultra.reporting.notices import Notices
from pytest_ultra.reporting.terminal_summary import end_of_run
from pytest_ultra.reporting.text import count, fill, neutralise
from pytest_ultra.reporting.text_table import TerminalLine
from pytest_ultra.storage.files import check_writable, write_atomically
from pytest_ultra.storage.journal import read_episodes
from pytest_ultra.storage.results import State, find_state, interruption_of, read_results
from pytest_ultra.storage.reuse import read_plan
from pytest_ultra.storage.run_directory import RunDirectory

TABLE_FORMATS = tuple(paper_table.FORMATS)


def show_run(run: RunDirectory, *, is_json: bool) -> None:
    described, state = run.describe(), find_state(run)
    contents = read_episodes(run) if state is State.RUNNING else read_results(run)
    warn("show", map(str, contents.damaged))
    summary = summarize(contents.episodes, run.tested_models)
    if is_json:
        print_json(
            {"run": described, "state": state, "cut_off": interruption_of(run), "summary": _with_values(summary)}
        )
        return
    print_lines([*(text for line in _head(run, described, state) for text in fill(line, width())), ""])
    print_marked(
        [
            *end_of_run(summary, width()),
            *(TerminalLine(text, ("yellow",)) for text in Notices(contents.episodes).lines()),
        ]
    )


def show_table(run: RunDirectory, table_format: str, path: Path | None) -> None:
    """Print a run's table for papers, or write it to `path`."""
    contents = read_results(run)
    warn("show", map(str, contents.damaged))
    text = paper_table.FORMATS[table_format](summarize(contents.episodes, run.tested_models))
    if path is None:
        print_bytes(text.encode())
        return
    check_writable(path, "--output")
    write_atomically(path, text.encode())


def _with_values(value: Any) -> Any:
    """Return figures as JSON values; rates and differences get a `value` beside the counts they come from."""
    if isinstance(value, msgspec.Struct):
        record = {name: _with_values(getattr(value, name)) for name in value.__struct_fields__}
        return {"value": value.value} | record if hasattr(value, "value") else record
    if isinstance(value, tuple | list):
        return [_with_values(item) for item in value]
    return value


def _head(run: RunDirectory, described: dict[str, Any], state: State) -> Iterator[str]:
    interruption = interruption_of(run)
    reason = f" ({interruption})" if interruption else ""
    yield f"run {run.run_id}: {state.label}{reason}, started {described['started_at'][:19]} UTC"
    if state is State.RUNNING and (plan := read_plan(run)):
        yield f"these are the cases that have been run, of {count(len(plan.nodeids), 'planned case')}"
    options, git = described.get("options", {}), described.get("git")
    yield f"pytest-ultra {described.get('pytest_ultra', '?')}, seed {options.get('seed', '?')}"
    if git:
        dirty = {True: ", with changes", False: "", None: ", perhaps with changes"}[git.get("is_dirty")]
        yield f"commit {git['commit']}{dirty}"
    if "command" in described:
        yield neutralise(f"pytest {shlex.join(described['command'])}")
