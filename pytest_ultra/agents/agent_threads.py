"""Runs agents in daemon threads: plain functions in one each, coroutine functions in a shared event loop."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread
import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from pytest_ultra.agents.agent_task import AgentTask, AsyncAgentTask
from pytest_ultra.agents.escaped_errors import judge_error
from pytest_ultra.core.agent_session import AgentEnd, AgentSession, RunningAgent
from pytest_ultra.core.transcript import EndReason

BLOCKED_AFTER_S = 1.0
"""An event loop that has not run a callback for so long is held up by an agent that blocks."""

_CLOSE_S = 0.5

AgentFunction = Callable[[Any], Awaitable[str] | str]
"""A user's agent: a function of an `AgentTask`, or a coroutine function of an `AsyncAgentTask`."""

NewLoop = Callable[[], asyncio.AbstractEventLoop]

OnEnd = Callable[[AgentEnd], None]


class AgentThreads:
    """Starts the agents of a process. `functions` maps the names of agents in cases to their functions."""

    def __init__(self, functions: Mapping[str, AgentFunction], new_loop: NewLoop = asyncio.new_event_loop) -> None:
        self._functions = functions
        self._new_loop = new_loop
        self._lock = threading.Lock()
        self._loops: list[AgentLoop] = []
        _release_pool_threads_at_exit()

    def start(self, session: AgentSession, on_end: OnEnd) -> RunningAgent:
        """Start the agent of the session's case; `on_end` is called once, in any thread, when it has ended."""
        function = self._functions[session.case.model]
        if not is_async(function):
            return _start_thread(function, session, on_end)
        return self._responsive_loop().start(function, session, on_end)

    def close(self) -> None:
        """Cancel all async agents. What still runs after that is in daemon threads, which hold up no exit."""
        for loop in self._loops:
            loop.close()
        _release_pool_threads()

    def _responsive_loop(self) -> AgentLoop:
        """Return the loop for the next agent: another one if an agent blocks the last."""
        with self._lock:
            if not self._loops or self._loops[-1].is_blocked:
                self._loops.append(AgentLoop(self._new_loop()))
            return self._loops[-1]


def is_async(function: AgentFunction) -> bool:
    """Return whether an agent is a coroutine function, or an object whose `__call__` is one."""
    if isinstance(function, type):  # calling it makes an object
        return False
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - not whether it can be called


class AgentLoop:
    """An event loop in a daemon thread, for agents that are coroutine functions."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._asked_at: float | None = None  # when the loop was asked for a response that has not come yet
        self._thread = threading.Thread(target=self._run, name="ultra-agents", daemon=True)
        self._thread.start()

    @property
    def is_blocked(self) -> bool:
        asked_at = self._asked_at
        return asked_at is not None and self._loop.time() - asked_at > BLOCKED_AFTER_S

    def start(self, function: AgentFunction, session: AgentSession, on_end: OnEnd) -> RunningAgent:
        agent = _AsyncAgent(self, function, session, on_end)
        self.call_soon(agent.start)
        return agent

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Run a callback in the loop."""
        self._asked_at = self._asked_at or self._loop.time()
        with suppress(RuntimeError):  # closed
            self._loop.call_soon_threadsafe(self._respond)
            self._loop.call_soon_threadsafe(callback)

    def close(self) -> None:
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_S)

    def _respond(self) -> None:
        self._asked_at = None

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left, timeout=_CLOSE_S / 2))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


class _AsyncAgent:
    """A coroutine function at work. `start` runs in the loop, `cancel` in any thread."""

    def __init__(self, loop: AgentLoop, function: AgentFunction, session: AgentSession, on_end: OnEnd) -> None:
        self._loop = loop
        self._function = function
        self._session = session
        self._on_end = on_end
        self._task: asyncio.Task[None] | None = None
        self._is_cancelled = False

    def start(self) -> None:
        if not self._is_cancelled:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def cancel(self) -> None:
        self._is_cancelled = True
        self._loop.call_soon(self._cancel)

    def why_not_ready(self) -> str:
        return ""

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            words = await self._function(AsyncAgentTask(self._session))  # type: ignore[misc]
        except BaseException as error:  # noqa: BLE001 - whatever an agent raises ends its own episode alone
            self._on_end(judge_error(error))
        else:
            self._on_end(_end_with(words))


class _ThreadAgent:
    """A plain function at work: nobody can cancel it, but its next tool call raises."""

    def cancel(self) -> None: ...

    def why_not_ready(self) -> str:
        return ""


def _start_thread(function: AgentFunction, session: AgentSession, on_end: OnEnd) -> RunningAgent:
    def run() -> None:
        try:
            words = function(AgentTask(session))
        except BaseException as error:  # noqa: BLE001 - whatever an agent raises ends its own episode alone
            on_end(judge_error(error))
        else:
            on_end(_end_with(words))

    threading.Thread(target=run, name="ultra-agent", daemon=True).start()
    return _ThreadAgent()


def _end_with(words: object) -> AgentEnd:
    if inspect.isawaitable(words):
        if inspect.iscoroutine(words):
            words.close()
        detail = "The agent returned something to await. Define it by `async def`, so that it is awaited."
        return AgentEnd(reason=EndReason.AGENT_ERROR, detail=detail)
    return AgentEnd(words="" if words is None else str(words))


def _release_pool_threads_at_exit() -> None:
    """Do so once more when Python ends: an agent that goes on may start further threads until then."""
    register = getattr(threading, "_register_atexit", None)
    if register is not None:
        with suppress(RuntimeError):  # too late
            register(_release_pool_threads)  # runs before that of the executors, which was registered earlier


def _release_pool_threads() -> None:
    """Let Python end without those daemon threads of executors that agents have left.

    Its executors wait at exit for all their threads, daemon or not (`concurrent.futures.thread._python_exit`).
    """
    queues = getattr(concurrent.futures.thread, "_threads_queues", {})
    for thread in [thread for thread in list(queues) if thread.daemon]:
        queues.pop(thread, None)
