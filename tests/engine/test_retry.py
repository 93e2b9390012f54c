"""The retry loop: what is tried again, how long it waits, and when a call or a model fails."""

from __future__ import annotations

import asyncio

import pytest

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import Attempted, EndReason, Reply
from pytest_ultra.engine.backoff import RetryPolicy, RetryState, decide_retry, keyed_jitter
from pytest_ultra.engine.endpoint import CallFailed
from pytest_ultra.engine.endpoint_limiter import Permit
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


def call_once(
    endpoint: FakeEndpoint, *, policy: RetryPolicy = POLICY, limit_s: float | None = None
) -> tuple[Reply | CallFailed, list[Attempted], float]:
    """Make a call on a virtual clock; return its result, its attempts, and the seconds that it took."""
    clock = VirtualClock()
    attempts: list[Attempted] = []
    request = make_request(make_case())
    result = run(clock, make_caller(endpoint, clock, policy).call(request, attempts.append, limit_s))
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
def test_a_temporary_failure_is_tried_again(failure: AttemptFailedError) -> None:
    result, attempts, _ = call_once(scripted([failure, DONE]))

    assert result == DONE
    assert [(attempt.problem, attempt.status) for attempt in attempts] == [
        (failure.problem, failure.status),
        (None, None),
    ]


@pytest.mark.parametrize("code", [302, 400, 401, 402, 403, 404, 405, 413, 422])
def test_a_rejection_is_final(code: int) -> None:
    result, attempts, _ = call_once(scripted([status(code), DONE]))

    assert isinstance(result, CallFailed)
    assert result.reason is EndReason.ENDPOINT
    assert f"status {code}: from the server" in result.detail
    assert len(attempts) == 1


def test_a_rejected_request_fails_with_the_servers_message() -> None:
    result, _, _ = call_once(scripted([status(400)]))

    assert result == CallFailed(EndReason.ENDPOINT, "The endpoint rejected the request (status 400: from the server).")


def test_a_call_fails_after_six_attempts() -> None:
    result, attempts, _ = call_once(scripted([status(500)]))

    detail = "No answer after 6 attempts; the last one: status 500: from the server."
    assert result == CallFailed(EndReason.ENDPOINT, detail)
    assert len(attempts) == 6


def test_waits_double_up_to_a_cap_and_are_recorded() -> None:
    _, attempts, seconds = call_once(scripted([status(500)]), policy=RetryPolicy(backoff_cap_s=3.0))

    assert [attempt.wait_s for attempt in attempts] == [0.375, 0.75, 1.5, 2.25, 2.25, 0.0]
    assert [attempt.duration_s for attempt in attempts] == pytest.approx([1.0] * 6)
    assert seconds == pytest.approx(6 + 7.125)


@pytest.mark.parametrize(("jitter", "wait_s"), [(0.0, 0.25), (0.5, 0.375), (0.999999, 0.5)])
def test_jitter_spreads_a_wait_over_its_upper_half(jitter: float, wait_s: float) -> None:
    assert decide_retry(status(500), RetryState(1, 1), POLICY, jitter) == pytest.approx(wait_s, abs=1e-6)


def test_jitter_repeats_for_the_same_attempt_and_differs_for_others() -> None:
    case, other = make_case(0), make_case(1)
    keys = [(case, 1, 1), (case, 1, 2), (case, 2, 1), (other, 1, 1)]

    values = [keyed_jitter(*key) for key in keys]

    assert values == [keyed_jitter(*key) for key in keys]
    assert len(set(values)) == 4
    assert all(0 <= value < 1 for value in values)


@pytest.mark.parametrize("code", [429, 503])
def test_a_wait_is_retry_after_and_little_more(code: int) -> None:
    wait_s = decide_retry(status(code, retry_after_s=7.0), RetryState(1, 1), POLICY, 0.5)

    assert wait_s == pytest.approx(7.35)


def test_a_retry_after_of_zero_still_has_a_minimum_wait() -> None:
    for retry_after_s in (0.0, 0.001, -5.0):
        wait_s = decide_retry(status(429, retry_after_s), RetryState(0, 1), POLICY, 0.0)
        assert isinstance(wait_s, float)
        assert wait_s >= 0.25


