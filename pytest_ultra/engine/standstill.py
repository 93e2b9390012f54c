"""Standstill: time in which the engine or its whole process did not run. It counts for nobody."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from types import TracebackType
from typing import Self

from pytest_ultra.engine.clock import SYSTEM_CLOCK, Clock

MAX_STANDSTILL_S = 30.0
"""An attempt with a longer standstill is an infrastructure error, unless it has an answer that was in time for sure."""

_TICK_S = 0.125
_TOLERANCE_S = 0.125  # a tick may be that late


class LagMeter:
    """Adds up how late its ticks were. Thread-safe: one thread ticks, others read."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._state = (0.0, math.inf)  # the lag so far, and when the next tick is due: replaced as one

    def tick(self) -> None:
        """Note that things run; call it again within `_TICK_S`."""
        now = self._now()
        self._state = (self._lag_at(now), now + _TICK_S)

    def stop(self) -> None:
        """Expect no more ticks."""
        self._state = (self._lag_at(self._now()), math.inf)

    def lag_s(self) -> float:
        """Return the lag so far, that of a tick that is overdue included."""
        return self._lag_at(self._now())

    def _lag_at(self, now: float) -> float:
        lag_s, due = self._state
        return lag_s + max(0.0, now - due - _TOLERANCE_S)


class Standstill:
    """Measures the standstill of an engine's loop, and of its process. Use it in the loop's thread.

    The loop stands still when the process does, and also while one callback runs for long.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        # An empty context: the time of a replayed clock differs between episodes.
        self._loop_lag = LagMeter(lambda: Context().run(clock.now))
        self._process_lag = LagMeter(SYSTEM_CLOCK.now)
        self._watchers = 0
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = threading.Event()

    def of_loop_s(self) -> float:
        """Return how long the loop has stood still while it was watched, by the engine's clock."""
        return self._loop_lag.lag_s()

    def of_process_s(self) -> float:
        """Return how long the process has stood still while it was watched, by the machine's clock."""
        return self._process_lag.lag_s()

    @contextmanager
    def watch_loop(self) -> Iterator[None]:
        """Measure the loop's standstill within the block. Blocks may overlap."""
        self._watchers += 1
        if self._watchers == 1:
            self._tick_loop()
        try:
            yield
        finally:
            self._watchers -= 1
            if not self._watchers and self._timer is not None:
                self._timer.cancel()
                self._loop_lag.stop()

    @contextmanager
    def watch_process(self) -> Iterator[None]:
        """Measure the process's standstill within the block, from a thread that does nothing else."""
        threading.Thread(target=self._tick_process, name="ultra-standstill", daemon=True).start()
        try:
            yield
        finally:
            self._is_over.set()

    def _tick_loop(self) -> None:
        self._loop_lag.tick()
        self._timer = asyncio.get_running_loop().call_later(_TICK_S, self._tick_loop)

    def _tick_process(self) -> None:
        self._process_lag.tick()
        while not self._is_over.wait(_TICK_S):
            self._process_lag.tick()
        self._process_lag.stop()


class RunningTimeout:
    """A time limit on an `async with` block, like `asyncio.timeout`, that does not count the loop's standstill."""

    def __init__(self, limit_s: float, standstill: Standstill) -> None:
        self._limit_s = limit_s
        self._standstill = standstill
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        self._loop = asyncio.get_running_loop()
        self._ends_at = self._loop.time() + self._limit_s - self._standstill.of_loop_s()
        self._timer = self._loop.call_later(self._limit_s, self._check)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        await self._timeout.__aexit__(kind, error, traceback)

    @property
    def has_expired(self) -> bool:
        return self._timeout.expired()

    def expire(self) -> None:
        """End the block now."""
        self._timeout.reschedule(self._loop.time())

    def _check(self) -> None:
        ends_at = self._ends_at + self._standstill.of_loop_s()
        if ends_at > self._loop.time():
            self._timer = self._loop.call_at(ends_at, self._check)
        else:
            self.expire()
