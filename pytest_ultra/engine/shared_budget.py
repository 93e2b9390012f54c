"""A budget that all processes of a run share, in a small mapped file. POSIX only."""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from pathlib import Path

import msgspec

from pytest_ultra.engine.budget import Amounts, Spent, find_limit

_SPENT = struct.Struct("<QQd?")


class SharedBudget:
    """Guarded by `flock`: a request takes the lock twice, for some microseconds."""

    def __init__(self, path: Path, most: Amounts) -> None:
        self._most = most
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with _Locked(self._file):
            if os.fstat(self._file).st_size < _SPENT.size:
                os.pwrite(self._file, bytes(_SPENT.size), 0)
        self._map = mmap.mmap(self._file, _SPENT.size)

    @property
    def spent(self) -> Spent:
        return Spent(*_SPENT.unpack_from(self._map))

    def take(self) -> str | None:
        with _Locked(self._file):
            spent = self.spent
            reason = find_limit(spent, self._most)
            has_refused = spent.has_refused or reason is not None
            self._write(Spent(spent.requests + (reason is None), spent.tokens, spent.cost, has_refused))
        return reason

    def book(self, tokens: int, cost: float) -> None:
        with _Locked(self._file):
            spent = self.spent
            self._write(Spent(spent.requests, spent.tokens + tokens, spent.cost + cost, spent.has_refused))

    def close(self) -> None:
        self._map.close()
        os.close(self._file)

    def _write(self, spent: Spent) -> None:
        _SPENT.pack_into(self._map, 0, *msgspec.structs.astuple(spent))


class _Locked:
    """The file's lock; the kernel lets go of it when its holder is gone."""

    def __init__(self, file: int) -> None:
        self._file = file

    def __enter__(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)
