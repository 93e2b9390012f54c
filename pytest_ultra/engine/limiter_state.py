"""The state of an endpoint's limiter, which processes can share: pace, adaptive limit, calls in flight by process."""

from __future__ import annotations

import math
import struct
import sys
from types import TracebackType
from typing import Self

import msgspec

from pytest_ultra.core.chat_request import MAX_WAIT_S

PROCESSES = 256
"""How many processes can share an endpoint."""

_HEAD = struct.Struct("<8d2I2?")
_ROWS_AT = 128
_COUNTS_END = _ROWS_AT + PROCESSES * 4 * 2
SIZE = _COUNTS_END + PROCESSES * 8 * 2

MAX_CALLS = 1_000_000
"""More calls than one process can have in flight or in its queue: a larger count is not ours."""
_MAX_AHEAD_S = 2 * MAX_WAIT_S
"""How far any time may lie beyond the last call."""


class EndpointState(msgspec.Struct):
    """The state of an endpoint as a whole. Times are the clock's; 0 stands for never. The order is the file's."""

    written_at: float = 0.0
    requests_due: float = 0.0  # when the pace of requests allows the next call
    tokens_due: float = 0.0  # when the pace of tokens allows the next call
    paused_until: float = 0.0
    window: float = 0.0  # the adaptive limit on calls in flight
    decreased_at: float = 0.0  # when the window was last made smaller
    error_rate: float = 0.0  # running mean over the last answers
    first_429_at: float = 0.0  # the first 429 since the last success
    consecutive_429s: int = 0  # bursts of 429s since the last success
    rows_used: int = 0  # rows that were ever taken
    is_rejecting: bool = False  # all calls fail, since a 429 came when patience was used up
    is_probing: bool = False  # one call at a time, until one has ended: the pause of an earlier run may be over

    def is_valid(self, now: float) -> bool:
        """Return whether the values can be ours: a new file is all zeros, a damaged one can hold anything, also NaN."""
        latest = min(self.written_at, now) + _MAX_AHEAD_S
        return (
            0 <= self.written_at <= now + MAX_WAIT_S  # another process may have read the clock after us
            and 0 <= self.requests_due <= latest
            and 0 <= self.tokens_due <= latest
            and 0 <= self.paused_until <= latest
            and 1 <= self.window <= MAX_CALLS
            and 0 <= self.decreased_at <= latest
            and 0 <= self.error_rate <= 1
            and 0 <= self.first_429_at <= latest
            and self.consecutive_429s <= MAX_CALLS
            and self.rows_used <= PROCESSES
        )


class LimiterState:
    """The state for one process alone. Use `with`: only inside it may the endpoint's state and the rows be accessed.

    Each process has a row: its calls in flight, its waiters, since when the first of them waits, and when the process
    last checked its queue.
    """

    row = 0
    _start_window = 1.0
    _now = sys.float_info.max

    def __init__(self, buffer: memoryview | None = None) -> None:
        self._buffer = memoryview(bytearray(SIZE)) if buffer is None else buffer
        halves = _ROWS_AT + PROCESSES * 4, _COUNTS_END + PROCESSES * 8
        self.in_flight = self._buffer[_ROWS_AT : halves[0]].cast("I")
        self.waiting = self._buffer[halves[0] : _COUNTS_END].cast("I")
        self.waiting_since = self._buffer[_COUNTS_END : halves[1]].cast("d")
        self.checked_at = self._buffer[halves[1] : SIZE].cast("d")
        self._endpoint = EndpointState()

    def at(self, now: float) -> Self:
        """Set the time that the times of the state are compared with; before, they may lie in any future."""
        self._now = now
        return self

    def __enter__(self) -> EndpointState:
        self._endpoint = EndpointState(*_HEAD.unpack_from(self._buffer))
        if not self._endpoint.is_valid(self._now):
            self._replace_invalid()
        return self._endpoint

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _HEAD.pack_into(self._buffer, 0, *msgspec.structs.astuple(self._endpoint))

    def start(self, now: float, window: float, max_old_pause_s: float = math.inf) -> Self:
        """Start using the state. The first process resets it, except for the pace and the pause.

        A pause of an earlier run that lasts longer than `max_old_pause_s` is not kept: the first call probes instead.
        """
        self._start_window = window
        with self as endpoint:
            self._reset(endpoint, now, window, max_old_pause_s)
        return self

    def reclaim_dead_slots(self) -> bool:
        """Free the slots of processes that have ended; return whether there were any."""
        return False

    def close(self) -> None:
        """Give the row back."""

    def _reset(self, endpoint: EndpointState, now: float, window: float, max_old_pause_s: float) -> None:
        is_same_boot = endpoint.written_at <= now  # else the machine has been rebooted, and its clock starts again
        requests_due, tokens_due = (
            min(max(now, due if is_same_boot else 0), now + MAX_WAIT_S)
            for due in (endpoint.requests_due, endpoint.tokens_due)
        )
        paused_until = min(endpoint.paused_until, now + MAX_WAIT_S) if is_same_boot else 0.0
        is_probing = paused_until - now > max_old_pause_s
        self._endpoint = EndpointState(
            now,
            requests_due,
            tokens_due,
            0.0 if is_probing else paused_until,
            window=window,
            rows_used=1,
            is_probing=is_probing,
        )

    def _replace_invalid(self) -> None:
        """Start again with empty rows. All rows count as used, since any of them may be in use."""
        self._buffer[:SIZE] = bytes(SIZE)
        self._endpoint = EndpointState(window=self._start_window, rows_used=PROCESSES)
