"""Updates of a run's files: read where a worker writes, applied in the directory of the run on another host."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from pytest_ultra.errors import UltraError
from pytest_ultra.storage.files import write_atomically
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.run_status import INTERRUPTION_FILE
from pytest_ultra.storage.stored_files import list_files

REPLACE = -1
"""The offset of an update that replaces the whole file."""

FileUpdate = tuple[str, int, bytes]
"""The name of a file, the offset at which it has grown or `REPLACE`, and the new bytes."""

_GROWING = re.compile(r"(journal|turns|started)-[\w.-]+\.(jsonl|txt)")
_REPLACED = re.compile(rf"progress-\d+\.json|stall-[\w-]+|{INTERRUPTION_FILE}")
_WORKFLOWS = re.compile(r"guidance/[0-9a-f]+-[0-9a-f]+\.json")
_PIECE_BYTES = 64 * 1024
_TICK_NS = 1_000_000_000
"""Longer than a tick of any file system's clock here."""


class UnexpectedUpdateError(UltraError, ValueError):
    """An update is not one that a worker of this version sends."""


class UpdateReader:
    """Finds what one worker's files have changed by since they were last read. Not thread-safe."""

    def __init__(self, run: RunDirectory, worker: str) -> None:
        self._run = run
        self._own = (f"journal-{worker}.jsonl", f"turns-{worker}.jsonl", f"started-{worker}.txt")
        self._sizes = dict.fromkeys(self._own, 0)
        self._seen: dict[str, tuple[int, int]] = {}
        self._workflows: set[str] = set()
        self._listed_at: int | None = None

    def read(self) -> Iterator[FileUpdate]:
        """Yield the updates. The growth of a file comes in pieces, in order; the journal comes first.

        Raises OSError if a file cannot be read; the next call reads it again.
        """
        yield from self.read_growth()
        for path in list_files(self._run.path, "*"):
            if _REPLACED.fullmatch(path.name):
                yield from self._read_change(path)
        yield from self._read_workflows()

    def read_growth(self) -> Iterator[FileUpdate]:
        """Yield the updates of the files that grow, which hold all that a result consists of."""
        for name in self._own:
            yield from self._read_growth(name)

    def _read_growth(self, name: str) -> Iterator[FileUpdate]:
        path = self._run.path / name
        if not path.exists():
            return
        with path.open("rb") as file:
            file.seek(self._sizes[name])
            while piece := file.read(_PIECE_BYTES):
                offset = self._sizes[name]
                self._sizes[name] += len(piece)
                yield name, offset, piece

    def _read_change(self, path: Path) -> Iterator[FileUpdate]:
        status = path.stat()
        version = status.st_mtime_ns, status.st_ino
        if self._seen.get(path.name) != version:
            content = path.read_bytes()
            self._seen[path.name] = version  # only now: what cannot be read is read again
            yield path.name, REPLACE, content

    def _read_workflows(self) -> Iterator[FileUpdate]:
        """Yield the files of workflows that are new; their names say what is in them, so they never change.

        A long run has thousands, so they are listed only if the folder has changed. If that was a moment ago, it may
        change again within the same tick of the file system's clock.
        """
        changed_at = self._run.guidance.stat().st_mtime_ns if self._run.guidance.exists() else None
        if changed_at == self._listed_at:
            return
        for path in list_files(self._run.guidance, "[0-9a-f]*.json"):
            if path.name not in self._workflows:
                content = path.read_bytes()
                self._workflows.add(path.name)
                yield f"guidance/{path.name}", REPLACE, content
        if changed_at is not None and time.time_ns() - changed_at > _TICK_NS:
            self._listed_at = changed_at


def apply_update(run: RunDirectory, update: FileUpdate) -> None:
    """Write an update to the run's directory. Raises UnexpectedUpdateError, and OSError if the disk is full."""
    name, offset, content = update
    path = run.path / name
    if offset == REPLACE and _REPLACED.fullmatch(name):
        write_atomically(path, content, is_durable=False)
    elif offset == REPLACE and _WORKFLOWS.fullmatch(name):
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, content)
    elif offset >= 0 and _GROWING.fullmatch(name):
        with path.open("ab") as file:
            size = os.fstat(file.fileno()).st_size
            if size != offset:
                raise UnexpectedUpdateError(f"{name!r} has {size} bytes, and an update begins at {offset}")
            file.write(content)
    else:
        raise UnexpectedUpdateError(f"no worker sends an update of {name!r} at {offset}")
