"""The tool calls of a user's own agent on their way from its threads to the loop that runs them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import NamedTuple

from pytest_ultra.core.transcript import ToolCall
from pytest_ultra.errors import EpisodeEndedError

ORDER_WAIT_S = 0.05
"""How long a call waits for those that the model made before it: frameworks run a reply's calls in several threads."""


class PendingCall(NamedTuple):
    """A call, and where its result goes."""

    call: ToolCall
    result: Future[str]


class AgentCalls:
    """The calls that have no result yet. `make` may be called in any thread, all else in the loop's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, bound: Callable[[ToolCall], ToolCall]) -> None:
        """`bound` returns a call as it can be stored."""
        self._loop = loop
        self._bound = bound
        self._made: asyncio.Queue[list[PendingCall]] = asyncio.Queue()
        self._taken: list[PendingCall] = []
        self._is_over = False

    def make(self, calls: Sequence[ToolCall]) -> list[Future[str]]:
        """Return where the results of calls will be; they raise `EpisodeEndedError` after the end."""
        pending = [PendingCall(call, Future()) for call in calls]
        try:
            self._loop.call_soon_threadsafe(self._receive, pending)
        except RuntimeError:  # the engine is gone
            _refuse(pending)
        return [each.result for each in pending]

    async def take(self, has_gap: Callable[[Sequence[ToolCall]], bool]) -> list[PendingCall]:
        """Wait for the next calls, with those that are made at the same time.

        As long as `has_gap` says that the model made another one before them, wait for that too, up to `ORDER_WAIT_S`.
        """
        self._taken = taken = []
        taken += await self._made.get()
        ends_at = self._loop.time() + ORDER_WAIT_S
        while True:
            while not self._made.empty():
                taken += self._made.get_nowait()
            left_s = ends_at - self._loop.time()
            if left_s <= 0 or not has_gap([each.call for each in taken]):
                return taken
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    taken += await self._made.get()

    def end(self) -> None:
        """Refuse calls that are made from now on."""
        self._is_over = True

    def refuse(self) -> None:
        """Refuse all calls that have no result yet."""
        _refuse(self._taken)
        while not self._made.empty():
            _refuse(self._made.get_nowait())

    def _receive(self, pending: list[PendingCall]) -> None:
        if self._is_over:
            _refuse(pending)
        else:
            self._made.put_nowait([PendingCall(self._bound(call), result) for call, result in pending])


def _refuse(pending: Sequence[PendingCall]) -> None:
    for each in pending:
        with suppress(InvalidStateError):  # it has its answer, or the agent no longer wants it
            each.result.set_exception(EpisodeEndedError("the episode has ended"))
