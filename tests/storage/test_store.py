"""The store matches the journals: after migrations, kills, repeated syncs, and syncs of eight processes at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from sqlalchemy import inspect, select

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.episode import Episode, Outcome, flatten
from pytest_ultra.core.transcript import Attempted
from pytest_ultra.storage.results import read_results
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import RunEnd, lock_run, write_run_end
from pytest_ultra.storage.store import store_sync
from pytest_ultra.storage.store.database import Database, NewerStoreError, StoreError, rebuild, store_path
from pytest_ultra.storage.store.migrations import MIGRATIONS, SCHEMA_VERSION
from pytest_ultra.storage.store.queries import list_stored_runs
from pytest_ultra.storage.store.store_sync import SyncResult, open_synced, store_run, sync
from pytest_ultra.storage.store.store_tables import ATTEMPTS, METADATA, PROVENANCE
from tests.results_factory import DERIVED_FIELDS, make_case, make_episode
from tests.storage.stored_runs import STARTED_AT, make_run, some_episodes, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / ".ultra"


def open_store(root: Path) -> Database:
    root.mkdir(exist_ok=True)
    return Database.open(store_path(root))


def query(root: Path, sql: str) -> list[tuple[Any, ...]]:
    """Query as a user does, with SQLite itself."""
    with closing(sqlite3.connect(store_path(root))) as connection:
        return connection.execute(sql).fetchall()


def results(root: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(store_path(root))) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM results ORDER BY run_id, nodeid")]


def flattened(run: RunDirectory) -> list[dict[str, Any]]:
    rows = [{"run_id": run.run_id} | flatten(episode) for episode in read_results(run).episodes]
    rows = [{name: value for name, value in row.items() if name not in DERIVED_FIELDS} for row in rows]
    return sorted(rows, key=lambda row: row["nodeid"])


def test_the_tables_match_the_migrations(root: Path) -> None:
    database = open_store(root)
    with database.reading() as connection:
        inspector = inspect(connection)
        made = {
            name: {column["name"] for column in inspector.get_columns(name)} for name in inspector.get_table_names()
        }
    assert made == {table.name: {column.name for column in table.columns} for table in METADATA.sorted_tables}
    assert query(root, "PRAGMA journal_mode") == [("wal",)]
    assert query(root, "PRAGMA user_version") == [(SCHEMA_VERSION,)]


def test_every_field_of_every_episode_is_stored_as_in_the_journals(root: Path) -> None:
    not_run = make_case(PromptType.BASELINE, seed=10**30)
    episodes = some_episodes()
    run = make_run(root, episodes, planned=[*(episode.case for episode in episodes), not_run])
    assert sync(open_store(root), root) == SyncResult(read=(run.run_id,))
    expected = flattened(run)
    (skipped,) = [row for row in expected if row["outcome"] == "skipped"]
    skipped["seed"] = str(10**30)  # too large for an integer of SQLite
    assert results(root) == expected


def test_attempts_are_counted_within_their_episode(root: Path) -> None:
    episodes = some_episodes()
    make_run(root, episodes)
    database = open_store(root)
    sync(database, root)
    with database.reading() as connection:
        attempts = connection.execute(select(ATTEMPTS).order_by(ATTEMPTS.c.number)).mappings().all()
    failed = episodes[1]
    made = [event for event in failed.transcript if type(event).__name__ == "Attempted"]
    assert len(made) == 6
    assert [(row["case_id"], row["number"], row["turn"]) for row in attempts] == [
        (failed.case_id, number, number) for number in range(1, 7)
    ]
    assert attempts[-1]["duration_s"] == 0.6


def test_provenance_is_stored_for_each_model_of_a_run(root: Path) -> None:
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
    sync(database, root)
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


def test_an_unchanged_run_is_not_read_again_and_nothing_is_stored_twice(root: Path) -> None:
    run = make_run(root, some_episodes())
    database = open_store(root)
    assert sync(database, root).read == (run.run_id,)
    before = results(root)
    assert sync(database, root) == SyncResult()
    store_run(database, run, read_results(run).episodes)
    assert sync(database, root) == SyncResult(), "it is known to have ended"
    assert results(root) == before


def test_a_run_is_stored_whole_whatever_is_in_memory_at_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(root, some_episodes())
    monkeypatch.setattr(store_sync, "EPISODES_AT_ONCE", 2)
    sync(open_store(root), root)
    attempts = [event for e in read_results(run).episodes for event in e.transcript if isinstance(event, Attempted)]
    assert query(root, "SELECT count(*) FROM episodes") == [(len(some_episodes()),)]
    assert query(root, "SELECT count(*) FROM attempts") == [(len(attempts),)] != [(0,)]


def test_a_killed_run_is_read_and_a_running_one_is_read_until_it_ends(root: Path) -> None:
    first, second, *others = some_episodes()
    run = make_run(root, [first], planned=[first.case, second.case], run_end=None)
    lock = lock_run(run)
    database = open_store(root)
    other = make_run(root, [], planned=[], at=STARTED_AT + 1)
    assert sync(database, root, own=other) == SyncResult(), "it is running, and the other has stored itself"
    other.discard()
    sync(database, root)
    assert [row["outcome"] for row in results(root)] == ["full"], "while it is running, nothing is skipped yet"
    write(run, [second], "gw1")
    sync(database, root)
    assert Counter(row["outcome"] for row in results(root)) == {"full": 1, "failed": 1}
    lock.release()
    assert sync(database, root, own=other).read == (run.run_id,)
    assert list_stored_runs(database)[0].ended_at is None
    write_run_end(run, RunEnd(2, STARTED_AT + 5, "interrupted"))
    assert sync(database, root) == SyncResult(), "its journals have not changed"
    (stored,) = list_stored_runs(database)
    assert (stored.ended_at, stored.exit_status, stored.interruption) == (STARTED_AT + 5, 2, "interrupted")
    assert others


def test_a_deleted_run_is_removed_with_the_cases_that_only_it_had(root: Path) -> None:
    kept = make_run(root, some_episodes()[:2])
    deleted = make_run(root, some_episodes()[1:], at=STARTED_AT + 1)
    database = open_store(root)
    sync(database, root)
    assert query(root, "SELECT count(*) FROM cases") == [(4,)]
    deleted.discard()
    assert sync(database, root) == SyncResult(removed=(deleted.run_id,))
    assert results(root) == flattened(kept)
    assert query(root, "SELECT count(*) FROM cases") == [(2,)]
    assert query(root, "SELECT DISTINCT run_id FROM attempts") == [(kept.run_id,)]


def test_runs_are_listed_with_figures_computed_from_their_episodes(root: Path) -> None:
    older = make_run(root, some_episodes(), planned=[make_case(instance=n) for n in range(7)])
    requested = {"options": {"model": ["demo", "a-model"]}}
    empty = make_run(root, [], planned=[], at=STARTED_AT + 1, run_end=None, described=requested)
    database = open_store(root)
    sync(database, root)
    newest, oldest = list_stored_runs(database)
    assert (newest.run_id, newest.planned, newest.scored, newest.cost) == (empty.run_id, 0, 0, None)
    assert newest.models == ("a-model", "demo"), "the requested ones"
    assert msgspec.structs.asdict(oldest) == {
        "run_id": older.run_id,
        "started_at": STARTED_AT,
        "ended_at": STARTED_AT + 60,
        "exit_status": 1,
        "interruption": None,
        "planned": 7,
        "scored": 3,
        "full": 1,
        "error": 1,
        "reused": 1,
        "cost": 0.25,
        "models": ("demo/perfect", "gpt-4o-mini"),
    }


def make_store_of_schema_1(root: Path, run: RunDirectory, episode: Episode) -> None:
    """Write a store of schema 1 without the current code, except for the SQL of its migration."""
    record = {"run_id": run.run_id} | flatten(episode)
    with closing(sqlite3.connect(store_path(root))) as connection:
        connection.executescript(MIGRATIONS[0])
        connection.execute(
            "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)", (run.run_id, STARTED_AT, None, None, None, 1, "old")
        )
        for table in ("cases", "episodes"):
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            values = [record[name] for name in names]
            marks = ", ".join("?" * len(names))
            connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608 - of our own two tables
        connection.execute("PRAGMA user_version = 1")
        connection.commit()


def test_a_store_of_an_older_schema_is_migrated_and_loses_nothing(root: Path) -> None:
    episode = some_episodes()[0]
    run = make_run(root, [episode], described={"options": {"model": ["gpt-4o-mini"]}})
    make_store_of_schema_1(root, run, episode)
    database = open_store(root)
    assert results(root) == flattened(run)
    assert query(root, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert query(root, "SELECT count(*) FROM provenance") == [(0,)]
    assert sync(database, root).read == (run.run_id,), "the new table is filled from the run itself"
    assert query(root, "SELECT run_id, model FROM provenance") == [(run.run_id, "gpt-4o-mini")]
    assert results(root) == flattened(run)


def test_a_failed_migration_does_not_change_the_older_store(root: Path) -> None:
    run = make_run(root, some_episodes()[:1])
    make_store_of_schema_1(root, run, some_episodes()[0])
    with closing(sqlite3.connect(store_path(root))) as connection:
        connection.execute("CREATE TABLE provenance (mine TEXT)")
    with pytest.raises(
        StoreError, match="table provenance already exists; `pytest-ultra store rebuild` builds it again"
    ):
        Database.open(store_path(root))
    assert query(root, "PRAGMA user_version") == [(1,)]
    assert query(root, "SELECT files FROM runs") == [("old",)]


def test_a_store_of_a_newer_schema_is_rejected_and_not_changed(root: Path) -> None:
    make_run(root, some_episodes())
    with closing(sqlite3.connect(store_path(root))) as connection:
        connection.execute("CREATE TABLE runs (of_the_future TEXT)")
        connection.execute("PRAGMA user_version = 99")
        connection.commit()
    before = store_path(root).read_bytes()
    with pytest.raises(NewerStoreError) as caught:
        Database.open(store_path(root))
    message = (
        f"the store {str(store_path(root))!r} cannot be used: it was written by a newer pytest-ultra (schema 99, this "
        f"one knows up to {SCHEMA_VERSION}); it was not changed; upgrade pytest-ultra, or move the file away and a new "
        "store is built"
    )
    assert str(caught.value) == message
    database, problems = open_synced(root)
    assert problems == (message,)
    with closing(database):
        assert [run.scored for run in list_stored_runs(database)] == [3], "the runs are read anyway"
    assert store_path(root).read_bytes() == before


def test_a_file_that_is_not_a_store_is_reported_with_a_remedy(root: Path) -> None:
    root.mkdir()
    store_path(root).write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError) as caught:
        Database.open(store_path(root))
    assert str(caught.value) == (
        f"the store {str(store_path(root))!r} cannot be used: file is not a database; `pytest-ultra store rebuild` "
        "builds it again from the runs"
    )


def test_a_path_that_cannot_be_written_is_reported_with_a_remedy(root: Path) -> None:
    store_path(root).mkdir(parents=True)
    with pytest.raises(StoreError) as caught:
        Database.open(store_path(root))
    assert str(caught.value) == (
        f"the store {str(store_path(root))!r} cannot be used: unable to open database file; the runs themselves are "
        "safe; free disk space or make the file writable, then run `pytest-ultra store sync`"
    )


SYNC_ON_A_FULL_DISK = """
import resource, sys
from pathlib import Path
from pytest_ultra.storage.store import store_sync
from pytest_ultra.storage.store.database import Database, StoreError, store_path
from pytest_ultra.storage.store.store_sync import sync

