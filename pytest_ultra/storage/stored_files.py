"""Reading stored files that may come from elsewhere: regular files of bounded size, never through a symbolic link."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

import msgspec

from pytest_ultra.errors import ConfigurationError

MOST_BYTES = 256 * 1024 * 1024
"""The size of the largest file that is read as a whole."""
MOST_LINES_BYTES = 16 * 1024**3
"""The size of the largest file that is read line by line."""
MOST_LINE_BYTES = 64 * 1024 * 1024
"""The size of the longest line that is read; a longer one is skipped."""


class UnsafeFileError(ConfigurationError):
    """A stored file is not a regular file, or is too large."""


class StoredLine(msgspec.Struct, frozen=True):
    """A line of a file, counted from 1, and its position in bytes; `content` is shortened if the line is too long."""

    number: int
    offset: int
    length: int
    content: bytes

    @property
    def is_whole(self) -> bool:
        return len(self.content) == self.length


def open_stored(path: Path, most_bytes: int = MOST_LINES_BYTES) -> BinaryIO:
    """Open a file for reading; raise UnsafeFileError for a link, a file in a linked folder, a pipe, or a large file."""
    check_no_link(path.parent)
    try:
        # A named pipe without a writer would block without O_NONBLOCK, which does nothing for a regular file.
        descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW | _NO_WAIT | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnsafeFileError(f"{str(path)!r} is a symbolic link; {_AS_A_WHOLE}") from None
        raise
    try:
        _check(path, os.fstat(descriptor), most_bytes)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)  # Windows has neither
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_AS_A_WHOLE = "move or copy a run as a whole, with its files in place of links"


def _check(path: Path, status: os.stat_result, most_bytes: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeFileError(f"{str(path)!r} is not a regular file; {_AS_A_WHOLE}")
    if status.st_size > most_bytes:
        raise UnsafeFileError(
            f"{str(path)!r} has {status.st_size:,} bytes, and at most {most_bytes:,} are read; leave its run out, or "
            "restore the file"
        )


def read_stored(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """Return the content of a file; raise as `open_stored` does."""
    with open_stored(path, most_bytes) as file:
        return file.read(most_bytes)


def read_lines(path: Path, most_line_bytes: int = MOST_LINE_BYTES) -> Iterator[StoredLine]:
    """Yield the lines of a file, which may be growing; raise as `open_stored` does."""
    offset, number = 0, 0
    with open_stored(path) as file:
        while content := file.readline(most_line_bytes):
            number += 1
            length = len(content) + (0 if content.endswith(b"\n") else _skip_line(file))
            yield StoredLine(number, offset, length, content)
            offset += length


def _skip_line(file: BinaryIO) -> int:
    """Skip the rest of a line, and return its length."""
    length = 0
    while rest := file.readline(_CHUNK_BYTES):
        length += len(rest)
        if rest.endswith(b"\n"):
            break
    return length


_CHUNK_BYTES = 1024 * 1024


def find_stored(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a folder with names of this pattern, sorted; raise UnsafeFileError for a linked folder."""
    check_no_link(folder)
    return list_files(folder, pattern)


def list_files(folder: Path, pattern: str) -> list[Path]:
    """Return what a folder holds under names of this pattern, sorted; nothing if it is missing.

    Raises OSError if the folder cannot be read, for example because too many files are open; `Path.glob` takes it for
    empty then, from Python 3.13.
    """
    try:
        return sorted(path for path in folder.iterdir() if fnmatchcase(path.name, pattern))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


def check_no_link(path: Path) -> None:
    """Raise UnsafeFileError if the file or folder is a symbolic link, which may point anywhere."""
    if path.is_symlink():
        raise UnsafeFileError(f"{str(path)!r} is a symbolic link; {_AS_A_WHOLE}")
