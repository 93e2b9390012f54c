"""The status of a run on disk: a lock while it is running, and a record of how it ended."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import msgspec
from filelock import FileLock

from pytest_ultra.core.json_types import UnixTime
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.storage.codec import SCHEMA_VERSION, decode_file, encode
from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.held_locks import is_held
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.stored_files import list_files, read_stored

_LOCK_TIMEOUT_S = 0.2
"""Longer than another process needs to look whether the lock is free."""


class RunEnd(msgspec.Struct, frozen=True):
    """How a run ended, at which Unix time. `interruption` is the reason for one, None if the run finished."""

    exit_status: Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31)]
    ended_at: UnixTime
    interruption: str | None = msgspec.field(default=None, name="cut_off")
    schema_version: int = SCHEMA_VERSION


def lock_run(run: RunDirectory) -> FileLock:
    """Lock a run while it is running; the operating system releases the lock when the process is killed."""
    lock = FileLock(run.path / "lock", timeout=_LOCK_TIMEOUT_S)
    lock.acquire()
    return lock


def is_locked(run: RunDirectory) -> bool:
    """Return whether a run is running. A `lock` that is not a regular file is none of ours."""
    path = run.path / "lock"
    try:
        return path.is_file() and is_held(path)
    except OSError:  # a link, another user's file, or a file system without locks: rely on the other files
        return False


def write_run_end(run: RunDirectory, end: RunEnd) -> None:
    """Record how the run ended; a run that is killed leaves no such record."""
    write_atomically(run.path / "ended.json", encode(end) + b"\n")


def remove_resume_files(run: RunDirectory) -> None:
    """Remove the files that only a resumed run needs; a finished run has all results in its journals."""
    for pattern in (
        "turns-*.jsonl",
        "started-*.txt",
        "begun-*.txt",
        "host",
        "lock",
    ):  # old versions wrote the third one
        for path in list_files(run.path, pattern):
            path.unlink(missing_ok=True)


def read_run_end(run: RunDirectory) -> RunEnd | None:
    """Return how the run ended, None if there is no record; raise ConfigurationError for a newer schema version."""
    path = run.path / "ended.json"
    try:
        content = read_stored(path)
    except FileNotFoundError:
        return None
    return decode_file(content, RunEnd, path)


def note_interruption(run: RunDirectory, reason: str) -> None:
    """Record from any process of a run that the run is interrupted, even if it then ends normally."""
    with suppress(OSError):
        path = run.path / INTERRUPTION_FILE
        path.touch()
        path.write_text(reason, encoding="utf-8")


def read_interruption(run: RunDirectory) -> str | None:
    """Return the reason that a process of the run recorded with `note_interruption`, None if there is none."""
    try:
        reason = read_stored(run.path / INTERRUPTION_FILE, _MOST_REASON_BYTES)
    except FileNotFoundError:
        return None
    except (ConfigurationError, OSError):
        return UNKNOWN_REASON
    return reason.decode(errors="replace") or UNKNOWN_REASON


INTERRUPTION_FILE = "cut-off"
"""Holds the reason that a process has recorded."""
UNKNOWN_REASON = "interrupted"
_MOST_REASON_BYTES = 64 * 1024
