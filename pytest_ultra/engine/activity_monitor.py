"""Whether anything still happens: what another thread asks of an engine to notice a stall."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from pytest_ultra.engine.clock import SYSTEM_CLOCK


class Stall(msgspec.Struct, frozen=True):
    """Nothing has been answered or finished for `quiet_s`, though these tests' episodes are in flight, oldest first."""

    quiet_s: float
    nodeids: tuple[str, ...]


class Pulse:
    """Every method may be called from any thread. Time is real, also where an episode's is not."""

    def __init__(self, now: Callable[[], float] = SYSTEM_CLOCK.now) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._last = now()
        self._in_flight: list[str] = []

    def begin(self, nodeid: str) -> None:
        with self._lock:
            if not self._in_flight:
                self._last = self._now()
            self._in_flight.append(nodeid)

    def beat(self) -> None:
        """Note that an answer came."""
        self._last = self._now()

    def end(self, nodeid: str) -> None:
        with self._lock:
            self._in_flight.remove(nodeid)
            self._last = self._now()

    def stall(self, after_s: float) -> Stall | None:
        """Return the stall, if nothing has happened for that long."""
        with self._lock:
            quiet_s = self._now() - self._last
            if not self._in_flight or quiet_s < after_s:
                return None
            return Stall(quiet_s, tuple(self._in_flight))
