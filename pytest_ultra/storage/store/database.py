"""The store's file: opened, brought up to date, and every way in which it can be out of reach put into words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, StaticPool

from pytest_ultra.errors import UltraError
from pytest_ultra.storage.store.migrations import SCHEMA_VERSION, drop_all, migrate, read_version

PATIENCE_S = 30.0
"""How long a process waits for others that write."""


class StoreError(UltraError):
    """The store cannot be used; the runs' own files are as they were."""

    def __init__(self, path: Path, reason: str, way_out: str) -> None:
        super().__init__(path, reason, way_out)
        self.path = path
        self.reason = reason
        self.way_out = way_out

    def __str__(self) -> str:
        return f"the store {str(self.path)!r} cannot be used: {self.reason}; {self.way_out}"


class DamagedStoreError(StoreError):
    """The file is no store of ours, or no whole one."""


class NewerStoreError(StoreError):
    """The store was written by a newer pytest-ultra, and is left as it is."""


def store_path(root: Path) -> Path:
    return root / "results.sqlite"


class Database:
    """A SQLite file in WAL mode, of the present schema."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self.path = path
        self._engine = engine

    @classmethod
    def open(cls, path: Path) -> Database:
        """Open the file, make it if it is not there, and bring it up to date; raise StoreError if that fails."""
        database = cls(path, _make_engine(path))
        with _in_words(path):
            if database._check_version() < SCHEMA_VERSION:
                with FileLock(path.with_suffix(".lock"), timeout=PATIENCE_S):
                    database._bring_up_to_date()
        return database

    @classmethod
    def in_memory(cls, path: Path) -> Database:
        """Make a database that is gone with this process, in the place of the one at `path`."""
        engine = create_engine("sqlite://", poolclass=StaticPool)
        _control_transactions(engine)
        database = cls(path, engine)
        with database.writing() as connection:
            migrate(connection)
        return database

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with _in_words(self.path), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write all of it or nothing; other processes that write wait."""
        with _in_words(self.path), self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise

    def close(self) -> None:
        """Let go of a database in memory; a file is held only while it is read or written."""
        self._engine.dispose()

    def empty(self) -> None:
        """Remove all that is there, the schema included, and make the schema anew."""
        with self.writing() as connection:
            drop_all(connection)
            migrate(connection)

    def _check_version(self) -> int:
        with self.reading() as connection:
            version = read_version(connection)
        if version > SCHEMA_VERSION:
            raise NewerStoreError(
                self.path,
                f"it was written by a newer pytest-ultra (schema {version}, this one knows up to {SCHEMA_VERSION})",
                "it is left as it is; upgrade pytest-ultra, or move the file away to have it made anew",
            )
        return version

    def _bring_up_to_date(self) -> None:
        with self.reading() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        with self.writing() as connection:
            migrate(connection)


def rebuild(path: Path) -> Database:
    """Return an empty store at `path`, whatever is there; one of a newer schema is left alone, and a StoreError.

    A sound file is emptied in place, since other processes may have it open.
    """
    try:
        database = Database.open(path)
    except DamagedStoreError:
        with _in_words(path):
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        return Database.open(path)
    database.empty()
    return database


def _make_engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)), poolclass=NullPool, connect_args={"timeout": PATIENCE_S}
    )
    _control_transactions(engine)
    return engine


def _control_transactions(engine: Engine) -> None:
    """Have transactions begin when we say so: Python's driver would begin none before DDL, and none for reading."""

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute(
            "PRAGMA synchronous = NORMAL"
        )  # with WAL, a power cut may lose the newest, but tears nothing


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise _make_error(path, str(error.orig)) from error
    except Timeout as error:
        raise StoreError(path, "another process holds it", "try again") from error
    except OSError as error:
        raise StoreError(path, (error.strerror or str(error)).lower(), _WRITE) from error


_WRITE = "the runs themselves are safe; make room or let it be written, and `pytest-ultra store sync` takes them up"
_REBUILD = "`pytest-ultra store rebuild` makes it anew from the runs"
_DAMAGED = ("not a database", "malformed", "no such", "already exists")


def _make_error(path: Path, reason: str) -> StoreError:
    if any(word in reason for word in _DAMAGED):
        return DamagedStoreError(path, reason, _REBUILD)
    return StoreError(path, reason, _WRITE)
