"""Several endpoints of one model share its calls; one that fails is paused, and no episode is lost."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import Attempted, EndReason, Reply
from pytest_ultra.engine.endpoint import CallFailed
from pytest_ultra.engine.endpoint_pool import FAILURES_BEFORE_PAUSE, PAUSE_S
from pytest_ultra.engine.limiter import open_limiter
from pytest_ultra.engine.limits import Limits
from pytest_ultra.engine.retry import Caller
from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from tests.engine.engine_fakes import DONE, FakeEndpoint, VirtualClock, make_case, make_request, problem, run, status

Answer = Callable[[float], Reply | AttemptFailedError]
"""Returns what an endpoint answers at a time, in seconds from the start."""


def healthy(_now: float) -> Reply:
    return DONE


class PooledCaller:
    """A caller with a limiter over one endpoint for each answer; calls take a second."""

    def __init__(self, folder: Path, *answers: Answer, limits: Limits | None = None) -> None:
        self.clock = VirtualClock()
        self.clock.seconds = 1000.0
        self.requests: list[tuple[float, int]] = []
        names = [f"endpoint-{number}" for number in range(len(answers))]
        self.limiter, _ = open_limiter({"m": names}, limits or Limits(), folder=folder, clock=self.clock)
        endpoint = FakeEndpoint(self._respond)
        self.caller = Caller(endpoint, self.clock, limiter=self.limiter, jitter=lambda _case, _turn, _attempt: 0.5)
        self.attempts: list[Attempted] = []
        self._answers = answers

    @property
    def shares(self) -> Counter[int]:
        return Counter(route for _, route in self.requests)

    def call(self, calls: int, every_s: float = 0.0) -> list[Reply | CallFailed]:
        async def call(instance: int) -> Reply | CallFailed:
            await asyncio.sleep(instance * every_s)
            return await self.caller.call(make_request(make_case(instance)), self.attempts.append)

        async def call_all() -> list[Reply | CallFailed]:
            answers = await asyncio.gather(*map(call, range(calls)))
            self.limiter.close()
            return answers

        return run(self.clock, call_all())

    async def _respond(self, request: ChatRequest) -> Reply:
        started_s = self.clock.seconds - 1000.0
        self.requests.append((started_s, request.route))
        await asyncio.sleep(1.0)
        answer = self._answers[request.route](started_s)
        if isinstance(answer, AttemptFailedError):
            raise answer
        return answer


def test_calls_are_spread_by_free_capacity(tmp_path: Path) -> None:
    pooled = PooledCaller(tmp_path, healthy, healthy, healthy)
    assert pooled.call(90) == [DONE] * 90
    assert pooled.shares == {0: 30, 1: 30, 2: 30}


def test_each_endpoint_has_its_own_limits(tmp_path: Path) -> None:
    pooled = PooledCaller(tmp_path, healthy, healthy, limits=Limits(max_in_flight=2))
    assert pooled.call(8) == [DONE] * 8
    assert pooled.clock.seconds == 1002, "four at a time"


def test_an_endpoint_that_asks_for_a_wait_gets_no_calls(tmp_path: Path) -> None:
    pooled = PooledCaller(tmp_path, lambda now: DONE if now > 0 else status(429, retry_after_s=60), healthy)
    assert pooled.call(20, every_s=2) == [DONE] * 20
    assert pooled.shares == {0: 1, 1: 20}


@pytest.mark.parametrize("kind", [AttemptProblem.DROPPED, AttemptProblem.TIMEOUT])
def test_an_unhealthy_endpoint_is_paused_probed_and_used_again(tmp_path: Path, kind: AttemptProblem) -> None:
    pooled = PooledCaller(tmp_path, lambda now: problem(kind) if now < 30 else DONE, healthy)
    assert pooled.call(200, every_s=0.5) == [DONE] * 200, "no episode is lost"
    starts = [start_s for start_s, route in pooled.requests if route == 0 and start_s < 30]
    gaps_s = [PAUSE_S, *(later_s - start_s for start_s, later_s in itertools.pairwise(starts))]
    after_gaps = [start_s for start_s, gap_s in zip(starts, gaps_s, strict=True) if gap_s >= PAUSE_S]
    assert len(after_gaps) == 3
    assert after_gaps[2] - after_gaps[1] >= 2 * PAUSE_S, "each pause is twice as long as the last"
    assert len(starts) - len(after_gaps) <= FAILURES_BEFORE_PAUSE, "after the first pause, there are only single probes"
    assert sum(start_s > 70 for start_s, route in pooled.requests if route == 0) > 10, "then it gets its share again"


def test_waiters_for_an_endpoint_that_becomes_unhealthy_move_to_another(tmp_path: Path) -> None:
    pooled = PooledCaller(tmp_path, lambda _: problem(AttemptProblem.DROPPED), healthy, limits=Limits(max_in_flight=3))
    assert pooled.call(30) == [DONE] * 30
    assert pooled.shares[0] <= 2 * FAILURES_BEFORE_PAUSE
    assert pooled.shares[1] == 30


@pytest.mark.parametrize("code", [401, 403, 404])
def test_an_endpoint_that_rejects_the_key_or_the_model_gets_no_more_calls(tmp_path: Path, code: int) -> None:
    pooled = PooledCaller(tmp_path, lambda _: status(code), healthy)
    assert pooled.call(10, every_s=2) == [DONE] * 10
    assert pooled.shares == {0: 1, 1: 10}
    [failed] = [attempt for attempt in pooled.attempts if attempt.problem]
    assert (failed.status, failed.wait_s) == (code, 0.0)


def test_a_model_fails_when_all_of_its_endpoints_have_failed(tmp_path: Path) -> None:
    pooled = PooledCaller(tmp_path, lambda _: status(401), lambda _: status(404), limits=Limits(rpm=6))
    answers = pooled.call(50)
    assert {answer.reason for answer in answers if isinstance(answer, CallFailed)} == {EndReason.ENDPOINT}
    assert len(answers) == 50
    assert pooled.shares == {0: 1, 1: 1}


def test_if_all_endpoints_are_unhealthy_a_turn_fails_as_with_one(tmp_path: Path) -> None:
    pooled = PooledCaller(tmp_path, lambda _: status(500), lambda _: status(500))
    [answer] = pooled.call(1)
    assert isinstance(answer, CallFailed)
    assert "after 6 attempts" in answer.detail


def test_too_long_a_wait_excludes_only_the_endpoint_that_asks_for_it(tmp_path: Path) -> None:
    pooled = PooledCaller(tmp_path, lambda _: status(429, retry_after_s=9999), healthy)
    assert pooled.call(5, every_s=2) == [DONE] * 5
    assert pooled.shares == {0: 1, 1: 5}
