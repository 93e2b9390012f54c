"""Updates of a run's files: read where a worker writes, applied in the directory of the run on another host."""

from __future__ import annotations

import os
import re
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


class UnexpectedUpdateError(UltraError, ValueError):
    """An update is not one that a worker of this version sends."""


class UpdateReader:
    """Finds what one worker's files have changed by since they were last read. Not thread-safe."""

    def __init__(self, run: RunDirectory, worker: str) -> None:
        self._run = run
        self._own = (f"journal-{worker}.jsonl", f"turns-{worker}.jsonl", f"started-{worker}.txt")
        self._sizes = dict.fromkeys(self._own, 0)
        self._seen: dict[str, tuple[int, int]] = {}

    def read(self) -> Iterator[FileUpdate]:
        """Yield the updates. The growth of a file comes in pieces, in order; the journal comes first.

        Raises OSError if a file cannot be read; the next call then goes on with it.
        """
        for name in self._own:
            yield from self._read_growth(name)
        for path in list_files(self._run.path, "*"):
            if _REPLACED.fullmatch(path.name):
                yield from self._read_change(path)
        for path in list_files(self._run.guidance, "[0-9a-f]*.json"):
            yield from self._read_change(path)

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
            yield path.relative_to(self._run.path).as_posix(), REPLACE, content


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
