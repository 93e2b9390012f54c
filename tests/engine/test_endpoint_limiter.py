"""When the limiter of an endpoint gives which waiter a permit, on a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from pytest_ultra.core.transcript import EndReason, Reply
from pytest_ultra.engine.endpoint import CallFailed
from pytest_ultra.engine.endpoint_limiter import EndpointLimiter, Permit
from pytest_ultra.engine.limiter_state import LimiterState
from pytest_ultra.engine.limits import START_IN_FLIGHT, Limits
from pytest_ultra.errors import AttemptFailedError
from tests.engine.engine_fakes import DONE, VirtualClock, run, status

T = TypeVar("T")

WAY_OUT = "Start the run again later: it keeps what is finished, and asks the endpoint anew."


class Limited:
    """A limiter, and the seconds from the start at which each call got its permit."""

    def __init__(self, limits: Limits, old_pause_s: float = 0.0) -> None:
        self.clock = VirtualClock()
        self.clock.seconds = 1000.0
        state = LimiterState()
        with state as endpoint:
            endpoint.written_at, endpoint.paused_until, endpoint.window = 1000.0, 1000.0 + old_pause_s, 1.0
        self.limiter = EndpointLimiter(state.start(1000.0, START_IN_FLIGHT, 30.0), limits, self.clock)
        self.permitted: dict[int, float] = {}
        self.in_flight = self.most_in_flight = 0

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        async def whole() -> T:
            try:
                return await work()
            finally:
                self.limiter.close()

        return run(self.clock, whole())

    async def call(
        self, number: int = 0, result: Reply | AttemptFailedError = DONE, latency_s: float = 1.0, model: str = "m"
    ) -> CallFailed | None:
        permit = await self.limiter.acquire(model, 100.0)
        if isinstance(permit, CallFailed):
            return permit
        self.permitted[number] = self.clock.now() - 1000.0
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(latency_s)
        self.in_flight -= 1
        self.limiter.release(permit, result)
        return None

    async def call_all(self, calls: int) -> list[CallFailed | None]:
        return await asyncio.gather(*(self.call(number) for number in range(calls)))


def test_calls_are_evenly_spaced_in_the_order_in_which_they_came() -> None:
    limited = Limited(Limits(rpm=60))
    limited.run(lambda: limited.call_all(5))

    assert list(limited.permitted) == [0, 1, 2, 3, 4]
    assert [limited.permitted[number] for number in range(5)] == pytest.approx([0, 1.01, 2.02, 3.03, 4.04], abs=0.06)


def test_a_freed_slot_goes_to_the_first_waiter() -> None:
    limited = Limited(Limits(max_in_flight=2))
    limited.run(lambda: limited.call_all(6))

    assert [limited.permitted[number] for number in range(6)] == [0, 0, 1, 1, 2, 2]
    assert limited.most_in_flight == 2


def test_256_calls_are_in_flight_at_the_start() -> None:
    limited = Limited(Limits())
    limited.run(lambda: limited.call_all(300))

    assert sum(seconds == 0 for seconds in limited.permitted.values()) == 256


def test_tokens_are_taken_as_estimated_and_corrected_when_they_are_known() -> None:
    limited = Limited(Limits(tpm=6060))

    async def work() -> None:
        for number, tokens in enumerate((None, 600.0, 100.0)):
            permit = await limited.limiter.acquire("m", 100.0)
            assert isinstance(permit, Permit)
            limited.permitted[number] = limited.clock.now() - 1000
            limited.limiter.release(permit, DONE, tokens)
        await limited.limiter.acquire("m", 100.0)
        limited.permitted[3] = limited.clock.now() - 1000

    limited.run(work)

    assert [limited.permitted[number] for number in range(4)] == pytest.approx([0, 1, 7, 8], abs=0.1)


def test_retry_after_delays_all_calls() -> None:
    limited = Limited(Limits())

    async def work() -> None:
        await limited.call(0, status(429, 30.0))
        await limited.call_all(3)

    limited.run(work)

    assert [limited.permitted[number] for number in range(3)] == [31, 32, 32], "and one at a time at first"


def test_all_waiters_fail_when_the_endpoint_is_rejecting() -> None:
    limited = Limited(Limits(max_in_flight=1))

    async def work() -> tuple[list[CallFailed | None], float]:
        first = asyncio.ensure_future(limited.call(0, status(429, 900.0)))
        await asyncio.sleep(0.5)
        others = await limited.call_all(3)
        await first
        return [*others, await limited.call(9)], limited.clock.now() - 1000

    answers, seconds = limited.run(work)

    detail = f"The endpoint answers only with 429 (too many requests); the longest wait is 600 s. {WAY_OUT}"
    assert answers == [CallFailed(EndReason.RATE_LIMIT, detail)] * 4
    assert seconds == 1


def test_a_call_fails_at_once_if_the_endpoint_asks_for_too_long_a_wait() -> None:
    limited = Limited(Limits())

    async def work() -> CallFailed | None:
        await limited.call(0, status(503, 900.0))
        return await limited.call(1)

    detail = f"The endpoint asks for a wait of 900 s; the longest wait is 600 s. {WAY_OUT}"
    assert limited.run(work) == CallFailed(EndReason.RATE_LIMIT, detail)


def test_a_back_off_ends_when_the_endpoint_is_rejecting() -> None:
    limited = Limited(Limits())

    async def work() -> float:
        backing_off = asyncio.ensure_future(limited.limiter.back_off(25.0))
        await limited.call(0, status(429, 900.0))
        await backing_off
        return limited.clock.now() - 1000

    assert limited.run(work) == 1


def test_a_back_off_takes_its_whole_time_otherwise() -> None:
    limited = Limited(Limits())

    async def work() -> float:
        backing_off = asyncio.ensure_future(limited.limiter.back_off(25.0))
        await limited.call(0, status(429, 5.0))
        await backing_off
        return limited.clock.now() - 1000

    assert limited.run(work) == 25


def test_only_waiters_for_the_failed_model_are_cancelled() -> None:
    limited = Limited(Limits(max_in_flight=1))
    failure = CallFailed(EndReason.ENDPOINT, "wrong key")

    async def work() -> list[CallFailed | None]:
        tasks = [asyncio.ensure_future(limited.call(number, model=model)) for number, model in enumerate("aab")]
        await asyncio.sleep(0.5)
        limited.limiter.cancel_waiting("a", failure)
        return await asyncio.gather(*tasks)

    assert limited.run(work) == [None, failure, None]
    assert limited.permitted == {0: 0, 2: 1}


def test_a_cancelled_waiter_leaves_the_queue() -> None:
    limited = Limited(Limits(max_in_flight=1))

    async def work() -> None:
        tasks = [asyncio.ensure_future(limited.call(number)) for number in range(3)]
        await asyncio.sleep(0.5)
        tasks[1].cancel()
        await asyncio.wait(tasks)

    limited.run(work)

    assert limited.permitted == {0: 0, 2: 1}


def test_a_permit_is_released_if_its_waiter_is_cancelled_as_it_gets_it() -> None:
    limited = Limited(Limits(max_in_flight=1))

    async def work() -> None:
        permit = await limited.limiter.acquire("m")
        assert isinstance(permit, Permit)
        waiting = asyncio.ensure_future(limited.call(1))
        await asyncio.sleep(0)
        limited.limiter.release(permit, DONE)  # the waiter gets its permit
        waiting.cancel()
        await asyncio.wait([waiting])
        await limited.call(2)

    limited.run(work)

    assert limited.permitted == {2: 0}


def test_a_cancelled_attempt_releases_its_slot_and_changes_nothing_else() -> None:
    limited = Limited(Limits(max_in_flight=1))

    async def work() -> None:
        permit = await limited.limiter.acquire("m")
        assert isinstance(permit, Permit)
        limited.limiter.release(permit, None)
        await limited.call(1)

    limited.run(work)

    assert limited.permitted == {1: 0}


def test_a_permit_may_be_released_after_the_limiter_is_closed() -> None:
    limited = Limited(Limits())

    async def work() -> Permit:
        permit = await limited.limiter.acquire("m")
        assert isinstance(permit, Permit)
        return permit

    limited.limiter.release(limited.run(work), DONE)


@pytest.mark.parametrize(
    ("answer", "others_at"), [(DONE, 1), (status(500), 1), (status(429, 20.0), 21)], ids=["answered", "failed", "429"]
)
def test_one_call_probes_whether_the_pause_of_an_earlier_run_is_over(
    answer: Reply | AttemptFailedError, others_at: int
) -> None:
    limited = Limited(Limits(is_adaptive=False), old_pause_s=40.0)

    async def work() -> None:
        await asyncio.gather(limited.call(0, answer), limited.call(1), limited.call(2))

    limited.run(work)

    assert [limited.permitted[number] for number in range(3)] == [0, others_at, others_at]


def test_a_cancelled_probe_leaves_the_next_call_to_probe() -> None:
    limited = Limited(Limits(), old_pause_s=5000.0)

    async def work() -> list[CallFailed | None]:
        probe = await limited.limiter.acquire("m")
        assert isinstance(probe, Permit)
        waiting = asyncio.ensure_future(limited.call_all(3))
        await asyncio.sleep(5.0)
        limited.limiter.release(probe, None)
        return await waiting

    assert limited.run(work) == [None] * 3
    assert limited.permitted == {0: 5, 1: 6, 2: 6}


@pytest.mark.parametrize("seconds", [1e10, float("inf"), 1e308])
def test_a_pause_lasts_at_most_a_day(seconds: float) -> None:
    limited = Limited(Limits())

    async def work() -> CallFailed | None:
        await limited.call(0, status(503, seconds))
        return await limited.call(1)

    failure = limited.run(work)

    assert failure is not None
    assert failure.detail.startswith("The endpoint asks for a wait of 86400 s; the longest wait is 600 s.")
