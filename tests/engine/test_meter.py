"""A meter counts what an engine is at, as it happens."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from pytest_ultra.core.prices import Price
from pytest_ultra.core.progress import Burden, Cohort, ShardProgress
from pytest_ultra.engine.limiter import UNLIMITED
from pytest_ultra.engine.meter import Meter, MeteredEndpoint, MeteredLimiter
from pytest_ultra.errors import AttemptFailedError
from tests.engine.engine_fakes import DONE, VirtualClock, make_case, make_request, run, scripted, status, steady

START = ShardProgress(number=0, worker="gw0", planned=3, slots=4, most_answers=30)
PRICE = Price(prompt=1_000_000, completion=2_000_000)


def test_it_begins_with_what_is_known_and_counts_nothing_yet() -> None:
    assert Meter(START, {}).read() == START
    assert Meter(START, {make_case(0).model: PRICE}).read() == msgspec.structs.replace(START, cost=0.0)


def test_an_answer_is_counted_with_its_tokens_its_price_and_its_time() -> None:
    clock = VirtualClock()
    case = make_case(0)
    meter = Meter(START, {case.model: PRICE}, clock.now)
    meter.plan(case, 5)
    endpoint = MeteredEndpoint(steady(3.0), meter)
    assert run(clock, endpoint.attempt(make_request(case))) == DONE
    told = meter.read()
    assert (told.answers, told.latency_s, told.latency_s2, told.tokens) == (1, 3.0, 9.0, 12)
    assert told.cost == 10 * 1 + 2 * 2
    assert told.ahead == (Cohort(5, 1, 1),)
    assert told.under_way == pytest.approx(0.2)
    assert told.burden.calls == 1


def test_calls_are_in_flight_until_they_end_however_they_do() -> None:
    clock = VirtualClock()
    meter = Meter(START, {}, clock.now)
    endpoint = MeteredEndpoint(scripted([status(500), DONE]), meter)

    async def watch() -> list[int]:
        asked = asyncio.ensure_future(endpoint.attempt(make_request(make_case(0))))
        await asyncio.sleep(0.5)
        seen = [meter.read().in_flight]
        with pytest.raises(AttemptFailedError):
            await asked
        cut = asyncio.ensure_future(endpoint.attempt(make_request(make_case(0))))
        await asyncio.sleep(0.5)
        cut.cancel()
        await asyncio.wait([cut])
        return [*seen, meter.read().in_flight]

    assert run(clock, watch()) == [1, 0]
    assert meter.read().answers == 0


def test_whoever_backs_off_waits() -> None:
    clock = VirtualClock()
    meter = Meter(START, {}, clock.now)
    limiter = MeteredLimiter(UNLIMITED, meter)

    async def watch() -> int:
        resting = asyncio.ensure_future(limiter.rest("model", 2.0))
        await asyncio.sleep(1.0)
        waiting = meter.read().waiting
        await resting
        assert await limiter.enter(make_request(make_case(0))) is None
        return waiting

    assert run(clock, watch()) == 1
    assert meter.read().waiting == 0


def test_a_case_is_counted_once_however_often_it_is_lived() -> None:
    meter = Meter(START, {})
    fresh, reused, inherited = (make_case(number) for number in range(3))
    meter.plan(fresh, 5)
    for _ in range(2):
        meter.keep(reused, is_reused=True)
        meter.keep(inherited, is_reused=False)
        meter.plan(fresh, 5)
        meter.finish(fresh)
    told = meter.read()
    assert (told.done, told.reused, told.ended, told.ahead) == (3, 1, (Cohort(5, 0, 1),), ())


def test_an_heir_goes_on_from_what_was_spent_and_learnt() -> None:
    left = {"reused": 1, "answers": 7, "latency_s": 9.0, "tokens": 100, "cost": 0.5, "ended": (Cohort(5, 5, 1),)}
    meter = Meter(msgspec.structs.replace(START, **left), {})
    meter.plan(make_case(0), 6)
    meter.finish(make_case(0))
    told = meter.read()
    assert (told.answers, told.tokens, told.cost) == (7, 100, 0.5)
    assert told.ended == (Cohort(5, 5, 1), Cohort(6, 0, 1))


def test_a_burden_holds_what_a_line_is_fitted_by() -> None:
    burden = Burden().plus(1.0, 2.0).plus(3.0, 4.0)
    assert burden == Burden(calls=2, x=4.0, y=6.0, xx=10.0, xy=14.0, yy=20.0)
