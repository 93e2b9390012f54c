"""Time as an argument: the clock that an engine lives by."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time, and makes the event loop whose timers run by it."""

    def now(self) -> float:
        """Seconds that never go back, from an arbitrary start."""

    def time(self) -> float:
        """Unix time."""

    def new_loop(self) -> asyncio.AbstractEventLoop: ...


class SystemClock:
    """The machine's own."""

    def now(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()

    def new_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.new_event_loop()


SYSTEM_CLOCK = SystemClock()
