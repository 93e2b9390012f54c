"""Single attempts at a call, each with a timeout; all attempts at a model are cancelled when the model fails."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.endpoint import CallFailed, Endpoint
from pytest_ultra.errors import AttemptFailedError, AttemptProblem

CANCELLED = "cancelled: no more requests are sent to this model"


class AttemptRunner:
    """Makes attempts at an endpoint, for one event loop."""

    def __init__(self, endpoint: Endpoint, timeout_s: float) -> None:
        self._endpoint = endpoint
        self._timeout_s = timeout_s
        self._timeouts: defaultdict[str, set[asyncio.Timeout]] = defaultdict(set)
        self._failed_models: dict[str, CallFailed] = {}

    async def run(
        self, request: ChatRequest, limit_s: float | None
    ) -> tuple[Reply | AttemptFailedError | CallFailed, bool]:
        """Return the result of the attempt, and whether the episode's time limit ended it."""
        model = request.case.model
        is_limited = limit_s is not None and limit_s <= self._timeout_s
        timeout = asyncio.timeout(limit_s if is_limited else self._timeout_s)
        try:
            async with timeout:
                self._timeouts[model].add(timeout)
                return await self._endpoint.attempt(request), False
        except (AttemptFailedError, TimeoutError) as error:
            if timeout.expired():
                failure = self._failed_models.get(model)
                return failure or self._timed_out(), is_limited and failure is None
            _raise_if_cancelled()
            if isinstance(error, AttemptFailedError):
                return error, False
            raise
        finally:
            self._timeouts[model].discard(timeout)

    def cancel_all(self, model: str, failure: CallFailed) -> None:
        """Cancel all attempts at a model; they return the failure."""
        self._failed_models[model] = failure
        for timeout in self._timeouts[model]:
            timeout.reschedule(asyncio.get_running_loop().time())

    def _timed_out(self) -> AttemptFailedError:
        return AttemptFailedError(AttemptProblem.TIMEOUT, f"no answer within {self._timeout_s:g} s")


def _raise_if_cancelled() -> None:
    """Raise the task's cancellation, which an endpoint may have turned into a failed attempt."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
