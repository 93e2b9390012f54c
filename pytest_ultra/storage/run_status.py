"""Whether a run lives, came to its end, or was cut off: a lock while it lives, and a mark when it has ended."""

from __future__ import annotations

from contextlib import suppress

import msgspec
from filelock import FileLock, Timeout

from pytest_ultra.storage.codec import SCHEMA_VERSION, decode_file, encode
from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.run_directory import RunDirectory

_PATIENCE_S = 0.2
"""Longer than any other process takes to look whether the lock is held."""


class Ending(msgspec.Struct, frozen=True):
    """How a run ended. `cut_off` tells what cut it off, None when it came to its end, whatever its tests came to."""

    exit_status: int
    ended_at: float
    cut_off: str | None = None
    schema_version: int = SCHEMA_VERSION


def hold(run: RunDirectory) -> FileLock:
    """Lock a run while it lives; the operating system lets go when the process is gone, however it went."""
    lock = FileLock(run.path / "lock", timeout=_PATIENCE_S)
    lock.acquire()
    return lock


def is_held(run: RunDirectory, patience_s: float = _PATIENCE_S) -> bool:
    """Tell whether a run lives. Without patience, one that another process just looks at is taken to live."""
    if not (run.path / "lock").exists():
        return False
    try:
        with FileLock(run.path / "lock", timeout=patience_s, poll_interval=0.01):
            return False
    except Timeout:
        return True
    except OSError:  # somebody else's, or on a file system without locks: what is on disk is as good as any
        return False


def mark_end(run: RunDirectory, ending: Ending) -> None:
    """Leave word of how the run ended; a run that is killed cannot, and that is the sign."""
    write_atomically(run.path / "ended.json", encode(ending) + b"\n")


def clear_up(run: RunDirectory) -> None:
    """Remove what only a run that goes on from here would need: of one that came to its end, journals hold it all."""
    for pattern in ("turns-*.jsonl", "begun-*.txt", "lock"):
        for path in run.path.glob(pattern):
            path.unlink(missing_ok=True)


def read_ending(run: RunDirectory) -> Ending | None:
    """Return how the run ended, None when it has left no word; raise ConfigurationError for a newer schema."""
    path = run.path / "ended.json"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    return decode_file(content, Ending, path)


def note_cut_off(run: RunDirectory, reason: str) -> None:
    """Note from any process of a run that, however it goes on, it does not come to its end."""
    with suppress(OSError):
        (run.path / "cut-off").touch()
        (run.path / "cut-off").write_text(reason, encoding="utf-8")


def noted_cut_off(run: RunDirectory) -> str | None:
    """Return why a process of the run noted that it was cut off, None if none did."""
    path = run.path / "cut-off"
    return (path.read_text(encoding="utf-8", errors="replace") or "cut off") if path.exists() else None
