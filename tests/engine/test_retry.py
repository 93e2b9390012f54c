"""The one retry loop: what is tried again, how long is waited, and when an endpoint is given up."""

from __future__ import annotations

import asyncio

import pytest

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import Attempted, EndReason, Reply
from pytest_ultra.engine.backoff import RetryPolicy, Tried, decide, keyed_chance
from pytest_ultra.engine.endpoint_limiter import Permit
from pytest_ultra.engine.given_up import GivenUp
from pytest_ultra.engine.limiter import Unlimited
from pytest_ultra.engine.retry import Caller
from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from tests.engine.engine_fakes import (
    DONE,
    FakeEndpoint,
    VirtualClock,
    hanging,
    make_caller,
    make_case,
    make_request,
    problem,
    run,
    scripted,
    status,
    steady,
)

POLICY = RetryPolicy()


def ask(
    endpoint: FakeEndpoint, *, policy: RetryPolicy = POLICY, limit_s: float | None = None
) -> tuple[Reply | GivenUp, list[Attempted], float]:
    """Ask once on a virtual clock; return what came of it, the attempts, and the seconds it took."""
    clock = VirtualClock()
    attempts: list[Attempted] = []
    request = make_request(make_case())
    result = run(clock, make_caller(endpoint, clock, policy).ask(request, attempts.append, limit_s))
    return result, attempts, clock.seconds


@pytest.mark.parametrize(
    "failure",
    [
        *[status(code) for code in (408, 409, 429, 500, 502, 503, 504, 529)],
        problem(AttemptProblem.REFUSED),
        problem(AttemptProblem.DROPPED),
        problem(AttemptProblem.TIMEOUT),
        problem(AttemptProblem.MALFORMED),
    ],
    ids=str,
)
def test_a_passing_trouble_is_tried_again(failure: AttemptFailedError) -> None:
    result, attempts, _ = ask(scripted([failure, DONE]))

    assert result == DONE
    assert [(attempt.problem, attempt.status) for attempt in attempts] == [
        (failure.problem, failure.status),
        (None, None),
    ]


@pytest.mark.parametrize("code", [302, 400, 401, 402, 403, 404, 405, 413, 422])
def test_a_rejection_is_final(code: int) -> None:
    result, attempts, _ = ask(scripted([status(code), DONE]))

    assert isinstance(result, GivenUp)
    assert result.reason is EndReason.ENDPOINT
    assert f"status {code}: from the server" in result.detail
    assert len(attempts) == 1


def test_a_rejected_request_says_what_the_server_said() -> None:
    result, _, _ = ask(scripted([status(400)]))

    assert result == GivenUp(EndReason.ENDPOINT, "The endpoint rejects the request (status 400: from the server).")


def test_an_endpoint_that_keeps_failing_is_given_up_after_six_attempts() -> None:
    result, attempts, _ = ask(scripted([status(500)]))

    detail = "No answer after 6 attempts; the last one: status 500: from the server."
    assert result == GivenUp(EndReason.ENDPOINT, detail)
    assert len(attempts) == 6


def test_waits_double_up_to_a_cap_and_are_in_the_transcript() -> None:
    _, attempts, seconds = ask(scripted([status(500)]), policy=RetryPolicy(backoff_cap_s=3.0))

    assert [attempt.wait_s for attempt in attempts] == [0.375, 0.75, 1.5, 2.25, 2.25, 0.0]
    assert [attempt.duration_s for attempt in attempts] == pytest.approx([1.0] * 6)
    assert seconds == pytest.approx(6 + 7.125)


@pytest.mark.parametrize(("chance", "wait_s"), [(0.0, 0.25), (0.5, 0.375), (0.999999, 0.5)])
def test_chance_spreads_a_wait_over_its_upper_half(chance: float, wait_s: float) -> None:
    assert decide(status(500), Tried(1, 1), POLICY, chance) == pytest.approx(wait_s, abs=1e-6)


def test_chance_repeats_for_the_same_attempt_and_differs_for_others() -> None:
    case, other = make_case(0), make_case(1)
    keys = [(case, 1, 1), (case, 1, 2), (case, 2, 1), (other, 1, 1)]

    chances = [keyed_chance(*key) for key in keys]

    assert chances == [keyed_chance(*key) for key in keys]
    assert len(set(chances)) == 4
    assert all(0 <= chance < 1 for chance in chances)


