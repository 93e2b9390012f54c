"""An append-only file of lines, of which a kill or a full disk damages at most the last line."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path


class LineFile:
    """Not thread-safe.

    `append` passes the whole line to the operating system before it returns, so a kill of this process loses
    nothing. A power cut can lose lines: an fsync per line would block the event loop for up to 10 ms, so the only
    fsync is in `close`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: FileIO = path.open("ab", buffering=0)
        self._size = path.stat().st_size
        self._ends_within_line = _ends_within_line(path)

    def append(self, line: bytes) -> int:
        """Write a line, given with its newline; return its offset in bytes. Raise OSError if the disk is full.

        After a partial line, this writes a newline first, so that the partial line does not damage this one too.
        """
        rest = memoryview(b"\n" + line if self._ends_within_line else line)
        self._ends_within_line = True
        while rest:
            written = self._file.write(rest)
            self._size += written
            rest = rest[written:]
        self._ends_within_line = False
        return self._size - len(line)

    def close(self) -> None:
        if not self._file.closed:
            with self._file:
                os.fsync(self._file.fileno())


def _ends_within_line(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return False
        file.seek(size - 1)
        return file.read(1) != b"\n"
