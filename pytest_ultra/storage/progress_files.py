"""Progress files: while a run is running, its workers report their progress in small files of the run directory."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from pytest_ultra.core.progress import ShardProgress
from pytest_ultra.storage.codec import UNREADABLE, encode
from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.stored_files import list_files


def write_progress(run: RunDirectory, progress: ShardProgress) -> None:
    """Replace the shard's last report, also that of a crashed worker; on a full disk only this report is lost."""
    path = run.path / f"progress-{progress.number}.json"
    with suppress(OSError):
        write_atomically(path, encode(progress), is_durable=False)


def read_progress(run: RunDirectory) -> tuple[ShardProgress, ...]:
    """Return the last report of each shard, sorted by shard number."""
    found = []
    for path in _find(run):
        with suppress(OSError, *UNREADABLE):
            found.append(msgspec.json.decode(path.read_bytes(), type=ShardProgress))
    return tuple(sorted(found, key=lambda progress: progress.number))


def clear_progress(run: RunDirectory) -> None:
    with suppress(OSError):
        for path in _find(run):
            path.unlink(missing_ok=True)


def _find(run: RunDirectory) -> list[Path]:
    with suppress(OSError):
        return list_files(run.path, "progress-*.json")
    return []