def test_429s_do_not_count_as_attempts() -> None:
    result, attempts, _ = call_once(scripted([*[status(429, 2.0)] * 20, *[status(500)] * 5, DONE]))

    assert result == DONE
    assert len(attempts) == 26


def test_429s_fail_the_call_after_ten_minutes_of_waiting() -> None:
    result, attempts, _ = call_once(scripted([status(429)]))

    assert isinstance(result, CallFailed)
    assert result.reason is EndReason.RATE_LIMIT
    assert sum(attempt.wait_s for attempt in attempts) == pytest.approx(600)
    assert result.detail == (
        f"Waited 600 s of at most 600 s for the endpoint; {len(attempts)} attempts, "
        "the last one: status 429: from the server."
    )


@pytest.mark.parametrize(("code", "reason"), [(429, EndReason.RATE_LIMIT), (503, EndReason.ENDPOINT)])
def test_a_call_fails_at_once_if_the_endpoint_asks_for_too_long_a_wait(code: int, reason: EndReason) -> None:
    result, attempts, seconds = call_once(scripted([status(code, retry_after_s=3600.0)]))

    assert result == CallFailed(
        reason,
        "Waited 0 s of at most 600 s for the endpoint, which now asks for 3600 s more; "
        f"1 attempts, the last one: status {code}: from the server.",
    )
    assert len(attempts) == 1
    assert seconds == pytest.approx(1)


def test_an_attempt_that_hangs_times_out_and_is_tried_again() -> None:
    result, attempts, _ = call_once(hanging(), policy=RetryPolicy(attempts=2, attempt_timeout_s=120.0))

    assert isinstance(result, CallFailed)
    assert result.reason is EndReason.ENDPOINT
    assert [(attempt.problem, attempt.detail) for attempt in attempts] == [("timeout", "no answer within 120 s")] * 2
    assert [attempt.duration_s for attempt in attempts] == pytest.approx([120, 120])


def test_the_episodes_time_limit_ends_a_hanging_attempt_without_a_retry() -> None:
    result, attempts, seconds = call_once(hanging(), limit_s=30.0)

    assert result == CallFailed(EndReason.AGENT_TIMEOUT, "The episode's time limit ran out.")
    assert [attempt.problem for attempt in attempts] == ["timeout"]
    assert seconds == pytest.approx(30)


def test_failed_attempts_and_waits_do_not_count_towards_the_episodes_time_limit() -> None:
    result, attempts, seconds = call_once(scripted([status(500), status(500), status(500), DONE]), limit_s=1.5)

    assert result == DONE
    assert len(attempts) == 4
    assert seconds > 1.5


def test_a_timeout_that_an_endpoint_reports_as_a_dropped_connection_is_still_a_timeout() -> None:
    async def respond(_: ChatRequest) -> Reply:
        try:
            await asyncio.sleep(1e9)
        except asyncio.CancelledError:
            raise problem(AttemptProblem.DROPPED) from None
        return DONE

    _, attempts, _ = call_once(FakeEndpoint(respond), policy=RetryPolicy(attempts=1))

    assert [attempt.problem for attempt in attempts] == ["timeout"]


class SharedCaller:
    """A caller that several cases use one after another."""

    def __init__(self, endpoint: FakeEndpoint) -> None:
        self.clock = VirtualClock()
        self.caller = make_caller(endpoint, self.clock)
        self.endpoint = endpoint

    def call(self, instance: int, model: str = "m") -> Reply | CallFailed:
        request = make_request(make_case(instance, model=model))
        return run(self.clock, self.caller.call(request, lambda _: None))


REFUSED = problem(AttemptProblem.REFUSED)


