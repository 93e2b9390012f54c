"""Single attempts at a call, each with a timeout; all attempts at a model are cancelled when the model fails."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import msgspec

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.clock import Clock
from pytest_ultra.engine.endpoint import CallFailed, Endpoint
from pytest_ultra.engine.standstill import MAX_STANDSTILL_S, RunningTimeout, Standstill
from pytest_ultra.errors import AttemptFailedError, AttemptProblem

CANCELLED = "cancelled: no more requests are sent to this model"


class Attempt(msgspec.Struct, frozen=True):
    """A finished attempt. `duration_s` leaves out `standstill_s`; `is_late` if it used up the episode's time limit."""

    result: Reply | AttemptFailedError | CallFailed
    duration_s: float
    standstill_s: float
    is_late: bool


class AttemptRunner:
    """Makes attempts at an endpoint, for one event loop."""

    def __init__(self, endpoint: Endpoint, timeout_s: float, clock: Clock, standstill: Standstill) -> None:
        self._endpoint = endpoint
        self._timeout_s = timeout_s
        self._clock = clock
        self._standstill = standstill
        self._timeouts: defaultdict[str, set[RunningTimeout]] = defaultdict(set)
        self._failed_models: dict[str, CallFailed] = {}

    async def run(self, request: ChatRequest, limit_s: float | None) -> Attempt:
        """Make an attempt that may take `limit_s` of the episode's time, in which the loop's standstill is left out."""
        with self._standstill.watch_loop():
            started, stood_still_s = self._clock.now(), self._standstill.of_loop_s()
            result, is_late = await self._run(request, limit_s)
            standstill_s = self._standstill.of_loop_s() - stood_still_s
            duration_s = max(0.0, self._clock.now() - started - standstill_s)
        is_late = is_late or (limit_s is not None and duration_s >= limit_s)
        attempt = Attempt(result, duration_s, standstill_s, is_late)
        return attempt if _is_valid(attempt, limit_s) else _invalidate(attempt)

    async def _run(
        self, request: ChatRequest, limit_s: float | None
    ) -> tuple[Reply | AttemptFailedError | CallFailed, bool]:
        """Return the result of the attempt, and whether the episode's time limit ended it."""
        model = request.case.model
        is_limited = limit_s is not None and limit_s <= self._timeout_s
        timeout = RunningTimeout(limit_s if limit_s is not None and is_limited else self._timeout_s, self._standstill)
        try:
            async with timeout:
                self._timeouts[model].add(timeout)
                return await self._endpoint.attempt(request), False
        except (AttemptFailedError, TimeoutError) as error:
            if timeout.has_expired:
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
            timeout.expire()

    def _timed_out(self) -> AttemptFailedError:
        return AttemptFailedError(AttemptProblem.TIMEOUT, f"no answer within {self._timeout_s:g} s")


def _is_valid(attempt: Attempt, limit_s: float | None) -> bool:
    """Return whether the attempt's result is due to the endpoint or the model, rather than to a long standstill.

    Connections do not survive one. A reply is valid if it was in time even if the standstill is counted.
    """
    if attempt.standstill_s <= MAX_STANDSTILL_S:
        return True
    result = attempt.result
    if isinstance(result, Reply):
        return limit_s is None or attempt.duration_s + attempt.standstill_s < limit_s
    return isinstance(result, CallFailed) or result.status is not None or result.problem not in _OF_CONNECTIONS


_OF_CONNECTIONS = (AttemptProblem.TIMEOUT, AttemptProblem.DROPPED, AttemptProblem.REFUSED)


def _invalidate(attempt: Attempt) -> Attempt:
    detail = f"this process stood still for {attempt.standstill_s:.0f} s during the attempt"
    failure = AttemptFailedError(AttemptProblem.STANDSTILL, detail)
    return msgspec.structs.replace(attempt, result=failure, is_late=False)


def _raise_if_cancelled() -> None:
    """Raise the task's cancellation, which an endpoint may have turned into a failed attempt."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
