"""Agents run in daemon threads: each ends once, and one that blocks holds up neither the next one nor the exit."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread
import queue
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from pytest_ultra.agents.agent_threads import BLOCKED_AFTER_S, AgentThreads, is_async
from pytest_ultra.core.agent_session import AgentEnd
from pytest_ultra.core.transcript import EndReason
from tests.agents.test_agent_task import Session
from tests.run.project import wait_until

WITHIN_S = 30.0


class Ends:
    """Collects how agents end, from any thread."""

    def __init__(self) -> None:
        self._ends: queue.Queue[AgentEnd] = queue.Queue()

    def __call__(self, end: AgentEnd) -> None:
        self._ends.put(end)

    def next(self) -> AgentEnd:
        return self._ends.get(timeout=WITHIN_S)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """An event for which a blocking agent waits, until the test is over."""
    event = threading.Event()
    yield event
    event.set()


def start(threads: AgentThreads, name: str, on_end: Ends) -> Any:
    session = Session()
    session.case = session.case.__class__(**{**_fields(session), "model": name})
    return threads.start(session, on_end)


def _fields(session: Session) -> dict[str, Any]:
    return {name: getattr(session.case, name) for name in session.case.__struct_fields__}


async def say(_: Any, words: str = "async") -> str:
    return words


def say_plainly(_: Any) -> str:
    return "plain"


class Callable:
    async def __call__(self, _: Any) -> str:
        return "object"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (say, "async"),
        (partial(say, words="partial"), "partial"),
        (Callable(), "object"),
        (say_plainly, "plain"),
        (lambda _: None, ""),
        (lambda _: 42, "42"),
    ],
)
def test_the_words_that_an_agent_returns(agent: Any, words: str) -> None:
    threads, ends = AgentThreads({"a": agent}), Ends()
    start(threads, "a", ends)
    assert ends.next() == AgentEnd(words)
    threads.close()


def test_coroutine_functions_are_told_from_plain_ones() -> None:
    asynchronous: list[Any] = [say, partial(say, words=""), Callable()]
    plain: list[Any] = [say_plainly, print, Callable]
    assert [is_async(agent) for agent in asynchronous + plain] == [True] * 3 + [False] * 3


def test_an_agent_that_forgot_to_be_async_is_told() -> None:
    threads, ends = AgentThreads({"a": lambda _: say(None)}), Ends()
    start(threads, "a", ends)
    end = ends.next()
    assert (end.reason, end.detail) == (
        EndReason.AGENT_ERROR,
        "The agent returned something to await. Define it by `async def`, so that it is awaited.",
    )


def test_async_agents_share_a_loop_until_one_blocks_it(release: threading.Event) -> None:
    loops = []

    async def note(_: Any) -> str:
        loops.append(asyncio.get_running_loop())
        return "noted"

    async def block(_: Any) -> str:
        release.wait(WITHIN_S)
        return "released"

    threads, ends = AgentThreads({"note": note, "block": block}), Ends()
    for name in ("note", "note", "block"):
        start(threads, name, ends)
    assert [ends.next().words for _ in range(2)] == ["noted", "noted"]
    blocked = start(threads, "note", ends)
    threading.Event().wait(BLOCKED_AFTER_S * 1.2)
    start(threads, "note", ends)
    assert ends.next().words == "noted"
    assert len(set(loops)) == 2
    blocked.cancel()
    threads.close()


def test_a_cancelled_agent_ends_and_one_that_is_cancelled_before_it_starts_never_does() -> None:
    async def wait(_: Any) -> str:
        await asyncio.sleep(1000)
        return "never"

    threads, ends = AgentThreads({"a": wait}), Ends()
    running = start(threads, "a", ends)
    running.cancel()
    running.cancel()
    threads.close()


def test_threads_of_executors_that_agents_leave_do_not_hold_up_the_exit(release: threading.Event) -> None:
    entered = threading.Event()

    def block() -> None:
        entered.set()
        release.wait(WITHIN_S)

    async def agent(_: Any) -> str:
        await asyncio.to_thread(block)
        return "released"

    threads, ends = AgentThreads({"a": agent}), Ends()
    start(threads, "a", ends)
    assert entered.wait(WITHIN_S)
    wait_until(waited_for)
    threads.close()
    assert not waited_for()


def waited_for() -> list[threading.Thread]:
    """Return the daemon threads that Python waits for at its exit."""
    return [thread for thread in concurrent.futures.thread._threads_queues if thread.daemon]
