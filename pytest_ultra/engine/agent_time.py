"""The time of a user's own agent: neither the calls of its model nor the standstill of this process count."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from pytest_ultra.engine.standstill import Standstill


class AgentTime:
    """The time since it was made, without that in which calls of the model are under way."""

    def __init__(self, loop: asyncio.AbstractEventLoop, standstill: Standstill) -> None:
        self._loop = loop
        self._standstill = standstill
        self._started = loop.time()
        self._still_s = standstill.of_process_s()
        self._pauses = 0
        self._paused_at = 0.0
        self._paused_s = 0.0

    @property
    def is_paused(self) -> bool:
        return self._pauses > 0

    @property
    def passed_s(self) -> float:
        paused_s = self._paused_s + (self._loop.time() - self._paused_at if self.is_paused else 0.0)
        still_s = self._standstill.of_process_s() - self._still_s
        return max(0.0, self._loop.time() - self._started - paused_s - still_s)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the time while the agent waits for its model; several calls may be under way at once."""
        if not self.is_paused:
            self._paused_at = self._loop.time()
        self._pauses += 1
        try:
            yield
        finally:
            self._pauses -= 1
            if not self.is_paused:
                self._paused_s += self._loop.time() - self._paused_at
