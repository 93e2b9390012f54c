"""Tool calls that an async agent makes at once, as by `asyncio.gather`: they are passed on together, in their order."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import NamedTuple

from pytest_ultra.core.agent_session import AgentSession
from pytest_ultra.core.transcript import ToolCall


class _WaitingCall(NamedTuple):
    place: int
    call: ToolCall
    passed_on: asyncio.Future[Future[str]]


class CallBatch:
    """Collects the calls of one round of an event loop, or of `wait_s`. An agent may call from several loops."""

    def __init__(self, session: AgentSession, *, wait_s: float = 0.0) -> None:
        self._session = session
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._waiting: dict[asyncio.AbstractEventLoop, list[_WaitingCall]] = {}

    async def add(self, call: ToolCall, *, place: int = 0) -> str:
        """Make a call, and return its result. Calls are made in the order of `place`, then of arrival."""
        loop = asyncio.get_running_loop()
        passed_on: asyncio.Future[Future[str]] = loop.create_future()
        with self._lock:
            waiting = self._waiting.setdefault(loop, [])
            waiting.append(_WaitingCall(place, call, passed_on))
        if len(waiting) == 1:
            if self._wait_s:
                loop.call_later(self._wait_s, self._pass_on, loop)
            else:
                loop.call_soon(self._pass_on, loop)
        return await asyncio.wrap_future(await passed_on)

    def _pass_on(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            waiting = [each for each in self._waiting.pop(loop) if not each.passed_on.cancelled()]
        waiting.sort(key=lambda each: each.place)
        results = self._session.call([each.call for each in waiting])
        for each, result in zip(waiting, results, strict=True):
            each.passed_on.set_result(result)
