"""The line before an endpoint: who is let in when, on a clock without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from pytest_ultra.core.transcript import EndReason, Reply
from pytest_ultra.engine.endpoint_limiter import Gate, Permit
from pytest_ultra.engine.given_up import GivenUp
from pytest_ultra.engine.limiter_state import Ledger
from pytest_ultra.engine.limits import START_IN_FLIGHT, Limits
from pytest_ultra.errors import AttemptFailedError
from tests.engine.engine_fakes import DONE, VirtualClock, run, status

T = TypeVar("T")


class Street:
    """A gate, and what cases lived through: when each one was let in."""

    def __init__(self, limits: Limits) -> None:
        self.clock = VirtualClock()
        self.clock.seconds = 1000.0
        self.gate = Gate(Ledger().begin(1000.0, START_IN_FLIGHT), limits, self.clock)
        self.let_in: dict[int, float] = {}
        self.in_flight = self.most_in_flight = 0

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        async def whole() -> T:
            try:
                return await work()
            finally:
                self.gate.close()

        return run(self.clock, whole())

    async def call(
        self, number: int = 0, result: Reply | AttemptFailedError = DONE, latency_s: float = 1.0, model: str = "m"
    ) -> GivenUp | None:
        permit = await self.gate.enter(model, 100.0)
        if isinstance(permit, GivenUp):
            return permit
        self.let_in[number] = self.clock.now() - 1000.0
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(latency_s)
        self.in_flight -= 1
        self.gate.leave(permit, result)
        return None

    async def call_all(self, calls: int) -> list[GivenUp | None]:
        return await asyncio.gather(*(self.call(number) for number in range(calls)))


def test_calls_are_evenly_spaced_in_the_order_in_which_they_came() -> None:
    street = Street(Limits(rpm=60))
    street.run(lambda: street.call_all(5))

    assert list(street.let_in) == [0, 1, 2, 3, 4]
    assert [street.let_in[number] for number in range(5)] == pytest.approx([0, 1.01, 2.02, 3.03, 4.04], abs=0.06)


def test_a_freed_slot_goes_to_the_first_in_line() -> None:
    street = Street(Limits(max_in_flight=2))
    street.run(lambda: street.call_all(6))

    assert [street.let_in[number] for number in range(6)] == [0, 0, 1, 1, 2, 2]
    assert street.most_in_flight == 2


def test_256_calls_are_in_flight_at_once_to_begin_with() -> None:
    street = Street(Limits())
    street.run(lambda: street.call_all(300))

    assert sum(at == 0 for at in street.let_in.values()) == 256


def test_tokens_are_taken_as_estimated_and_settled_when_they_are_known() -> None:
    street = Street(Limits(tpm=6060))

    async def work() -> None:
        for number, tokens in enumerate((None, 600.0, 100.0)):
            permit = await street.gate.enter("m", 100.0)
            assert isinstance(permit, Permit)
            street.let_in[number] = street.clock.now() - 1000
            street.gate.leave(permit, DONE, tokens)
        await street.gate.enter("m", 100.0)
        street.let_in[3] = street.clock.now() - 1000

    street.run(work)

    assert [street.let_in[number] for number in range(4)] == pytest.approx([0, 1, 7, 8], abs=0.1)


def test_retry_after_holds_everyone_up() -> None:
    street = Street(Limits())

    async def work() -> None:
        await street.call(0, status(429, 30.0))
        await street.call_all(3)

    street.run(work)

    assert [street.let_in[number] for number in range(3)] == [31, 32, 32], "and with one at a time, to begin with"


def test_all_who_wait_are_turned_away_when_patience_is_at_its_end() -> None:
    street = Street(Limits(max_in_flight=1))

    async def work() -> tuple[list[GivenUp | None], float]:
        first = asyncio.ensure_future(street.call(0, status(429, 900.0)))
        await asyncio.sleep(0.5)
        others = await street.call_all(3)
        await first
        return [*others, await street.call(9)], street.clock.now() - 1000

    answers, seconds = street.run(work)

    detail = "The endpoint says 429 (too many requests), and nothing else for as long as we wait: 600 s."
    assert answers == [GivenUp(EndReason.RATE_LIMIT, detail)] * 4
    assert seconds == 1


def test_an_endpoint_that_answers_but_asks_for_too_long_a_wait_is_given_up() -> None:
    street = Street(Limits())

    async def work() -> GivenUp | None:
        await street.call(0, status(503, 900.0))
        return await street.call(1)

    detail = "The endpoint asks for a wait of 900 s; we wait 600 s at most."
    assert street.run(work) == GivenUp(EndReason.RATE_LIMIT, detail)


def test_who_backs_off_is_woken_by_the_verdict() -> None:
    street = Street(Limits())

    async def work() -> float:
        resting = asyncio.ensure_future(street.gate.rest(25.0))
        await street.call(0, status(429, 900.0))
        await resting
        return street.clock.now() - 1000

    assert street.run(work) == 1


def test_backing_off_takes_its_time_otherwise() -> None:
    street = Street(Limits())

    async def work() -> float:
        resting = asyncio.ensure_future(street.gate.rest(25.0))
        await street.call(0, status(429, 5.0))
        await resting
        return street.clock.now() - 1000

    assert street.run(work) == 25


def test_only_those_who_wait_for_a_model_that_is_given_up_are_dismissed() -> None:
    street = Street(Limits(max_in_flight=1))
    verdict = GivenUp(EndReason.ENDPOINT, "wrong key")

    async def work() -> list[GivenUp | None]:
        tasks = [asyncio.ensure_future(street.call(number, model=model)) for number, model in enumerate("aab")]
        await asyncio.sleep(0.5)
        street.gate.dismiss("a", verdict)
        return await asyncio.gather(*tasks)

    assert street.run(work) == [None, verdict, None]
    assert street.let_in == {0: 0, 2: 1}


def test_whoever_is_cancelled_in_line_leaves_it() -> None:
    street = Street(Limits(max_in_flight=1))

    async def work() -> None:
        tasks = [asyncio.ensure_future(street.call(number)) for number in range(3)]
        await asyncio.sleep(0.5)
        tasks[1].cancel()
        await asyncio.wait(tasks)

    street.run(work)

    assert street.let_in == {0: 0, 2: 1}


def test_a_permit_is_given_back_when_its_case_is_cancelled_in_the_moment_of_its_turn() -> None:
    street = Street(Limits(max_in_flight=1))

    async def work() -> None:
        permit = await street.gate.enter("m")
        assert isinstance(permit, Permit)
        waiting = asyncio.ensure_future(street.call(1))
        await asyncio.sleep(0)
        street.gate.leave(permit, DONE)  # the turn of the one who waits
        waiting.cancel()
        await asyncio.wait([waiting])
        await street.call(2)

    street.run(work)

    assert street.let_in == {2: 0}


def test_an_attempt_that_was_cut_off_gives_its_slot_back_and_teaches_nothing() -> None:
    street = Street(Limits(max_in_flight=1))

    async def work() -> None:
        permit = await street.gate.enter("m")
        assert isinstance(permit, Permit)
        street.gate.leave(permit, None)
        await street.call(1)

    street.run(work)

    assert street.let_in == {1: 0}


def test_a_closed_gate_lets_stragglers_leave() -> None:
    street = Street(Limits())

    async def work() -> Permit:
        permit = await street.gate.enter("m")
        assert isinstance(permit, Permit)
        return permit

    street.gate.leave(street.run(work), DONE)
