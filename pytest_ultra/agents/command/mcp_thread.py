"""The event loop in a daemon thread in which the MCP servers of a process run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from pytest_ultra.agents.command.mcp_server import TOGETHER_S, EpisodeTools, McpServer
from pytest_ultra.core.agent_session import AgentSession

_OPEN_S = 30.0
_CLOSE_S = 1.0


@dataclass(frozen=True, slots=True)
class ServedEpisode:
    """An episode whose tools are served."""

    tools: EpisodeTools
    serving: Future[None]
    stop: Callable[[], object]

    def end(self) -> None:
        """Serve it no longer, and wait for nothing."""
        with suppress(RuntimeError):  # the loop is closed
            self.stop()


class McpThread:
    """Serves episodes for other threads."""

    def __init__(
        self,
        *,
        together_s: float = TOGETHER_S,
        new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
    ) -> None:
        self._loop = new_loop()
        self._server = McpServer(together_s=together_s)
        self._thread = threading.Thread(target=self._run, name="ultra-mcp", daemon=True)
        self._thread.start()

    @contextmanager
    def serve(self, session: AgentSession) -> Iterator[EpisodeTools]:
        """Serve an episode's tools. Raises TimeoutError if the loop does not run."""
        served = self.open(session)
        try:
            yield served.tools
        finally:
            served.end()
            with suppress(RuntimeError, TimeoutError):  # the loop is closed, or busy
                served.serving.result(_CLOSE_S)

    def open(self, session: AgentSession) -> ServedEpisode:
        """Start to serve an episode's tools. Raises TimeoutError if the loop does not run."""
        opened: Future[EpisodeTools] = Future()
        ended = asyncio.Event()
        serving = asyncio.run_coroutine_threadsafe(self._serve(session, opened, ended), self._loop)
        serving.add_done_callback(lambda done: _pass_on_error(done, opened))
        end = partial(self._loop.call_soon_threadsafe, ended.set)
        try:
            return ServedEpisode(opened.result(_OPEN_S), serving, end)
        except TimeoutError:
            end()
            raise

    def close(self) -> None:
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(2 * _CLOSE_S)

    async def _serve(self, session: AgentSession, opened: Future[EpisodeTools], ended: asyncio.Event) -> None:
        async with self._server.serve(session) as tools:
            opened.set_result(tools)
            await ended.wait()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.run_until_complete(self._close())
        self._loop.close()

    async def _close(self) -> None:
        await self._server.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=_CLOSE_S / 2)


def _pass_on_error(serving: Future[None], opened: Future[EpisodeTools]) -> None:
    if serving.cancelled():
        opened.cancel()
    elif not opened.done() and (error := serving.exception()) is not None:
        opened.set_exception(error)
