"""A budget that all processes of a run share, in a small mapped file. POSIX only."""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pytest_ultra.engine.budget import Amounts, Spent, find_limit, share

_SPENT = struct.Struct("<QQd?")
_HELD = struct.Struct("<qd")
_ROWS_AT = 64
_ROWS = 256
"""So many processes can hold a part of the budget; more of them go without."""
_SIZE = _ROWS_AT + _ROWS * _HELD.size


class SharedBudget:
    """Guarded by `flock`: a request takes the lock twice, for some microseconds.

    What a process holds for the episodes that it has begun stands in a row of its own, and ends with it.
    """

    def __init__(self, path: Path, most: Amounts) -> None:
        self._most = most
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with _Locked(self._file):
            if os.fstat(self._file).st_size < _SIZE:
                os.truncate(self._file, _SIZE)
        self._map = mmap.mmap(self._file, _SIZE)

    @property
    def spent(self) -> Spent:
        return Spent(*_SPENT.unpack_from(self._map))

    @property
    def is_spent(self) -> bool:
        return find_limit(self.spent, self._most) is not None

    def take(self) -> str | None:
        with _Locked(self._file):
            spent = self.spent
            reason = find_limit(spent, self._most)
            has_refused = spent.has_refused or reason is not None
            self._write(msgspec.structs.replace(spent, requests=spent.requests + (not reason), has_refused=has_refused))
        return reason

    def refuse(self) -> str | None:
        """Return why there is no request any more, None if there is; count none."""
        with _Locked(self._file):
            spent = self.spent
            reason = find_limit(spent, self._most)
            self._write(msgspec.structs.replace(spent, has_refused=spent.has_refused or reason is not None))
        return reason

    def book(self, tokens: int, cost: float) -> None:
        with _Locked(self._file):
            spent = self.spent
            self._write(msgspec.structs.replace(spent, tokens=spent.tokens + tokens, cost=spent.cost + cost))

    def reserve(self, held: float, more: float) -> bool:
        """Hold `held` and `more` (shares of the budget) for this process if there is so much, else only `held`."""
        with _Locked(self._file):
            others = sum(amount for pid, amount in self._rows() if pid != os.getpid())
            spent = self.spent
            left = 1.0 - share(self._most, spent.requests, spent.tokens, spent.cost) - others
            has_room = left >= held + more
            self._hold(held + more if has_room else held)
        return has_room

    def close(self) -> None:
        self._map.close()
        os.close(self._file)

    def _rows(self) -> Iterator[tuple[int, float]]:
        """Yield who holds what; rows of processes that are gone are free, and hold nothing."""
        for pid, amount in _HELD.iter_unpack(self._map[_ROWS_AT:_SIZE]):
            if not pid:
                return
            yield (pid, amount) if _is_alive(pid) else (0, 0.0)

    def _hold(self, amount: float) -> None:
        pids = [pid for pid, _ in self._rows()]
        row = next((pids.index(pid) for pid in (os.getpid(), 0) if pid in pids), len(pids))
        if row < _ROWS:
            _HELD.pack_into(self._map, _ROWS_AT + row * _HELD.size, os.getpid(), amount)

    def _write(self, spent: Spent) -> None:
        _SPENT.pack_into(self._map, 0, *msgspec.structs.astuple(spent))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class _Locked:
    """The file's lock; the kernel lets go of it when its holder is gone."""

    def __init__(self, file: int) -> None:
        self._file = file

    def __enter__(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)
