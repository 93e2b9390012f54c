"""When a model fails, attempts at it in progress end at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import Attempted, Reply
from pytest_ultra.engine.attempts import CANCELLED
from pytest_ultra.engine.endpoint import CallFailed
from pytest_ultra.engine.limiter import Unlimited
from pytest_ultra.engine.retry import Caller
from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from tests.engine.engine_fakes import DONE, FakeEndpoint, VirtualClock, make_case, make_request, run, status

SLOW_S = 60.0


async def reject_the_first(request: ChatRequest) -> Reply:
    await asyncio.sleep(1.0 if request.case.instance == 0 else SLOW_S)
    if request.case.instance == 0:
        raise status(401)
    return DONE


class RecordingLimiter(Unlimited):
    """Records the results of attempts."""

    def __init__(self) -> None:
        self.results: list[Reply | AttemptFailedError | None] = []

    def release(self, permit: object, result: Reply | AttemptFailedError | None) -> None:
        del permit
        self.results.append(result)


@dataclass
class Calls:
    """The results of calls that were made together."""

    results: list[Reply | CallFailed]
    seconds: float
    attempts: list[Attempted] = field(default_factory=list)


def call_together(models: list[str], limiter: RecordingLimiter, *, limit_s: float | None = None) -> Calls:
    clock = VirtualClock()
    attempts: list[Attempted] = []
    caller = Caller(FakeEndpoint(reject_the_first), clock, limiter=limiter)

    async def call_all() -> list[Reply | CallFailed]:
        requests = [make_request(make_case(instance, model=model)) for instance, model in enumerate(models)]
        return await asyncio.gather(*(caller.call(request, attempts.append, limit_s) for request in requests))

    return Calls(run(clock, call_all()), clock.seconds, attempts)


@pytest.mark.parametrize("limit_s", [None, 30.0])
def test_all_attempts_at_a_failed_model_end_with_it(limit_s: float | None) -> None:
    limiter = RecordingLimiter()
    calls = call_together(["m"] * 3, limiter, limit_s=limit_s)
    assert calls.seconds == 1.0
    assert isinstance(calls.results[0], CallFailed)
    assert calls.results == [calls.results[0]] * 3
    cancelled = [(attempt.problem, attempt.detail) for attempt in calls.attempts[1:]]
    assert cancelled == [(AttemptProblem.DROPPED, CANCELLED)] * 2
    assert limiter.results[1:] == [None, None]


def test_attempts_at_other_models_continue() -> None:
    calls = call_together(["m", "other"], RecordingLimiter())
    assert calls.results[1] == DONE
    assert calls.seconds == SLOW_S
