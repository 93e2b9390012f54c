"""The meter counts an engine's calls, answers, tokens and cost as they happen."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from pytest_ultra.core.episode import Outcome
from pytest_ultra.core.prices import Price
from pytest_ultra.core.progress import Burden, Cohort, ModelTally, ShardProgress
from pytest_ultra.engine.limiter import UNLIMITED
from pytest_ultra.engine.meter import Meter, MeteredEndpoint, MeteredLimiter
from pytest_ultra.errors import AttemptFailedError
from tests.engine.engine_fakes import DONE, VirtualClock, make_case, make_request, run, scripted, status, steady

START = ShardProgress(number=0, worker="gw0", planned=3, slots=4, most_answers=30)
PRICE = Price(prompt=1_000_000, completion=2_000_000)


def test_a_new_meter_reads_its_start() -> None:
    assert Meter(START, {}).read() == START
    assert Meter(START, {make_case(0).model: PRICE}).read() == msgspec.structs.replace(START, cost=0.0)


def test_an_answer_is_counted_with_its_tokens_cost_and_latency() -> None:
    clock = VirtualClock()
    case = make_case(0)
    meter = Meter(START, {case.model: PRICE}, clock.now)
    meter.plan(case, lambda: 5)
    endpoint = MeteredEndpoint(steady(3.0), meter)
    assert run(clock, endpoint.attempt(make_request(case))) == DONE
    progress = meter.read()
    assert (progress.answers, progress.latency_s, progress.latency_s2, progress.tokens) == (1, 3.0, 9.0, 12)
    assert progress.cost == 10 * 1 + 2 * 2
    assert progress.ahead == (Cohort(5, 1, 1),)
    assert progress.under_way == pytest.approx(0.2)
    assert progress.burden.calls == 1


def test_calls_are_in_flight_until_they_succeed_fail_or_are_cancelled() -> None:
    clock = VirtualClock()
    meter = Meter(START, {}, clock.now)
    endpoint = MeteredEndpoint(scripted([status(500), DONE]), meter)

    async def watch() -> list[int]:
        call = asyncio.ensure_future(endpoint.attempt(make_request(make_case(0))))
        await asyncio.sleep(0.5)
        seen = [meter.read().in_flight]
        with pytest.raises(AttemptFailedError):
            await call
        cancelled = asyncio.ensure_future(endpoint.attempt(make_request(make_case(0))))
        await asyncio.sleep(0.5)
        cancelled.cancel()
        await asyncio.wait([cancelled])
        return [*seen, meter.read().in_flight]

    assert run(clock, watch()) == [1, 0]
    assert meter.read().answers == 0


def test_a_call_that_backs_off_is_counted_as_waiting() -> None:
    clock = VirtualClock()
    meter = Meter(START, {}, clock.now)
    limiter = MeteredLimiter(UNLIMITED, meter)

    async def watch() -> int:
        backing_off = asyncio.ensure_future(limiter.back_off("model", 2.0))
        await asyncio.sleep(1.0)
        waiting = meter.read().waiting
        await backing_off
        assert await limiter.acquire(make_request(make_case(0))) is None
        return waiting

    assert run(clock, watch()) == 1
    assert meter.read().waiting == 0


def test_a_case_is_counted_once_even_if_it_is_run_again() -> None:
    meter = Meter(START, {})
    new, reused, finished = (make_case(number) for number in range(3))
    meter.plan(new, lambda: 5)
    for _ in range(2):
        meter.add_finished(reused, is_reused=True)
        meter.add_finished(finished, is_reused=False)
        meter.plan(new, lambda: 5)
        meter.finish(new)
    progress = meter.read()
    assert (progress.done, progress.reused, progress.ended, progress.ahead) == (3, 1, (Cohort(5, 0, 1),), ())


def test_a_replacement_worker_continues_the_counts() -> None:
    counts = {"reused": 1, "answers": 7, "latency_s": 9.0, "tokens": 100, "cost": 0.5, "ended": (Cohort(5, 5, 1),)}
    meter = Meter(msgspec.structs.replace(START, **counts), {})
    meter.plan(make_case(0), lambda: 6)
    meter.finish(make_case(0))
    progress = meter.read()
    assert (progress.answers, progress.tokens, progress.cost) == (7, 100, 0.5)
    assert progress.ended == (Cohort(5, 5, 1), Cohort(6, 0, 1))


def test_finished_cases_are_counted_by_model_and_result() -> None:
    meter = Meter(START, {}, passing=(Outcome.FULL, Outcome.PARTIAL))
    outcomes = [Outcome.FULL, Outcome.PARTIAL, Outcome.FAILED, Outcome.ERROR, Outcome.SKIPPED]
    cases = [msgspec.structs.replace(make_case(number), model="a") for number in range(5)]
    for case, outcome in zip(cases, outcomes, strict=True):
        meter.plan(case, lambda: 5)
        meter.finish(case, outcome)
        meter.finish(case, outcome)
    other = msgspec.structs.replace(make_case(9), model="b")
    meter.add_finished(other, is_reused=True, outcome=Outcome.FAILED)
    assert meter.read().tallies == (ModelTally("a", 1, 2, 1, 1), ModelTally("b", 0, 0, 1, 0))


def test_a_call_that_is_to_be_tried_again_is_counted_apart() -> None:
    meter = Meter(START, {})
    meter.add_waiting(2)
    meter.add_waiting(1, is_backing_off=True)
    assert (meter.read().waiting, meter.read().backing_off) == (3, 1)


def test_a_burden_holds_the_sums_of_a_line_fit() -> None:
    burden = Burden().plus(1.0, 2.0).plus(3.0, 4.0)
    assert burden == Burden(calls=2, x=4.0, y=6.0, xx=10.0, xy=14.0, yy=20.0)


def test_what_the_endpoint_said_last_is_shown_while_calls_wait_for_a_minute() -> None:
    clock = VirtualClock()
    meter = Meter(START, {}, clock.now)
    endpoint = MeteredEndpoint(scripted([status(429)]), meter)

    async def watch() -> list[str]:
        with pytest.raises(AttemptFailedError):
            await endpoint.attempt(make_request(make_case(0)))
        seen = [meter.read().said]
        meter.add_waiting(1)
        seen.append(meter.read().said)
        await asyncio.sleep(61)
        return [*seen, meter.read().said]

    assert run(clock, watch()) == ["", str(status(429)), ""]
