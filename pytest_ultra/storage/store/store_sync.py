"""Filling the store from the run directories: what has changed since it was last read is read again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Connection, delete, insert, not_, select, update
from sqlalchemy.dialects import sqlite

from pytest_ultra.core.episode import Episode
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.journal import read_episodes
from pytest_ultra.storage.results import State, find_state, read_results
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_lookup import list_runs
from pytest_ultra.storage.store.database import Database, StoreError, store_path
from pytest_ultra.storage.store.store_rows import attempt_rows, ending_row, episode_rows, provenance_rows, run_row
from pytest_ultra.storage.store.store_tables import ATTEMPTS, CASES, EPISODES, OF_RUN, PROVENANCE, RUNS

_UNREADABLE = (ConfigurationError, LookupError, OSError)
"""What a run raises that is damaged, of a newer schema, or gone in the meantime."""


class Filled(msgspec.Struct, frozen=True):
    """The runs that were read, those that are in the store no more, and why others could not be read."""

    read: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def open_filled(root: Path) -> tuple[Database, tuple[str, ...]]:
    """Open the store under `root`, filled, and return with it what must be told.

    Where the file cannot be used, the runs are read into a database in memory.
    """
    try:
        database = Database.open(store_path(root))
        return database, fill(database, root).problems
    except StoreError as error:
        database = Database.in_memory(store_path(root))
        return database, (str(error), *fill(database, root).problems)


def fill(database: Database, root: Path, *, own: RunDirectory | None = None, patience_s: float | None = None) -> Filled:
    """Have the store say what the run directories under `root` say; what has not changed is left alone.

    With `own`, a run that has put itself in, it is left alone too, and so are runs that are going on. After
    `patience_s` no further run is begun: the next time takes it. Safe for any number of processes at once: one that
    was overtaken while it read leaves a mark of what it has read, by which the next one sees what is missing.
    """
    known = _read_known(database)
    ends_at = None if patience_s is None else time.monotonic() + patience_s
    read: list[str] = []
    problems: list[str] = []
    for run in list_runs(root):
        if ends_at is not None and time.monotonic() > ends_at:
            break
        try:
            if (own is None or run.run_id != own.run_id) and _take(database, run, known, is_over_only=own is not None):
                read.append(run.run_id)
        except _UNREADABLE as error:
            problems.append(f"the run {run.run_id} is left out of the store: {error}")
    removed = sorted(run_id for run_id in known if not (root / "runs" / run_id / "run.json").is_file())
    if removed:
        with database.writing() as connection:
            _remove(connection, removed)
    return Filled(tuple(read), tuple(removed), tuple(problems))


def put(database: Database, run: RunDirectory, episodes: Sequence[Episode]) -> None:
    """Put a run that is over into the store, from the episodes that its journals and its plan come to."""
    _put(database, run, episodes, _look_at_files(run, is_over=True))


def put_ending(database: Database, run: RunDirectory) -> None:
    """Note how a run that is in the store has ended."""
    with database.writing() as connection:
        connection.execute(update(RUNS).where(RUNS.c.run_id == run.run_id).values(ending_row(run)))


_Known = tuple[str, float | None]


def _read_known(database: Database) -> dict[str, _Known]:
    """Return what was on disk of each run when it was read, and when it ended."""
    with database.reading() as connection:
        found = connection.execute(select(RUNS.c.run_id, RUNS.c.files, RUNS.c.ended_at)).all()
    return {run_id: (files, ended_at) for run_id, files, ended_at in found}


def _take(database: Database, run: RunDirectory, known: Mapping[str, _Known], *, is_over_only: bool) -> bool:
    """Read a run if it has changed; return whether it was read."""
    is_over = find_state(run, is_patient=not is_over_only) is not State.GOING_ON
    if is_over_only and not is_over:
        return False
    files, ended_at = known.get(run.run_id, ("", None))
    found = _look_at_files(run, is_over=is_over)
    if files != found:
        contents = read_results(run) if is_over else read_episodes(run)
        _put(database, run, contents.episodes, found)
        return True
    if ended_at is None and ending_row(run)["ended_at"] is not None:
        put_ending(database, run)
    return False


def _look_at_files(run: RunDirectory, *, is_over: bool) -> str:
    """Return what changes with a run: its journals and its plan, and whether it is over."""
    paths = sorted([*run.path.glob("journal-*.jsonl"), *run.path.glob("plan.json"), run.path / "run.json"])
    stats = [(path.name, (stat := path.stat()).st_size, stat.st_mtime_ns) for path in paths]
    return msgspec.json.encode([is_over, stats]).decode()


def _put(database: Database, run: RunDirectory, episodes: Sequence[Episode], files: str) -> None:
    cases, lives = episode_rows(run, episodes)
    attempts = list(attempt_rows(run, episodes))
    provenance = list(provenance_rows(run))
    row = run_row(run, files)
    with database.writing() as connection:
        _remove(connection, [run.run_id], has_orphans=False)
        connection.execute(insert(RUNS), [row])
        for table, rows in ((EPISODES, lives), (ATTEMPTS, attempts), (PROVENANCE, provenance)):
            if rows:
                connection.execute(insert(table), rows)
        if cases:
            connection.execute(sqlite.insert(CASES).on_conflict_do_nothing(), cases)


def _remove(connection: Connection, run_ids: Iterable[str], *, has_orphans: bool = True) -> None:
    for table in OF_RUN:
        for run_id in run_ids:
            connection.execute(delete(table).where(table.c.run_id == run_id))
    if has_orphans:
        connection.execute(delete(CASES).where(not_(CASES.c.case_id.in_(select(EPISODES.c.case_id)))))