@pytest.mark.parametrize("code", [429, 503])
def test_what_the_endpoint_asks_for_is_waited_at_least_and_little_more(code: int) -> None:
    wait_s = decide(status(code, retry_after_s=7.0), Tried(1, 1), POLICY, 0.5)

    assert wait_s == pytest.approx(7.35)


def test_an_endpoint_that_asks_for_no_time_at_all_is_not_hammered() -> None:
    for retry_after_s in (0.0, 0.001, -5.0):
        wait_s = decide(status(429, retry_after_s), Tried(0, 1), POLICY, 0.0)
        assert isinstance(wait_s, float)
        assert wait_s >= 0.25


def test_429s_use_up_no_attempts() -> None:
    result, attempts, _ = ask(scripted([*[status(429, 2.0)] * 20, *[status(500)] * 5, DONE]))

    assert result == DONE
    assert len(attempts) == 26


def test_429s_end_after_ten_minutes_of_waiting() -> None:
    result, attempts, _ = ask(scripted([status(429)]))

    assert isinstance(result, GivenUp)
    assert result.reason is EndReason.RATE_LIMIT
    assert sum(attempt.wait_s for attempt in attempts) == pytest.approx(600)
    assert result.detail == (
        f"Waited 600 s of at most 600 s for the endpoint; {len(attempts)} attempts, "
        "the last one: status 429: from the server."
    )


@pytest.mark.parametrize(("code", "reason"), [(429, EndReason.RATE_LIMIT), (503, EndReason.ENDPOINT)])
def test_an_endpoint_that_asks_for_more_than_there_is_patience_for_is_given_up_at_once(
    code: int, reason: EndReason
) -> None:
    result, attempts, seconds = ask(scripted([status(code, retry_after_s=3600.0)]))

    assert result == GivenUp(
        reason,
        "Waited 0 s of at most 600 s for the endpoint, which now asks for 3600 s more; "
        f"1 attempts, the last one: status {code}: from the server.",
    )
    assert len(attempts) == 1
    assert seconds == pytest.approx(1)


def test_an_attempt_that_hangs_is_cut_off_and_tried_again() -> None:
    result, attempts, _ = ask(hanging(), policy=RetryPolicy(attempts=2, attempt_timeout_s=120.0))

    assert isinstance(result, GivenUp)
    assert result.reason is EndReason.ENDPOINT
    assert [(attempt.problem, attempt.detail) for attempt in attempts] == [("timeout", "no answer within 120 s")] * 2
    assert [attempt.duration_s for attempt in attempts] == pytest.approx([120, 120])


def test_the_episodes_limit_cuts_a_hanging_attempt_for_good() -> None:
    result, attempts, seconds = ask(hanging(), limit_s=30.0)

    assert result == GivenUp(EndReason.AGENT_TIMEOUT, "The episode's time limit ran out.")
    assert [attempt.problem for attempt in attempts] == ["timeout"]
    assert seconds == pytest.approx(30)


def test_failed_attempts_and_waits_do_not_count_into_the_episodes_limit() -> None:
    result, attempts, seconds = ask(scripted([status(500), status(500), status(500), DONE]), limit_s=1.5)

    assert result == DONE
    assert len(attempts) == 4
    assert seconds > 1.5


def test_a_timeout_that_an_endpoint_takes_for_a_broken_connection_is_still_a_timeout() -> None:
    async def respond(_: ChatRequest) -> Reply:
        try:
            await asyncio.sleep(1e9)
        except asyncio.CancelledError:
            raise problem(AttemptProblem.DROPPED) from None
        return DONE

    _, attempts, _ = ask(FakeEndpoint(respond), policy=RetryPolicy(attempts=1))

    assert [attempt.problem for attempt in attempts] == ["timeout"]


class Shared:
    """A caller used by several cases one after another."""

    def __init__(self, endpoint: FakeEndpoint) -> None:
        self.clock = VirtualClock()
        self.caller = make_caller(endpoint, self.clock)
        self.endpoint = endpoint

    def ask(self, instance: int, model: str = "m") -> Reply | GivenUp:
        request = make_request(make_case(instance, model=model))
        return run(self.clock, self.caller.ask(request, lambda _: None))


