"""A limiter state that all processes of a user on this machine share, in a small mapped file. POSIX only."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import stat
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from pytest_ultra.engine.limiter_state import MAX_CALLS, PROCESSES, SIZE, EndpointState, LimiterState

_FORMAT = 1
_STARTUP_S = 0.5  # no process starts faster
_NO_MORE_FILES = frozenset({errno.EMFILE, errno.ENFILE})


SHARED_ROOTS = (*([Path("/dev/shm")] if sys.platform == "linux" else []), Path(tempfile.gettempdir()))  # noqa: S108 - our folder there has mode 0700, and is rejected unless it is ours
"""Memory comes first: it is fast, and does not depend on `TMPDIR`, which can differ between two runs."""


def shared_folder(candidates: Iterable[Path] = SHARED_ROOTS) -> Path:
    """Return the folder of the user's limiter states, and make it if necessary. Raise OSError if that fails."""
    error = OSError(errno.ENOENT, "there is no folder for temporary files")
    for candidate in candidates:
        folder = candidate / f"pytest-ultra-{os.getuid()}"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            return _check_owner(folder)
        except OSError as caught:
            error = caught
    raise error


def _check_owner(folder: Path) -> Path:
    """Raise PermissionError for a folder that another user owns or can write to."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise PermissionError(errno.EPERM, "not owned by the user alone", str(folder))
    return folder


class SharedLimiterState(LimiterState):
    """Its lock is `flock` on the file. Each process also locks the file of its row, until the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}.{_FORMAT}")
        self._file = _open_locked(self._path)
        try:
            allocate(self._file, SIZE)
            self._map = mmap.mmap(self._file, SIZE)
            super().__init__(memoryview(self._map))
            self._is_locked = True
            self.row, self._row_file = self._take_row()
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> EndpointState:
        if not self._is_locked:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            self._is_locked = True
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, traceback)
        self._is_locked = False
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def reclaim_dead_slots(self) -> bool:
        """Call it inside `with`. A count that no process can have is damage, and its row is freed, too."""
        dead = [row for row in self._busy_rows() if self._is_damaged(row) or not self._is_alive(row)]
        for row in dead:
            self._clear(row)
        return bool(dead)

    def close(self) -> None:
        """Give the row back; the last process removes the files, unless the next run needs their pace or pause."""
        with self as endpoint:
            self._clear(self.row)
            is_last = not self._has_others()
            os.close(self._row_file)
            due_at = max(endpoint.requests_due, endpoint.tokens_due, endpoint.paused_until)
            if is_last and due_at < endpoint.written_at + _STARTUP_S:
                self._remove()
        for view in (self.in_flight, self.waiting, self.waiting_since, self.checked_at, self._buffer):
            view.release()
        self._map.close()
        os.close(self._file)

    def _reset(self, endpoint: EndpointState, now: float, window: float, max_old_pause_s: float) -> None:
        if not self._has_others():
            super()._reset(endpoint, now, window, max_old_pause_s)
        self._endpoint.rows_used = max(self._endpoint.rows_used, self.row + 1)

    def _busy_rows(self) -> list[int]:
        used = range(self._endpoint.rows_used)
        return [row for row in used if self.in_flight[row] or self.waiting[row]]

    def _has_others(self) -> bool:
        return any(row != self.row and self._is_alive(row) for row in range(self._endpoint.rows_used))

    def _take_row(self) -> tuple[int, int]:
        for row in range(PROCESSES):
            file = self._try_row(row)
            if file is not None:
                self._clear(row)
                return row, file
        raise OSError(errno.EBUSY, f"{PROCESSES} processes share it already")

    def _is_alive(self, row: int) -> bool:
        """Return whether a process has the row. This makes no file: a row without a file has no process."""
        if row == self.row:
            return True
        try:
            file = self._try_row(row, 0)
        except OSError as error:
            return error.errno in _NO_MORE_FILES
        if file is not None:
            os.close(file)
        return file is None

    def _is_damaged(self, row: int) -> bool:
        return max(self.in_flight[row], self.waiting[row]) > MAX_CALLS

    def _try_row(self, row: int, flags: int = os.O_CREAT) -> int | None:
        """Return the row's file, locked; None if a running process has it. Needs the state's lock."""
        file = os.open(self._row_path(row), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | flags, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return None
        return file

    def _row_path(self, row: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{row}")

    def _clear(self, row: int) -> None:
        self.in_flight[row] = self.waiting[row] = 0
        self.waiting_since[row] = self.checked_at[row] = 0.0

    def _remove(self) -> None:
        for path in (self._path, *self._path.parent.glob(f"{self._path.name}.*")):
            with suppress(OSError):  # files that are left do no harm
                path.unlink()


def _open_locked(path: Path) -> int:
    """Open and lock the file that has this name now: it may be removed while we wait for its lock.

    Raise PermissionError for anything but a file of the user's own.
    """
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        try:
            _check_file(file, path)
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file).st_nlink:
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _check_file(file: int, path: Path) -> None:
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid():
        raise PermissionError(errno.EPERM, "not a file of the user's own; remove it", str(path))


def allocate(file: int, full_size: int) -> None:
    """Write the file to its full size: a mapping past the end of a full disk would kill the process on access."""
    size = os.fstat(file).st_size
    if size < full_size and os.pwrite(file, bytes(full_size - size), size) < full_size - size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
