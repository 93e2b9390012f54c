"""The store says what the journals say: after migrations, kills, second readings and eight processes at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import inspect, select

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode, Outcome, flatten
from pytest_ultra.storage.results import read_results
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import Ending, hold, mark_end
from pytest_ultra.storage.store.database import Database, NewerStoreError, StoreError, store_path
from pytest_ultra.storage.store.migrations import MIGRATIONS, SCHEMA_VERSION
from pytest_ultra.storage.store.queries import list_stored_runs
from pytest_ultra.storage.store.store_sync import Filled, fill, open_filled, put
from pytest_ultra.storage.store.store_tables import ATTEMPTS, METADATA, PROVENANCE
from tests.results_factory import make_case, make_episode
from tests.storage.stored_runs import STARTED_AT, make_run, some_episodes, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / ".ultra"


def open_store(root: Path) -> Database:
    root.mkdir(exist_ok=True)
    return Database.open(store_path(root))


def query(root: Path, sql: str) -> list[tuple[Any, ...]]:
    """Ask as a user does, by SQLite itself."""
    with closing(sqlite3.connect(store_path(root))) as connection:
        return connection.execute(sql).fetchall()


def results(root: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(store_path(root))) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM results ORDER BY run_id, nodeid")]


def flattened(run: RunDirectory) -> list[dict[str, Any]]:
    rows = [{"run_id": run.run_id} | flatten(episode) for episode in read_results(run).episodes]
    return sorted(rows, key=lambda row: row["nodeid"])


def test_the_tables_are_those_that_the_migrations_make(root: Path) -> None:
    database = open_store(root)
    with database.reading() as connection:
        inspector = inspect(connection)
        made = {
            name: {column["name"] for column in inspector.get_columns(name)} for name in inspector.get_table_names()
        }
    assert made == {table.name: {column.name for column in table.columns} for table in METADATA.sorted_tables}
    assert query(root, "PRAGMA journal_mode") == [("wal",)]
    assert query(root, "PRAGMA user_version") == [(SCHEMA_VERSION,)]


def test_every_field_of_every_episode_is_there_as_the_journals_have_it(root: Path) -> None:
    unlived = make_case(PromptType.BASELINE, seed=10**30)
    episodes = some_episodes()
    run = make_run(root, episodes, planned=[*(episode.case for episode in episodes), unlived])
    assert fill(open_store(root), root) == Filled(read=(run.run_id,))
    expected = flattened(run)
    (skipped,) = [row for row in expected if row["outcome"] == "skipped"]
    skipped["seed"] = str(10**30)  # beyond an integer of SQLite's
    assert results(root) == expected


def test_attempts_are_counted_within_their_episode(root: Path) -> None:
    episodes = some_episodes()
    make_run(root, episodes)
    database = open_store(root)
    fill(database, root)
    with database.reading() as connection:
        attempts = connection.execute(select(ATTEMPTS).order_by(ATTEMPTS.c.number)).mappings().all()
    failed = episodes[1]
    made = [event for event in failed.transcript if type(event).__name__ == "Attempted"]
    assert len(made) == 6
    assert [(row["case_id"], row["number"], row["turn"]) for row in attempts] == [
        (failed.case_id, number, number) for number in range(1, 7)
    ]
    assert attempts[-1]["duration_s"] == 0.6


def test_what_made_a_run_is_told_for_each_of_its_models(root: Path) -> None:
    described = {
        "pytest_ultra": "0.3.0",
        "python": "3.12.1",
        "versions": {"generator": 1, "prompts": 2, "scorer": 3},
        "options": {"model": ["gpt-4o-mini", "demo"]},
        "models": [{"name": "gpt-4o-mini", "hosts": ["api.openai.com"], "parameters": {"temperature": 0.5}}],
        "git": {"commit": "c0ffee", "is_dirty": True},
        "command": ["--ultra-model", "gpt-4o-mini,demo"],
    }
    run = make_run(root, [], described=described)
    database = open_store(root)
    fill(database, root)
    with database.reading() as connection:
        demo, gpt = connection.execute(select(PROVENANCE).order_by(PROVENANCE.c.model)).mappings().all()
    assert dict(gpt) == {
        "run_id": run.run_id,
        "model": "gpt-4o-mini",
        "endpoint": "api.openai.com",
        "parameters": '{"temperature":0.5}',
        "pytest_ultra": "0.3.0",
        "python": "3.12.1",
        "generator_version": 1,
        "prompt_version": 2,
        "scorer_version": 3,
        "git_commit": "c0ffee",
        "git_is_dirty": True,
        "command": '["--ultra-model","gpt-4o-mini,demo"]',
    }
    assert (demo["endpoint"], demo["parameters"]) == (None, "{}")


def test_what_has_not_changed_is_not_read_again_and_nothing_is_there_twice(root: Path) -> None:
    run = make_run(root, some_episodes())
    database = open_store(root)
    assert fill(database, root).read == (run.run_id,)
    before = results(root)
    assert fill(database, root) == Filled()
    put(database, run, read_results(run).episodes)
    assert fill(database, root) == Filled(), "it is known to be over"
    assert results(root) == before


def test_a_killed_run_is_taken_up_and_one_that_goes_on_is_read_until_its_end(root: Path) -> None:
    first, second, *others = some_episodes()
    run = make_run(root, [first], planned=[first.case, second.case], ending=None)
    lock = hold(run)
    database = open_store(root)
    other = make_run(root, [], planned=[], at=STARTED_AT + 1)
    assert fill(database, root, own=other) == Filled(), "it goes on, and the other has put itself in"
    other.discard()
    fill(database, root)
    assert [row["outcome"] for row in results(root)] == ["full"], "while it goes on, nothing is skipped yet"
    write(run, [second], "gw1")
    fill(database, root)
    assert Counter(row["outcome"] for row in results(root)) == {"full": 1, "failed": 1}
    lock.release()
    assert fill(database, root, own=other).read == (run.run_id,)
    assert list_stored_runs(database)[0].ended_at is None
    mark_end(run, Ending(2, STARTED_AT + 5, "interrupted"))
    assert fill(database, root) == Filled(), "its journals have not changed"
    (stored,) = list_stored_runs(database)
    assert (stored.ended_at, stored.exit_status, stored.cut_off) == (STARTED_AT + 5, 2, "interrupted")
    assert others


def test_a_run_that_was_deleted_leaves_with_the_cases_that_only_it_had(root: Path) -> None:
    kept = make_run(root, some_episodes()[:2])
    gone = make_run(root, some_episodes()[1:], at=STARTED_AT + 1)
    database = open_store(root)
    fill(database, root)
    assert query(root, "SELECT count(*) FROM cases") == [(4,)]
    gone.discard()
    assert fill(database, root) == Filled(removed=(gone.run_id,))
    assert results(root) == flattened(kept)
    assert query(root, "SELECT count(*) FROM cases") == [(2,)]
    assert query(root, "SELECT DISTINCT run_id FROM attempts") == [(kept.run_id,)]


def test_runs_are_listed_with_figures_that_come_from_their_episodes(root: Path) -> None:
    older = make_run(root, some_episodes(), planned=[make_case(instance=n) for n in range(7)])
    asked = {"options": {"model": ["demo", "a-model"]}}
    empty = make_run(root, [], planned=[], at=STARTED_AT + 1, ending=None, described=asked)
    database = open_store(root)
    fill(database, root)
    newest, oldest = list_stored_runs(database)
    assert (newest.run_id, newest.planned, newest.scored, newest.cost) == (empty.run_id, 0, 0, None)
    assert newest.models == ("a-model", "demo"), "those that were asked for"
    assert msgspec.structs.asdict(oldest) == {
        "run_id": older.run_id,
        "started_at": STARTED_AT,
        "ended_at": STARTED_AT + 60,
        "exit_status": 1,
        "cut_off": None,
        "planned": 7,
        "scored": 3,
        "full": 1,
        "error": 1,
        "reused": 1,
        "cost": 0.25,
        "models": ("demo/perfect", "gpt-4o-mini"),
    }


def make_store_of_schema_1(root: Path, run: RunDirectory, episode: Episode) -> None:
    """Write what a pytest-ultra of then has written, without anything of today's code but the schema's own words."""
    record = {"run_id": run.run_id} | flatten(episode)
    with closing(sqlite3.connect(store_path(root))) as connection:
        connection.executescript(MIGRATIONS[0])
        connection.execute(
            "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)", (run.run_id, STARTED_AT, None, None, None, 1, "as then")
        )
        for table in ("cases", "episodes"):
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            values = [record[name] for name in names]
            marks = ", ".join("?" * len(names))
            connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608 - of our own two tables
        connection.execute("PRAGMA user_version = 1")
        connection.commit()


def test_a_store_of_an_older_schema_is_brought_up_to_date_and_loses_nothing(root: Path) -> None:
    episode = some_episodes()[0]
    run = make_run(root, [episode], described={"options": {"model": ["gpt-4o-mini"]}})
    make_store_of_schema_1(root, run, episode)
    database = open_store(root)
    assert results(root) == flattened(run)
    assert query(root, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert query(root, "SELECT count(*) FROM provenance") == [(0,)]
    assert fill(database, root).read == (run.run_id,), "the new table is filled from the run itself"
    assert query(root, "SELECT run_id, model FROM provenance") == [(run.run_id, "gpt-4o-mini")]
    assert results(root) == flattened(run)


def test_a_migration_that_fails_leaves_the_older_store_as_it_was(root: Path) -> None:
    run = make_run(root, some_episodes()[:1])
    make_store_of_schema_1(root, run, some_episodes()[0])
    with closing(sqlite3.connect(store_path(root))) as connection:
        connection.execute("CREATE TABLE provenance (mine TEXT)")
    with pytest.raises(StoreError, match="table provenance already exists; `pytest-ultra store rebuild` makes it anew"):
        Database.open(store_path(root))
    assert query(root, "PRAGMA user_version") == [(1,)]
    assert query(root, "SELECT files FROM runs") == [("as then",)]


def test_a_store_of_a_newer_schema_is_refused_and_not_touched(root: Path) -> None:
    make_run(root, some_episodes())
    with closing(sqlite3.connect(store_path(root))) as connection:
        connection.execute("CREATE TABLE runs (of_the_future TEXT)")
        connection.execute("PRAGMA user_version = 99")
        connection.commit()
    before = store_path(root).read_bytes()
    with pytest.raises(NewerStoreError) as refused:
        Database.open(store_path(root))
    told = (
        f"the store {str(store_path(root))!r} cannot be used: it was written by a newer pytest-ultra (schema 99, this "
        f"one knows up to {SCHEMA_VERSION}); it is left as it is; upgrade pytest-ultra, or move the file away to have "
        "it made anew"
    )
    assert str(refused.value) == told
    database, problems = open_filled(root)
    assert problems == (told,)
    with closing(database):
        assert [run.scored for run in list_stored_runs(database)] == [3], "the runs are read all the same"
    assert store_path(root).read_bytes() == before


def test_a_file_that_is_no_store_is_told_with_the_way_out(root: Path) -> None:
    root.mkdir()
    store_path(root).write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError) as refused:
        Database.open(store_path(root))
    assert str(refused.value) == (
        f"the store {str(store_path(root))!r} cannot be used: file is not a database; `pytest-ultra store rebuild` "
        "makes it anew from the runs"
    )


def test_a_place_that_cannot_be_written_is_told_with_the_way_out(root: Path) -> None:
    store_path(root).mkdir(parents=True)
    with pytest.raises(StoreError) as refused:
        Database.open(store_path(root))
    assert str(refused.value) == (
        f"the store {str(store_path(root))!r} cannot be used: unable to open database file; the runs themselves are "
        "safe; make room or let it be written, and `pytest-ultra store sync` takes them up"
    )


FILL_A_FULL_DISK = """
import resource, sys
from pathlib import Path
from pytest_ultra.storage.store.database import Database, StoreError, store_path
from pytest_ultra.storage.store.store_sync import fill

