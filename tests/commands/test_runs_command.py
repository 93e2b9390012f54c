"""`pytest-ultra runs` and `pytest-ultra store`: the list of all runs, and the database of their results."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pytest_ultra.storage.run_status import RunEnd, lock_run
from pytest_ultra.storage.store.database import store_path
from pytest_ultra.storage.store.migrations import SCHEMA_VERSION
from tests.commands.conftest import CommandResult
from tests.results_factory import make_case, make_episode
from tests.storage.stored_runs import STARTED_AT, make_run, some_episodes

Command = Callable[..., CommandResult]


def test_runs_are_listed_newest_first_with_their_state(root: Path, command: Command) -> None:
    make_run(root, some_episodes())
    make_run(root, [], planned=[make_case()], at=STARTED_AT + 60, run_end=None)
    make_run(root, [make_episode()], at=STARTED_AT + 120, run_end=RunEnd(2, STARTED_AT + 130, "interrupted"))
    lock = lock_run(make_run(root, [make_episode(make_case(model="\x1b[31mred"))], at=STARTED_AT + 180, run_end=None))
    shown = command("runs")
    lock.release()
    assert (shown.code, shown.err) == (0, "")
    assert shown.lines == [
        "run                      started           models                     scored  success   cost        state",
        "---------------------------------------------------------------------------------------------------------",
        "20231114T221620.000000Z  2023-11-14 22:16  \\x1b[31mred                   1/1   100.0%      -      running",
        "20231114T221520.000000Z  2023-11-14 22:15  gpt-4o-mini                   1/1   100.0%      -  interrupted",
        "20231114T221420.000000Z  2023-11-14 22:14  gpt-4o-mini                   0/1        -      -  interrupted",
        "20231114T221320.000000Z  2023-11-14 22:13  demo/perfect, gpt-4o-mini     3/4    33.3%  $0.25     finished",
    ]


def test_a_run_that_cannot_be_read_is_named_beside_the_others(root: Path, command: Command) -> None:
    make_run(root, some_episodes())
    unreadable = make_run(root, [make_episode()], at=STARTED_AT + 60)
    (unreadable.path / "run.json").unlink()
    (unreadable.path / "run.json").mkdir()
    shown = command("runs")
    assert (shown.code, len(shown.lines)) == (0, 3)
    path = str(Path(".ultra/runs") / unreadable.run_id / "run.json")
    assert (
        shown.err
        == f"pytest-ultra runs: the run {unreadable.run_id} is left out of the store: {path!r}: is a directory\n"
    )


def test_a_narrow_terminal_omits_the_start_time_that_the_id_also_shows(
    root: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(root, some_episodes())
    monkeypatch.setenv("COLUMNS", "80")
    assert command("runs").lines == [
        "run                     models                    scored success  cost    state",
        "-------------------------------------------------------------------------------",
        "20231114T221320.000000Z demo/perfect, gpt-4o-mini    3/4   33.3% $0.25 finished",
    ]


def test_runs_are_listed_as_json(root: Path, command: Command) -> None:
    run = make_run(root, some_episodes())
    assert command("runs", "--json").json == [
        {
            "state": "ended",
            "success": 1 / 3,
            "run_id": run.run_id,
            "started_at": STARTED_AT,
            "ended_at": STARTED_AT + 60,
            "exit_status": 1,
            "cut_off": None,
            "planned": 4,
            "scored": 3,
            "full": 1,
            "error": 1,
            "reused": 1,
            "cost": 0.25,
            "models": ["demo/perfect", "gpt-4o-mini"],
        }
    ]


def test_without_a_run_the_message_says_how_to_start_one_and_no_file_is_left(root: Path, command: Command) -> None:
    shown = command("runs")
    assert (shown.code, shown.out) == (0, "'.ultra/runs' holds no run; start one: pytest --ultra-model demo\n")
    assert command("runs", "--json").json == []
    shown = command("store", "status")
    assert shown.code == 2
    assert shown.err.startswith("pytest-ultra store: error: '.ultra/runs' holds no run, so there is nothing to store;")
    assert not root.exists()


def test_runs_are_listed_even_if_the_store_cannot_be_used(root: Path, command: Command) -> None:
    make_run(root, some_episodes())
    store_path(root).mkdir()
    shown = command("runs")
    assert shown.code == 0
    assert shown.lines[-1].startswith("20231114T221320.000000Z  ")
    assert shown.err.startswith("pytest-ultra runs: the store '.ultra/results.sqlite' cannot be used: unable to open")


def test_a_closed_pipe_gives_no_traceback(root: Path) -> None:
    make_run(root, some_episodes())
    command = [sys.executable, "-m", "pytest_ultra", "runs"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603 - our own command
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait() == 2
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_store_sync_reads_new_runs_and_status_shows_the_contents(root: Path, command: Command) -> None:
    make_run(root, some_episodes())
    (root / "runs" / "20240101T000000.000000Z").mkdir()
    (root / "runs" / "20240101T000000.000000Z" / "run.json").write_text("{")
    first = command("store", "sync")
    assert first.lines == [
        f".ultra/results.sqlite: 1 run, 4 cases, 4 episodes, 6 attempts; schema {SCHEMA_VERSION}",
        "1 run read, 0 removed, 1 left out",
    ]
    left_out = (
        "the run 20240101T000000.000000Z is left out of the store: '.ultra/runs/20240101T000000.000000Z/run.json' is "
        "damaged (Input data was truncated); leave its run out, or restore the file"
    )
    assert first.err == f"pytest-ultra store: {left_out}\n"
    again = command("store", "status", "--json").json
    assert (again["schema"], again["runs"], again["episodes"], again["read"]) == (SCHEMA_VERSION, 1, 4, [])
    assert again["problems"] == [left_out]


def test_store_rebuild_reads_all_runs_again(root: Path, command: Command) -> None:
    run = make_run(root, some_episodes())
    for content in (None, b"no database", b""):
        if content is not None:
            store_path(root).write_bytes(content)
        assert command("store", "rebuild", "--json").json["read"] == [run.run_id]
        assert command("store", "rebuild", "--json").json["read"] == [run.run_id], "also if the store is intact"


def test_a_store_of_a_newer_schema_is_not_rebuilt(root: Path, command: Command) -> None:
    make_run(root, some_episodes())
    with closing(sqlite3.connect(store_path(root))) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = store_path(root).read_bytes()
    for action in ("status", "sync", "rebuild"):
        shown = command("store", action)
        assert (shown.code, shown.out) == (2, "")
        assert shown.err.startswith(
            "pytest-ultra store: error: the store '.ultra/results.sqlite' cannot be used: it was "
        )
        assert (
            f"written by a newer pytest-ultra (schema 99, this one knows up to {SCHEMA_VERSION}); it was not changed; "
            in shown.err
        )
    assert store_path(root).read_bytes() == before


def test_a_store_that_cannot_be_written_is_not_rebuilt(root: Path, command: Command) -> None:
    make_run(root, some_episodes())
    store_path(root).mkdir()
    shown = command("store", "rebuild")
    assert shown.code == 2
    assert "cannot be used: unable to open database file; the runs themselves are safe; " in shown.err
    assert store_path(root).is_dir()
