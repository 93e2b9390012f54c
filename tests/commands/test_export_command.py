"""`pytest-ultra export`: all figures of all planned cases, in three formats that are safe to open."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from pyarrow import parquet

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import flatten
from pytest_ultra.storage.results import read_results
from pytest_ultra.storage.run_directory import RunDirectory
from tests.commands.conftest import CommandResult
from tests.results_factory import make_case, make_episode
from tests.storage.stored_runs import make_run, some_episodes

Command = Callable[..., CommandResult]
HOSTILE = msgspec.structs.replace(
    make_episode(make_case(PromptType.BASELINE, model="=cmd()"), error="-1+1\n\x1b[31m\u202e"), nodeid="@x"
)


@pytest.fixture
def run(root: Path) -> RunDirectory:
    episodes = [*some_episodes(), HOSTILE]
    return make_run(root, episodes, planned=[*(e.case for e in episodes), make_case(instance=9, seed=10**30)])


def rows_of(run: RunDirectory) -> list[dict[str, Any]]:
    return [{"run_id": run.run_id} | flatten(episode) for episode in read_results(run).episodes]


def test_json_lines_contain_a_row_for_each_planned_case(run: RunDirectory, command: Command) -> None:
    shown = command("export")
    assert (shown.code, shown.err) == (0, "")
    rows = [json.loads(line) for line in shown.lines]
    assert rows == rows_of(run)
    assert [row["outcome"] for row in rows] == ["full", "failed", "error", "partial", "full", "skipped"]


def read_cell(text: str, like: Any) -> Any:
    """Return the value of a cell, in the type of `like`."""
    if text == "":
        return None
    return text == "true" if isinstance(like, bool) else type(like)(text)


def test_csv_contains_the_same_figures_to_the_last_digit(run: RunDirectory, command: Command, tmp_path: Path) -> None:
    assert command("export", run.run_id, "--format=csv", "-o", "out.txt").out == ""
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.txt").read_text())))
    expected = rows_of(run)
    assert len(rows) == len(expected) == 6
    for row, record in zip(rows, expected, strict=True):
        assert list(row) == list(record)
        for name, value in record.items():
            if not isinstance(value, str):
                assert read_cell(row[name], value) == value, name


def test_text_in_csv_is_no_formula_and_contains_no_control_code(run: RunDirectory, command: Command) -> None:
    shown = command("export", run.run_id, "--format", "csv")
    assert shown.out.isascii()
    assert all(line.isprintable() for line in shown.lines)
    row = list(csv.DictReader(io.StringIO(shown.out)))[4]
    assert (row["model"], row["nodeid"], row["error"]) == ("'=cmd()", "'@x", "'-1+1\\n\\x1b[31m\\u202e")


def test_parquet_contains_the_same_figures_in_typed_columns(
    run: RunDirectory, command: Command, tmp_path: Path
) -> None:
    assert command("export", "-o", "out.parquet").code == 0
    table = parquet.read_table(tmp_path / "out.parquet")
    expected = rows_of(run)
    kinds = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
    for name in expected[0]:
        values = [row[name] for row in expected]
        if name == "seed":  # one value does not fit an integer column
            values = list(map(str, values))
        assert table.column(name).to_pylist() == values
        found = {kinds[str if isinstance(value, str) else type(value)] for value in values if value is not None}
        assert found <= {table.schema.field(name).type}
    assert table.schema.field("timeout_s").type == pa.float64(), "although all its values are null"


def test_a_number_column_is_an_integer_column_if_all_values_fit(root: Path, command: Command, tmp_path: Path) -> None:
    make_run(root, some_episodes())
    command("export", "-o", "out.parquet")
    assert parquet.read_schema(tmp_path / "out.parquet").field("seed").type == pa.int64()


WITHOUT_PYARROW = """
import sys
sys.modules["pyarrow"] = None
from pytest_ultra.commands.cli import main
sys.exit(main(["export", "-o", "out.parquet"]))
"""


def test_parquet_without_pyarrow_names_the_extra(run: RunDirectory) -> None:
    command = [sys.executable, "-c", WITHOUT_PYARROW]
    shown = subprocess.run(command, cwd=run.path.parents[2], capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert shown.returncode == 2
    assert shown.stderr.startswith("pytest-ultra export: error: Parquet needs pyarrow (")
    assert shown.stderr.endswith("; install it with: pip install 'pytest-ultra[parquet]', or export as csv or jsonl\n")


def test_a_run_without_episodes_or_a_bad_path_is_an_error(root: Path, command: Command) -> None:
    run = make_run(root, [])
    message = f"pytest-ultra export: error: the run {run.run_id} holds no episodes, so there is nothing to export\n"
    assert command("export") == CommandResult(2, "", message)
    shown = command("export", "-o", ".")
    assert shown.err == "pytest-ultra export: error: --output: '.' is a directory; name a file that can be written\n"