def test_an_endpoint_that_never_answered_and_refuses_three_times_fails_its_model_alone() -> None:
    shared = SharedCaller(scripted([REFUSED], latency_s=0.001))
    failure = CallFailed(
        EndReason.ENDPOINT,
        "The endpoint of model 'm' has never answered and refused the connection 3 times within 5 s "
        "(refused: from the network): check that it is running and that the base URL is right.",
    )

    assert shared.call(0) == failure
    assert len(shared.endpoint.requests) == 3
    assert shared.call(1) == failure
    assert len(shared.endpoint.requests) == 3
    assert shared.call(0, model="other") != failure
    assert len(shared.endpoint.requests) == 6


@pytest.mark.parametrize("kind", [AttemptProblem.MACHINE, AttemptProblem.LOOKUP, AttemptProblem.STANDSTILL])
def test_what_this_machine_lacks_never_fails_the_model(kind: AttemptProblem) -> None:
    shared = SharedCaller(scripted([*[problem(kind)] * 5, DONE], latency_s=0.001))

    assert shared.call(0) == DONE


def test_refusals_that_are_far_apart_do_not_fail_the_model() -> None:
    result, attempts, _ = call_once(scripted([REFUSED], latency_s=3.0))

    assert isinstance(result, CallFailed)
    assert result.detail == "No answer after 6 attempts; the last one: refused: from the network."
    assert len(attempts) == 6


@pytest.mark.parametrize("answer", [DONE, status(500)], ids=["reply", "500"])
def test_refusals_after_an_answer_do_not_fail_the_model(answer: Reply | AttemptFailedError) -> None:
    shared = SharedCaller(scripted([answer, *[REFUSED] * 4, DONE], latency_s=0.001))

    assert [shared.call(0), shared.call(1)][0 if isinstance(answer, AttemptFailedError) else 1] == DONE


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (401, "check the API key"),
        (403, "check that the API key may use this model"),
        (404, "check the model's name and the base URL"),
    ],
)
def test_a_wrong_key_or_model_fails_the_models_other_cases(code: int, advice: str) -> None:
    shared = SharedCaller(scripted([status(code)]))
    failure = CallFailed(
        EndReason.ENDPOINT,
        f"The endpoint of model 'm' rejected the request (status {code}: from the server): {advice}.",
    )

    assert [shared.call(0), shared.call(1)] == [failure, failure]
    assert len(shared.endpoint.requests) == 1


def test_a_back_off_ends_when_its_model_fails() -> None:
    clock = VirtualClock()

    async def respond(request: ChatRequest) -> Reply:
        raise status(500 if request.case.instance == 0 else 401)

    endpoint = FakeEndpoint(respond)
    caller = make_caller(endpoint, clock)

    async def both() -> list[Reply | CallFailed]:
        calls = (caller.call(make_request(make_case(instance)), lambda _: None) for instance in (0, 1))
        return await asyncio.gather(*calls)

    first, second = run(clock, both())

    assert first == second
    assert endpoint.instances == [0, 1]


class SlowLimiter(Unlimited):
    """A limiter that delays every call, and records the results of attempts."""

    def __init__(self) -> None:
        self.results: list[Reply | AttemptFailedError | None] = []

    async def acquire(self, request: ChatRequest) -> None:
        del request
        await asyncio.sleep(40)

    def release(self, permit: Permit | None, result: Reply | AttemptFailedError | None) -> None:
        del permit
        self.results.append(result)


def test_the_limiter_delays_each_attempt_and_receives_its_result() -> None:
    clock = VirtualClock()
    failure = status(500)
    limiter = SlowLimiter()
    caller = Caller(scripted([failure, DONE]), clock, limiter=limiter)
    attempts: list[Attempted] = []

    run(clock, caller.call(make_request(make_case()), attempts.append, 5.0))

    assert limiter.results == [failure, DONE]
    assert [attempt.duration_s for attempt in attempts] == pytest.approx([1, 1])


def test_the_limiter_receives_none_for_a_cancelled_attempt() -> None:
    clock = VirtualClock()
    limiter = SlowLimiter()
    caller = Caller(steady(1e9), clock, limiter=limiter)

    async def cancel_soon() -> None:
        task = asyncio.ensure_future(caller.call(make_request(make_case()), lambda _: None))
        await asyncio.sleep(60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(clock, cancel_soon())

    assert limiter.results == [None]
