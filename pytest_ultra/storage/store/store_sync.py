"""Synchronization of the store with the run directories: runs that have changed since the last sync are read again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

import msgspec
from sqlalchemy import Connection, delete, insert, not_, select, update
from sqlalchemy.dialects import sqlite

from pytest_ultra.core.episode import Episode
from pytest_ultra.errors import ConfigurationError, describe_error
from pytest_ultra.storage.results import State, find_state
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_lookup import list_runs
from pytest_ultra.storage.slim_episodes import SlimEpisodes
from pytest_ultra.storage.store.database import Database, StoreError, store_path
from pytest_ultra.storage.store.store_rows import attempt_rows, episode_rows, provenance_rows, run_end_row, run_row
from pytest_ultra.storage.store.store_tables import ATTEMPTS, CASES, EPISODES, PROVENANCE, RUN_TABLES, RUNS

EPISODES_AT_ONCE = 500
"""How many episodes are in memory with their transcripts, and as rows."""
_UNREADABLE = (ConfigurationError, LookupError, OSError, ValueError, TypeError, OverflowError)
"""Raised for a run that is damaged, has a newer schema version, was deleted in the meantime, or fits no table."""


class SyncResult(msgspec.Struct, frozen=True):
    """The ids of the runs that were read and of those that were removed, and why other runs could not be read."""

    read: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def open_synced(root: Path) -> tuple[Database, tuple[str, ...]]:
    """Open and sync the store under `root`; return it with warnings for the user.

    If the file cannot be used, the runs are read into a database in memory.
    """
    try:
        database = Database.open(store_path(root))
        return database, sync(database, root).problems
    except StoreError as error:
        database = Database.in_memory(store_path(root))
        return database, (str(error), *sync(database, root).problems)


def sync(
    database: Database, root: Path, *, own: RunDirectory | None = None, timeout_s: float | None = None
) -> SyncResult:
    """Update the store to the run directories under `root`; unchanged runs are not read.

    With `own`, a run that has stored itself, that run is skipped, and so are runs that are still running. After
    `timeout_s`, no further run is read; the next sync reads the rest. Any number of processes may sync at once: with
    each run they store which files they have read, so if a slower process overwrites a run with older data, the next
    sync reads the run again.
    """
    known = _read_known(database)
    ends_at = None if timeout_s is None else time.monotonic() + timeout_s
    read: list[str] = []
    problems: list[str] = []
    found = list_runs(root)
    for run in found:
        if ends_at is not None and time.monotonic() > ends_at:
            break
        try:
            if (own is None or run.run_id != own.run_id) and _sync_run(
                database, run, known, is_over_only=own is not None
            ):
                read.append(run.run_id)
        except _UNREADABLE as error:
            problems.append(f"the run {run.run_id} is left out of the store: {describe_error(error)}")
    removed = sorted(known.keys() - {run.run_id for run in found})
    if removed:
        with database.writing() as connection:
            _remove(connection, removed)
    return SyncResult(tuple(read), tuple(removed), tuple(problems))


def store_run(database: Database, run: RunDirectory, episodes: Iterable[Episode]) -> None:
    """Store a run that has ended, with `episodes` as `read_results` would return them."""
    _store(database, run, episodes, _fingerprint(run, is_over=True))


def store_run_end(database: Database, run: RunDirectory) -> None:
    """Store how a run that is already in the store has ended."""
    with database.writing() as connection:
        connection.execute(update(RUNS).where(RUNS.c.run_id == run.run_id).values(run_end_row(run)))


_Known = tuple[str, float | None]


def _read_known(database: Database) -> dict[str, _Known]:
    """Return the fingerprint with which each run was last read, and when the run ended."""
    with database.reading() as connection:
        found = connection.execute(select(RUNS.c.run_id, RUNS.c.files, RUNS.c.ended_at)).all()
    return {run_id: (files, ended_at) for run_id, files, ended_at in found}


def _sync_run(database: Database, run: RunDirectory, known: Mapping[str, _Known], *, is_over_only: bool) -> bool:
    """Read a run if it has changed; return whether it was read.

    With `is_over_only`, a run that is still running is not read.
    """
    is_over = find_state(run) is not State.RUNNING
    if is_over_only and not is_over:
        return False
    stored, ended_at = known.get(run.run_id, ("", None))
    current = _fingerprint(run, is_over=is_over)
    if stored != current:
        results = SlimEpisodes(run)
        _store(database, run, map(results.read, results.episodes if is_over else results.found), current)
        return True
    if ended_at is None and run_end_row(run)["ended_at"] is not None:
        store_run_end(database, run)
    return False


def _fingerprint(run: RunDirectory, *, is_over: bool) -> str:
    """Return a text that changes with the run's journals, its plan, and whether it is over."""
    paths = sorted([*run.path.glob("journal-*.jsonl"), *run.path.glob("plan.json"), run.path / "run.json"])
    stats = [(path.name, (stat := path.stat()).st_size, stat.st_mtime_ns) for path in paths]
    return msgspec.json.encode([is_over, stats]).decode()


def _store(database: Database, run: RunDirectory, episodes: Iterable[Episode], files: str) -> None:
    provenance, row = list(provenance_rows(run)), run_row(run, files)
    with database.writing() as connection:
        _remove(connection, [run.run_id], has_orphans=False)
        connection.execute(insert(RUNS), [row])
        if provenance:
            connection.execute(insert(PROVENANCE), provenance)
        remaining = iter(episodes)
        while some := list(islice(remaining, EPISODES_AT_ONCE)):
            _insert(connection, run, some)


def _insert(connection: Connection, run: RunDirectory, episodes: Sequence[Episode]) -> None:
    cases, rows_of_episodes = episode_rows(run, episodes)
    connection.execute(insert(EPISODES), rows_of_episodes)
    connection.execute(sqlite.insert(CASES).on_conflict_do_nothing(), cases)
    if attempts := list(attempt_rows(run, episodes)):
        connection.execute(insert(ATTEMPTS), attempts)


def _remove(connection: Connection, run_ids: Iterable[str], *, has_orphans: bool = True) -> None:
    """Remove runs; with `has_orphans`, also the cases that no other run has."""
    for table in RUN_TABLES:
        for run_id in run_ids:
            connection.execute(delete(table).where(table.c.run_id == run_id))
    if has_orphans:
        connection.execute(delete(CASES).where(not_(CASES.c.case_id.in_(select(EPISODES.c.case_id)))))
