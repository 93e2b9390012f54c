"""The activity monitor: lets another thread notice that an engine has stalled."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from pytest_ultra.engine.clock import SYSTEM_CLOCK


class Stall(msgspec.Struct, frozen=True):
    """No answer and no finished episode for `quiet_s`, while these tests' episodes were in flight, oldest first."""

    quiet_s: float
    nodeids: tuple[str, ...]


class ActivityMonitor:
    """Records when episodes start and end and when answers arrive.

    Thread-safe. It measures real time, even if the engine's clock does not.
    """

    def __init__(self, now: Callable[[], float] = SYSTEM_CLOCK.now) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._last = now()
        self._in_flight: list[str] = []

    def start(self, nodeid: str) -> None:
        with self._lock:
            if not self._in_flight:
                self._last = self._now()
            self._in_flight.append(nodeid)

    def answered(self) -> None:
        """Record that an answer has arrived."""
        self._last = self._now()

    def end(self, nodeid: str) -> None:
        with self._lock:
            self._in_flight.remove(nodeid)
            self._last = self._now()

    def find_stall(self, after_s: float) -> Stall | None:
        """Return the stall if nothing has happened for `after_s`, else None."""
        with self._lock:
            quiet_s = self._now() - self._last
            if not self._in_flight or quiet_s < after_s:
                return None
            return Stall(quiet_s, tuple(self._in_flight))
