"""What all who share an endpoint know together: its pace, its mood, and who has how many calls in flight."""

from __future__ import annotations

import struct
from types import TracebackType
from typing import Self

import msgspec

PROCESSES = 256
"""How many processes can share an endpoint."""

_HEAD = struct.Struct("<8d2I?")
_ROWS_AT = 128
_COUNTS_END = _ROWS_AT + PROCESSES * 4 * 2
SIZE = _COUNTS_END + PROCESSES * 8 * 2


class State(msgspec.Struct):
    """What holds for an endpoint as a whole. Times are the clock's; 0 stands for never."""

    written_at: float = 0.0
    requests_due: float = 0.0
    tokens_due: float = 0.0
    paused_until: float = 0.0
    window: float = 0.0  # the adaptive limit on calls in flight
    cut_at: float = 0.0  # when the window was last made smaller
    error_share: float = 0.0  # of the last answers, a running mean
    quota_since: float = 0.0  # the first 429 since the last success
    strikes: int = 0  # bursts of 429 since the last success
    used: int = 0  # rows ever taken
    is_refused: bool = False  # all are turned away: a 429 came when patience was at its end


class Ledger:
    """A ledger for one process alone. Inside `with`, the state may be read and changed, and so may the rows.

    A row is a process: its calls in flight, its waiting cases, since when the first of them waits, and when the
    process last looked.
    """

    row = 0

    def __init__(self, buffer: memoryview | None = None) -> None:
        self._buffer = memoryview(bytearray(SIZE)) if buffer is None else buffer
        halves = _ROWS_AT + PROCESSES * 4, _COUNTS_END + PROCESSES * 8
        self.in_flight = self._buffer[_ROWS_AT : halves[0]].cast("I")
        self.waiting = self._buffer[halves[0] : _COUNTS_END].cast("I")
        self.since = self._buffer[_COUNTS_END : halves[1]].cast("d")
        self.seen = self._buffer[halves[1] : SIZE].cast("d")
        self._state = State()

    def __enter__(self) -> State:
        self._state = State(*_HEAD.unpack_from(self._buffer))
        return self._state

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _HEAD.pack_into(self._buffer, 0, *msgspec.structs.astuple(self._state))

    def begin(self, now: float, window: float) -> Self:
        """Take a row. The first to come finds the endpoint as if never used, but for its pace and its pause."""
        with self as state:
            self._renew(state, now, window)
        return self

    def bury_the_dead(self) -> bool:
        """Give back what processes that have ended had in flight; tell whether there were any."""
        return False

    def close(self) -> None:
        """Give the row back."""

    def _renew(self, state: State, now: float, window: float) -> None:
        is_younger = state.written_at <= now  # else the machine has been started again since, and its clock too
        requests_due, tokens_due = (
            max(now, due if is_younger else 0) for due in (state.requests_due, state.tokens_due)
        )
        paused_until = state.paused_until if is_younger else 0.0
        self._state = State(now, requests_due, tokens_due, paused_until, window=window, used=1)
