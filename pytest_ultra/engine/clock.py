"""The engine's clock, passed as an argument so that tests and replays can use their own."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import suppress
from typing import Protocol


class Clock(Protocol):
    """Returns the time, and makes event loops whose timers use it."""

    def now(self) -> float:
        """Return monotonic seconds from an arbitrary start."""

    def time(self) -> float:
        """Return Unix time."""

    def new_loop(self) -> asyncio.AbstractEventLoop: ...


class SystemClock:
    """The machine's clock, also while a test has frozen the time for its own code.

    freezegun replaces the functions of `time` and every module's references to them, but no class's; time-machine
    changes `time.time` itself, and offers the real one.
    """

    _monotonic = staticmethod(time.monotonic)
    _time = staticmethod(time.time)

    def now(self) -> float:
        return self._monotonic()

    def time(self) -> float:
        with suppress(KeyError, AttributeError, ValueError):  # not imported yet, or no test travels
            return float(sys.modules["time_machine"].escape_hatch.time.time())
        return self._time()

    def new_loop(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        if isinstance(loop, asyncio.BaseEventLoop):  # another, such as uvloop's, has a clock of its own
            loop.time = self.now  # type: ignore[method-assign]
        return loop


SYSTEM_CLOCK = SystemClock()
