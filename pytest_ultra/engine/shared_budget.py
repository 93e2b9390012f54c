"""A budget that all processes of a run share, in a small mapped file. POSIX only."""

from __future__ import annotations

import fcntl
import math
import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

from pytest_ultra.engine.budget import BudgetLimits, Spent, find_limit, largest_share
from pytest_ultra.engine.shared_limiter_state import allocate

_SPENT = struct.Struct("<QQd?")
_ROW = struct.Struct("<qd")
_ROWS_AT = 64
_PROCESSES = 256
"""How many processes can reserve a share of the budget; further ones reserve nothing."""
_MAX_COUNT = 2**64 - 1
_MAX_PID = 2**31 - 1
_SIZE = _ROWS_AT + _PROCESSES * _ROW.size


class SharedBudget:
    """Guarded by `flock`: a request takes the lock twice, for some microseconds.

    Each process has a row for the share that it reserves for its started episodes. The reservation ends with it.
    """

    def __init__(self, path: Path, limits: BudgetLimits) -> None:
        self._limits = limits
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with _Locked(self._file):
            allocate(self._file, _SIZE)
        self._map = mmap.mmap(self._file, _SIZE)

    @property
    def spent(self) -> Spent:
        """What is recorded. A cost that cannot be counts as infinite: a damaged file must not allow further costs."""
        spent = Spent(*_SPENT.unpack_from(self._map))
        return spent if spent.cost >= 0 else msgspec.structs.replace(spent, cost=math.inf)

    @property
    def is_spent(self) -> bool:
        return find_limit(self.spent, self._limits) is not None

    def take(self) -> str | None:
        with _Locked(self._file):
            spent = self.spent
            reason = find_limit(spent, self._limits)
            has_refused = spent.has_refused or reason is not None
            self._write(msgspec.structs.replace(spent, requests=spent.requests + (not reason), has_refused=has_refused))
        return reason

    def find_refusal(self) -> str | None:
        """Return why no more requests may be sent, and record that; None if they may. Counts no request."""
        with _Locked(self._file):
            spent = self.spent
            reason = find_limit(spent, self._limits)
            self._write(msgspec.structs.replace(spent, has_refused=spent.has_refused or reason is not None))
        return reason

    def record(self, tokens: int, cost: float) -> None:
        with _Locked(self._file):
            spent = self.spent
            self._write(msgspec.structs.replace(spent, tokens=spent.tokens + tokens, cost=spent.cost + cost))

    def reserve(self, held: float, more: float) -> bool:
        """Reserve `held + more` (shares of the budget) for this process, or `held` alone if too little is left."""
        with _Locked(self._file):
            others = sum(amount for pid, amount in self._rows() if pid != os.getpid())
            spent = self.spent
            left = 1.0 - largest_share(self._limits, spent.requests, spent.tokens, spent.cost) - others
            has_room = left >= held + more
            self._write_row(held + more if has_room else held)
        return has_room

    def close(self) -> None:
        self._map.close()
        os.close(self._file)

    def _rows(self) -> Iterator[tuple[int, float]]:
        """Yield each row's process and share; (0, 0.0) for a free row: its process has ended, or it is damaged."""
        for pid, amount in _ROW.iter_unpack(self._map[_ROWS_AT:_SIZE]):
            if not pid:
                return
            is_valid = 0 < pid <= _MAX_PID and 0 <= amount < math.inf
            yield (pid, amount) if is_valid and _is_alive(pid) else (0, 0.0)

    def _write_row(self, amount: float) -> None:
        pids = [pid for pid, _ in self._rows()]
        row = next((pids.index(pid) for pid in (os.getpid(), 0) if pid in pids), len(pids))
        if row < _PROCESSES:
            _ROW.pack_into(self._map, _ROWS_AT + row * _ROW.size, os.getpid(), amount)

    def _write(self, spent: Spent) -> None:
        requests, tokens = min(spent.requests, _MAX_COUNT), min(spent.tokens, _MAX_COUNT)
        _SPENT.pack_into(self._map, 0, requests, tokens, spent.cost, spent.has_refused)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class _Locked:
    """The file's lock. The kernel releases it when its holder ends."""

    def __init__(self, file: int) -> None:
        self._file = file

    def __enter__(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)
