"""The store's SQLite file: opening, migration, transactions, and errors that say how to fix them."""

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

LOCK_TIMEOUT_S = 30.0
"""How long a process waits for other processes that write."""


class StoreError(UltraError):
    """The store cannot be used; `remedy` says what to do. The runs' own files are unchanged."""

    def __init__(self, path: Path, reason: str, remedy: str) -> None:
        super().__init__(path, reason, remedy)
        self.path = path
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"the store {str(self.path)!r} cannot be used: {self.reason}; {self.remedy}"


class DamagedStoreError(StoreError):
    """The file is not a store, or is damaged."""


class NewerStoreError(StoreError):
    """A newer pytest-ultra wrote the store; it is not changed."""


def store_path(root: Path) -> Path:
    return root / "results.sqlite"


class Database:
    """A SQLite file in WAL mode, with the current schema."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self.path = path
        self._engine = engine

    @classmethod
    def open(cls, path: Path) -> Database:
        """Open the file, or create it, and migrate it to the current schema; raise StoreError on failure."""
        if not path.parent.is_dir():
            raise StoreError(path, "its folder does not exist", "name the folder of the runs with --ultra-dir or --dir")
        database = cls(path, _make_engine(path))
        with _store_errors(path):
            if database._check_version() < SCHEMA_VERSION:
                with FileLock(path.with_suffix(".lock"), timeout=LOCK_TIMEOUT_S):
                    database._migrate()
        return database

    @classmethod
    def in_memory(cls, path: Path) -> Database:
        """Create a database in this process's memory, as a substitute for the one at `path`."""
        engine = create_engine("sqlite://", poolclass=StaticPool)
        _control_transactions(engine)
        database = cls(path, engine)
        with database.writing() as connection:
            migrate(connection)
        return database

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with _store_errors(self.path), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write in one transaction, which is rolled back on any exception; other processes that write wait."""
        with _store_errors(self.path), self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise

    def close(self) -> None:
        """Free a database in memory; a file is open only while it is read or written."""
        self._engine.dispose()

    def check_pages(self) -> None:
        """Raise DamagedStoreError if a page of the file is damaged."""
        with self.reading() as connection:
            problem = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if problem != "ok":
            raise DamagedStoreError(self.path, str(problem), _REBUILD)

    def empty(self) -> None:
        """Drop all tables and create the schema again."""
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
                "it was not changed; upgrade pytest-ultra, or move the file away and a new store is built",
            )
        return version

    def _migrate(self) -> None:
        with self.reading() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        with self.writing() as connection:
            migrate(connection)


def rebuild(path: Path) -> Database:
    """Return an empty store at `path`, in place of an existing or damaged one; raise StoreError if that is newer.

    A sound file is emptied in place, because other processes may have it open. One with a damaged page is replaced.
    """
    try:
        database = Database.open(path)
        database.check_pages()
        database.empty()
    except DamagedStoreError:
        with _store_errors(path):
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        return Database.open(path)
    return database


def _make_engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)), poolclass=NullPool, connect_args={"timeout": LOCK_TIMEOUT_S}
    )
    _control_transactions(engine)
    return engine


def _control_transactions(engine: Engine) -> None:
    """Start transactions explicitly: Python's driver starts none before DDL statements, and none for reading."""

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        # With WAL, a power cut may lose the newest transactions, but does not damage the file.
        connection.execute("PRAGMA synchronous = NORMAL")


@contextmanager
def _store_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise _make_error(path, str(error.orig)) from error
    except Timeout as error:
        raise StoreError(path, "another process has locked it", "try again") from error
    except OSError as error:
        raise StoreError(path, (error.strerror or str(error)).lower(), _WRITE) from error


_WRITE = "the runs themselves are safe; free disk space or make the file writable, then run `pytest-ultra store sync`"
_REBUILD = "`pytest-ultra store rebuild` builds it again from the runs"
_DAMAGED = ("not a database", "malformed", "no such", "already exists", "could not decode", "unsupported file format")


def _make_error(path: Path, reason: str) -> StoreError:
    if any(word in reason.lower() for word in _DAMAGED):
        return DamagedStoreError(path, reason, _REBUILD)
    return StoreError(path, reason, _WRITE)