REFUSED = problem(AttemptProblem.REFUSED)


def test_an_endpoint_that_never_answered_and_refuses_three_times_is_dead_for_its_model_alone() -> None:
    shared = Shared(scripted([REFUSED], latency_s=0.001))
    dead = GivenUp(
        EndReason.ENDPOINT,
        "The endpoint of model 'm' has never answered and refused 3 times within 5 s "
        "(refused: from the network): check that it is running and that the base URL is right.",
    )

    assert shared.ask(0) == dead
    assert len(shared.endpoint.requests) == 3
    assert shared.ask(1) == dead
    assert len(shared.endpoint.requests) == 3
    assert shared.ask(0, model="other") != dead
    assert len(shared.endpoint.requests) == 6


def test_refusals_that_are_far_apart_do_not_kill() -> None:
    result, attempts, _ = ask(scripted([REFUSED], latency_s=3.0))

    assert isinstance(result, GivenUp)
    assert result.detail == "No answer after 6 attempts; the last one: refused: from the network."
    assert len(attempts) == 6


@pytest.mark.parametrize("answer", [DONE, status(500)], ids=["reply", "500"])
def test_an_endpoint_that_has_answered_once_is_not_dead(answer: Reply | AttemptFailedError) -> None:
    shared = Shared(scripted([answer, *[REFUSED] * 4, DONE], latency_s=0.001))

    assert [shared.ask(0), shared.ask(1)][0 if isinstance(answer, AttemptFailedError) else 1] == DONE


@pytest.mark.parametrize(
    ("code", "way_out"),
    [
        (401, "check the API key"),
        (403, "check that the API key may use this model"),
        (404, "check the model's name and the base URL"),
    ],
)
def test_a_wrong_key_or_model_stops_the_models_other_cases(code: int, way_out: str) -> None:
    shared = Shared(scripted([status(code)]))
    turned_away = GivenUp(
        EndReason.ENDPOINT,
        f"The endpoint of model 'm' turns it away (status {code}: from the server): {way_out}.",
    )

    assert [shared.ask(0), shared.ask(1)] == [turned_away, turned_away]
    assert len(shared.endpoint.requests) == 1


def test_cases_that_are_backing_off_end_too_when_their_model_is_turned_away() -> None:
    clock = VirtualClock()

    async def respond(request: ChatRequest) -> Reply:
        raise status(500 if request.case.instance == 0 else 401)

    endpoint = FakeEndpoint(respond)
    caller = make_caller(endpoint, clock)

    async def both() -> list[Reply | GivenUp]:
        asks = (caller.ask(make_request(make_case(instance)), lambda _: None) for instance in (0, 1))
        return await asyncio.gather(*asks)

    first, second = run(clock, both())

    assert first == second
    assert endpoint.asked == [0, 1]


class SlowDoor(Unlimited):
    """A limiter that keeps everyone waiting, and notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Reply | AttemptFailedError | None] = []

    async def enter(self, request: ChatRequest) -> None:
        del request
        await asyncio.sleep(40)

    def leave(self, permit: Permit | None, result: Reply | AttemptFailedError | None) -> None:
        del permit
        self.told.append(result)


def test_the_limiter_is_asked_before_each_attempt_and_told_what_became_of_it() -> None:
    clock = VirtualClock()
    failure = status(500)
    door = SlowDoor()
    caller = Caller(scripted([failure, DONE]), clock, limiter=door)
    attempts: list[Attempted] = []

    run(clock, caller.ask(make_request(make_case()), attempts.append, 5.0))

    assert door.told == [failure, DONE]
    assert [attempt.duration_s for attempt in attempts] == pytest.approx([1, 1])


def test_the_limiter_is_told_of_an_attempt_that_was_cut_off() -> None:
    clock = VirtualClock()
    door = SlowDoor()
    caller = Caller(steady(1e9), clock, limiter=door)

    async def cancel_soon() -> None:
        task = asyncio.ensure_future(caller.ask(make_request(make_case()), lambda _: None))
        await asyncio.sleep(60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(clock, cancel_soon())

    assert door.told == [None]
