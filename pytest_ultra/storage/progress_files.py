"""The small files of a run's directory in which its workers tell how far they are, while they work."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from pytest_ultra.core.progress import ShardProgress
from pytest_ultra.storage.codec import encode
from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.run_directory import RunDirectory


def write_progress(run: RunDirectory, progress: ShardProgress) -> None:
    """Take the place of what the shard told last, whichever worker had it; a full disk costs no more than this."""
    path = run.path / f"progress-{progress.number}.json"
    with suppress(OSError):
        write_atomically(path, encode(progress), is_durable=False)


def read_progress(run: RunDirectory) -> tuple[ShardProgress, ...]:
    """Return what every shard told last, in their order."""
    found = []
    for path in run.path.glob("progress-*.json"):
        with suppress(OSError, msgspec.DecodeError):
            found.append(msgspec.json.decode(path.read_bytes(), type=ShardProgress))
    return tuple(sorted(found, key=lambda progress: progress.number))


def clear_progress(run: RunDirectory) -> None:
    for path in run.path.glob("progress-*.json"):
        path.unlink(missing_ok=True)
