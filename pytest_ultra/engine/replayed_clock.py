"""A clock for replays: an episode takes as long as its recording, although its answers come at once."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

from pytest_ultra.engine.clock import SYSTEM_CLOCK, Clock


class ReplayedClock:
    """Each episode's task has its own time, which `advance` moves forward.

    With `is_frozen` nothing else does, so that the same answers take the same time in every run; without it, real
    time passes as well.
    """

    def __init__(self, *, is_frozen: bool, clock: Clock = SYSTEM_CLOCK) -> None:
        self._is_frozen = is_frozen
        self._clock = clock
        self._advanced_s: ContextVar[float] = ContextVar("advanced_s", default=0.0)

    def now(self) -> float:
        return (0.0 if self._is_frozen else self._clock.now()) + self._advanced_s.get()

    def advance(self, seconds: float) -> None:
        """Move the time forward for the episode that the calling task runs."""
        self._advanced_s.set(self._advanced_s.get() + seconds)

    def time(self) -> float:
        return self._clock.time()

    def new_loop(self) -> asyncio.AbstractEventLoop:
        return self._clock.new_loop()
