"""A ledger that all processes of a user on this machine share, in a small mapped file. POSIX only."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from pytest_ultra.engine.limiter_state import PROCESSES, SIZE, Ledger, State

_FORMAT = 1
_SOON_S = 0.5  # no process starts in less


def shared_folder(candidates: Iterable[Path] = (Path("/dev/shm"), Path(tempfile.gettempdir()))) -> Path:  # noqa: S108 - made with mode 0700, and refused unless it is ours
    """Return the folder of the user's ledgers, made if need be; memory is better than a disk. Raise OSError.

    It hangs on no variable that could differ between two runs, so long as there is /dev/shm.
    """
    error = OSError(errno.ENOENT, "there is no folder for temporary files")
    for candidate in candidates:
        folder = candidate / f"pytest-ultra-{os.getuid()}"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            return _check_own(folder)
        except OSError as caught:
            error = caught
    raise error


def _check_own(folder: Path) -> Path:
    """Refuse a folder that somebody else has put there, or can write to."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise PermissionError(errno.EPERM, "it is not the user's own", str(folder))
    return folder


class SharedLedger(Ledger):
    """Its lock is `flock` on the file. Each process holds a lock on the file of its row until the kernel ends both."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}.{_FORMAT}")
        self._file = _open_locked(self._path)
        try:
            _fill(self._file)
            self._map = mmap.mmap(self._file, SIZE)
            super().__init__(memoryview(self._map))
            self._is_locked = True
            self.row, self._row_file = self._take_row()
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> State:
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

    def bury_the_dead(self) -> bool:
        """To be called inside `with`."""
        dead = [row for row in self._busy_rows() if row != self.row and not self._is_alive(row)]
        for row in dead:
            self._clear(row)
        return bool(dead)

    def close(self) -> None:
        """Give the row back; the last one to leave takes away what nobody needs to know any more."""
        with self as state:
            self._clear(self.row)
            is_last = not self._has_others()
            os.close(self._row_file)
            if is_last and max(state.requests_due, state.tokens_due, state.paused_until) < state.written_at + _SOON_S:
                self._remove()
        for view in (self.in_flight, self.waiting, self.since, self.seen, self._buffer):
            view.release()
        self._map.close()
        os.close(self._file)

    def _renew(self, state: State, now: float, window: float) -> None:
        if not self._has_others():
            super()._renew(state, now, window)
        self._state.used = max(self._state.used, self.row + 1)

    def _busy_rows(self) -> list[int]:
        used = range(self._state.used)
        return [row for row in used if self.in_flight[row] or self.waiting[row]]

    def _has_others(self) -> bool:
        return any(row != self.row and self._is_alive(row) for row in range(self._state.used))

    def _take_row(self) -> tuple[int, int]:
        for row in range(PROCESSES):
            file = self._try_row(row)
            if file is not None:
                self._clear(row)
                return row, file
        raise OSError(errno.EBUSY, f"{PROCESSES} processes share it already")

    def _is_alive(self, row: int) -> bool:
        file = self._try_row(row)
        if file is not None:
            os.close(file)
        return file is None

    def _try_row(self, row: int) -> int | None:
        """Return the row's file, locked, unless a living process has it; with the ledger's lock held."""
        file = os.open(self._row_path(row), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
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
        self.since[row] = self.seen[row] = 0.0

    def _remove(self) -> None:
        for path in (self._path, *self._path.parent.glob(f"{self._path.name}.*")):
            path.unlink()


def _open_locked(path: Path) -> int:
    """Open and lock the file that bears this name now: it may be taken away while we wait for its lock."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file).st_nlink:
            return file
        os.close(file)


def _fill(file: int) -> None:
    """Write the file to its full size: a mapping of what a full disk lacks would kill the process when touched."""
    size = os.fstat(file).st_size
    if size < SIZE and os.pwrite(file, bytes(SIZE - size), size) < SIZE - size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
