"""The engine's clock, passed as an argument so that tests and replays can use their own."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Returns the time, and makes event loops whose timers use it."""

    def now(self) -> float:
        """Return monotonic seconds from an arbitrary start."""

    def time(self) -> float:
        """Return Unix time."""

    def new_loop(self) -> asyncio.AbstractEventLoop: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()

    def new_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.new_event_loop()


SYSTEM_CLOCK = SystemClock()