root = Path(sys.argv[1])
database = Database.open(store_path(root))
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, most))
try:
    fill(database, root)
except StoreError as error:
    print(error.reason)
"""


def python(*args: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", *args], stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own scripts


def test_a_full_disk_costs_no_more_than_what_did_not_fit(root: Path) -> None:
    run = make_run(root, (make_episode(make_case(instance=n)) for n in range(200)))
    told, _ = python(FILL_A_FULL_DISK, str(root)).communicate()
    assert told.strip() in ("disk I/O error", "database or disk is full")
    assert query(root, "SELECT count(*) FROM episodes") == [(0,)]
    assert fill(open_store(root), root).read == (run.run_id,)
    assert len(results(root)) == 200


FILL = """
import sys
from pathlib import Path
from pytest_ultra.storage.store.store_sync import open_filled

_, problems = open_filled(Path(sys.argv[1]))
print(*problems)
"""


def test_eight_processes_fill_the_store_at_once(root: Path) -> None:
    runs = [
        make_run(root, (make_episode(make_case(instance=n)) for n in range(100)), at=STARTED_AT + number)
        for number in range(5)
    ]
    processes = [python(FILL, str(root)) for _ in range(8)]
    told = [process.communicate()[0] for process in processes]
    assert told == ["\n"] * 8
    assert results(root) == [row for run in runs for row in flattened(run)]


def test_one_run_that_cannot_be_read_keeps_no_other_out(root: Path) -> None:
    newer = make_run(root, some_episodes(), described={"schema_version": 9})
    damaged = make_run(root, some_episodes(), at=STARTED_AT + 1)
    (damaged.path / "run.json").write_bytes(b"{")
    sound = make_run(root, some_episodes(), at=STARTED_AT + 2)
    filled = fill(open_store(root), root)
    assert filled.read == (sound.run_id,)
    first, second = filled.problems
    assert first.startswith(f"the run {newer.run_id} is left out of the store: '")
    assert "was written by a newer pytest-ultra (schema 9" in first
    path = str(damaged.path / "run.json")
    assert second == (
        f"the run {damaged.run_id} is left out of the store: {path!r} is damaged (Input data was truncated); leave its "
        "run out, or restore the file"
    )


def test_out_of_patience_the_rest_waits_for_the_next_time(root: Path) -> None:
    runs = [make_run(root, some_episodes(), at=STARTED_AT + n) for n in range(3)]
    database = open_store(root)
    assert fill(database, root, patience_s=-1.0) == Filled()
    assert len(fill(database, root).read) == len(runs)


def outcomes(rows: Iterable[dict[str, Any]]) -> Counter[Outcome]:
    return Counter(Outcome(row["outcome"]) for row in rows)


def test_the_newest_life_of_a_case_is_the_one_that_counts(root: Path) -> None:
    case = make_case()
    run = make_run(
        root, [make_episode(case, Outcome.ERROR), make_episode(case, Outcome.FULL, started_at=STARTED_AT + 9)]
    )
    fill(open_store(root), root)
    assert outcomes(results(root)) == {Outcome.FULL: 1}
    write(run, [make_episode(case, Outcome.PARTIAL, started_at=STARTED_AT + 10)], "gw1")
    fill(open_store(root), root)
    assert outcomes(results(root)) == {Outcome.PARTIAL: 1}
