"""Single attempts: each within its time, and over at once when its model is given up meanwhile."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.endpoint import Endpoint
from pytest_ultra.engine.given_up import GivenUp
from pytest_ultra.errors import AttemptFailedError, AttemptProblem

BROKEN_OFF = "broken off, since the model is given up"


class Attempts:
    """The way to an endpoint for one event loop."""

    def __init__(self, endpoint: Endpoint, timeout_s: float) -> None:
        self._endpoint = endpoint
        self._timeout_s = timeout_s
        self._under_way: defaultdict[str, set[asyncio.Timeout]] = defaultdict(set)
        self._given_up: dict[str, GivenUp] = {}

    async def make(
        self, request: ChatRequest, limit_s: float | None
    ) -> tuple[Reply | AttemptFailedError | GivenUp, bool]:
        """Return what the attempt brought, and whether it was the episode's limit that ended it."""
        model = request.case.model
        is_cut = limit_s is not None and limit_s <= self._timeout_s
        timeout = asyncio.timeout(limit_s if is_cut else self._timeout_s)
        try:
            async with timeout:
                self._under_way[model].add(timeout)
                return await self._endpoint.attempt(request), False
        except (AttemptFailedError, TimeoutError) as error:
            if timeout.expired():
                return self._given_up.get(model) or self._late(), is_cut and model not in self._given_up
            _go_on_unless_cancelled()
            if isinstance(error, AttemptFailedError):
                return error, False
            raise
        finally:
            self._under_way[model].discard(timeout)

    def give_up(self, model: str, verdict: GivenUp) -> None:
        """Break off all attempts at a model; they bring the verdict."""
        self._given_up[model] = verdict
        for timeout in self._under_way[model]:
            timeout.reschedule(asyncio.get_running_loop().time())

    def _late(self) -> AttemptFailedError:
        return AttemptFailedError(AttemptProblem.TIMEOUT, f"no answer within {self._timeout_s:g} s")


def _go_on_unless_cancelled() -> None:
    """Cancel for certain: an endpoint may have turned the cancellation into a failed attempt."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
