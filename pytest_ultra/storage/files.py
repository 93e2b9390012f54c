"""Atomic file writes, and early checks that a path can be written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryFile

from pytest_ultra.errors import ConfigurationError


def write_atomically(path: Path, content: bytes | Iterable[bytes], *, is_durable: bool = True) -> None:
    """Write `content` by temporary file, fsync and rename: after a kill or a power cut, `path` has all of it or none.

    Without `is_durable` there is no fsync, which would block an event loop for up to 10 ms; then a power cut may
    leave a damaged file. A device or a pipe, such as `/dev/stdout`, is written to: a rename would replace it.
    """
    pieces = [content] if isinstance(content, bytes) else content
    if is_stream(path):
        _write_to_stream(path, pieces)
        return
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")  # no other writer uses it, on any host
    try:
        with temporary.open("xb") as file:
            file.writelines(pieces)
            file.flush()
            if is_durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def is_stream(path: Path) -> bool:
    """Return whether the path is a character device or a pipe; only links in `/dev`, such as `stdout`, are followed."""
    try:
        mode = path.stat(follow_symlinks=path.absolute().is_relative_to("/dev")).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


def _write_to_stream(path: Path, pieces: Iterable[bytes]) -> None:
    """Write to a device or a pipe; raise OSError if nobody reads the pipe."""
    descriptor = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))  # to open must not wait for a reader
    os.set_blocking(descriptor, True)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(pieces)


def make_directory(path: Path, option: str) -> None:
    """Create the directory given with `option`; raise ConfigurationError if it cannot be written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        _try_to_write(path)
    except OSError as error:
        raise ConfigurationError(
            f"{option}: cannot write to {str(path)!r} ({_reason(error)}); name a directory that can be written"
        ) from error


def check_writable(path: Path, option: str) -> None:
    """Raise ConfigurationError unless a file can be written at `path`, given with `option`.

    Creates missing parent directories; does not change `path` itself.
    """
    if path.is_dir():
        raise ConfigurationError(f"{option}: {str(path)!r} is a directory; name a file that can be written")
    if is_stream(path):
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _try_to_write(path.parent)
    except OSError as error:
        raise ConfigurationError(
            f"{option}: cannot write {str(path)!r} ({_reason(error)}); name a file in a directory that can be written"
        ) from error


def _try_to_write(directory: Path) -> None:
    """Write and remove a file: only that detects a read-only mount, a quota or a full disk."""
    with TemporaryFile(dir=directory) as file:
        file.write(b"trial")


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
