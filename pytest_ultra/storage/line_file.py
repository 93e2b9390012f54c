"""A file of lines that only grows, and that a kill or a full disk may leave with a torn line but never with two."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path


class LineFile:
    """For one thread at a time.

    A line is handed to the operating system whole before `append` returns, so that a kill of this process loses
    nothing. Only a power cut could, and an fsync a line, at up to 10 ms of the event loop's time, is too dear
    for that: it is done once, at `close`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: FileIO = path.open("ab", buffering=0)
        self._is_torn = _has_torn_end(path)

    def append(self, line: bytes) -> None:
        """Write a line, which brings its line end; raise OSError when the disk takes no more."""
        rest = memoryview(b"\n" + line if self._is_torn else line)
        self._is_torn = True
        while rest:
            rest = rest[self._file.write(rest) :]
        self._is_torn = False

    def close(self) -> None:
        if not self._file.closed:
            with self._file:
                os.fsync(self._file.fileno())


def _has_torn_end(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return False
        file.seek(size - 1)
        return file.read(1) != b"\n"
