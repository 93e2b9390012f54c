"""Tool calls that an async agent makes at once, as by `asyncio.gather`: they are passed on together, in their order."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

from pytest_ultra.core.agent_session import AgentSession
from pytest_ultra.core.transcript import ToolCall


class CallBatch:
    """Collects the calls of one round of an event loop, or of `wait_s`. An agent may call from several loops."""

    def __init__(self, session: AgentSession, *, wait_s: float = 0.0) -> None:
        self._session = session
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._waiting: dict[asyncio.AbstractEventLoop, list[tuple[ToolCall, asyncio.Future[Future[str]]]]] = {}

    async def add(self, call: ToolCall) -> str:
        """Make a call, and return its result."""
        loop = asyncio.get_running_loop()
        passed_on: asyncio.Future[Future[str]] = loop.create_future()
        with self._lock:
            waiting = self._waiting.setdefault(loop, [])
            waiting.append((call, passed_on))
        if len(waiting) == 1:
            loop.call_later(self._wait_s, self._pass_on, loop)
        return await asyncio.wrap_future(await passed_on)

    def _pass_on(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            waiting = [each for each in self._waiting.pop(loop) if not each[1].cancelled()]
        results = self._session.call([call for call, _ in waiting])
        for (_, passed_on), result in zip(waiting, results, strict=True):
            passed_on.set_result(result)