root = Path(sys.argv[1])
database = Database.open(store_path(root))
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, most))
try:
    sync(database, root)
except StoreError as error:
    print(error.reason)
"""


def python(*args: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", *args], stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own scripts


def test_on_a_full_disk_a_run_is_stored_by_the_next_sync(root: Path) -> None:
    run = make_run(root, (make_episode(make_case(instance=n)) for n in range(200)))
    output, _ = python(SYNC_ON_A_FULL_DISK, str(root)).communicate()
    assert output.strip() in ("disk I/O error", "database or disk is full")
    assert query(root, "SELECT count(*) FROM episodes") == [(0,)]
    assert sync(open_store(root), root).read == (run.run_id,)
    assert len(results(root)) == 200


OPEN_SYNCED = """
import sys
from pathlib import Path
from pytest_ultra.storage.store.store_sync import open_synced

_, problems = open_synced(Path(sys.argv[1]))
print(*problems)
"""


def test_eight_processes_can_sync_the_store_at_once(root: Path) -> None:
    runs = [
        make_run(root, (make_episode(make_case(instance=n)) for n in range(100)), at=STARTED_AT + number)
        for number in range(5)
    ]
    processes = [python(OPEN_SYNCED, str(root)) for _ in range(8)]
    outputs = [process.communicate()[0] for process in processes]
    assert outputs == ["\n"] * 8
    assert results(root) == [row for run in runs for row in flattened(run)]


def test_an_unreadable_run_does_not_keep_other_runs_out(root: Path) -> None:
    newer = make_run(root, some_episodes(), described={"schema_version": 9})
    damaged = make_run(root, some_episodes(), at=STARTED_AT + 1)
    (damaged.path / "run.json").write_bytes(b"{")
    sound = make_run(root, some_episodes(), at=STARTED_AT + 2)
    synced = sync(open_store(root), root)
    assert synced.read == (sound.run_id,)
    first, second = synced.problems
    assert first.startswith(f"the run {newer.run_id} is left out of the store: '")
    assert "was written by a newer pytest-ultra (schema 9" in first
    path = str(damaged.path / "run.json")
    assert second == (
        f"the run {damaged.run_id} is left out of the store: {path!r} is damaged (Input data was truncated); leave its "
        "run out, or restore the file"
    )


def test_after_a_timeout_the_next_sync_reads_the_rest(root: Path) -> None:
    runs = [make_run(root, some_episodes(), at=STARTED_AT + n) for n in range(3)]
    database = open_store(root)
    assert sync(database, root, timeout_s=-1.0) == SyncResult()
    assert len(sync(database, root).read) == len(runs)


def outcomes(rows: Iterable[dict[str, Any]]) -> Counter[Outcome]:
    return Counter(Outcome(row["outcome"]) for row in rows)


def test_the_newest_episode_of_a_case_counts(root: Path) -> None:
    case = make_case()
    run = make_run(
        root, [make_episode(case, Outcome.ERROR), make_episode(case, Outcome.FULL, started_at=STARTED_AT + 9)]
    )
    sync(open_store(root), root)
    assert outcomes(results(root)) == {Outcome.FULL: 1}
    write(run, [make_episode(case, Outcome.PARTIAL, started_at=STARTED_AT + 10)], "gw1")
    sync(open_store(root), root)
    assert outcomes(results(root)) == {Outcome.PARTIAL: 1}


@pytest.mark.parametrize("seed", range(12))
def test_a_store_with_damaged_pages_is_rebuilt(root: Path, seed: int) -> None:
    run = make_run(root, some_episodes() * 20)
    sync(open_store(root), root)
    expected = results(root)
    damage_pages(store_path(root), Random(seed))
    database = rebuild(store_path(root))
    assert sync(database, root) == SyncResult(read=(run.run_id,))
    assert results(root) == expected
    assert query(root, "PRAGMA integrity_check") == [("ok",)]


def damage_pages(path: Path, random: Random) -> None:
    """Overwrite pages after the first, which the header is on, as a failing disk does; sometimes cut the file."""
    content = bytearray(path.read_bytes())
    pages = len(content) // 4096
    assert pages > 10
    for page in random.sample(range(1, pages), 4 + random.randrange(pages - 6)):
        content[page * 4096 : (page + 1) * 4096] = random.randbytes(4096)
    path.write_bytes(content if random.random() < 0.7 else content[: len(content) // 2])


def test_a_store_in_a_folder_that_is_gone_is_not_called_safe(root: Path) -> None:
    with pytest.raises(StoreError, match=r"its folder does not exist; name the folder of the runs"):
        Database.open(store_path(root))
