"""How answers change the limit on calls in flight, pauses, and whether the endpoint is rejecting."""

from __future__ import annotations

import pytest

from pytest_ultra.core.chat_request import Quota, metered
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.adaptive_limit import Observation, observe
from pytest_ultra.engine.limiter_state import EndpointState
from pytest_ultra.engine.limits import MOST_IN_FLIGHT, Limits
from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from tests.engine.engine_fakes import DONE, problem, status

PATIENCE_S = 600.0


class Endpoint:
    """A state that observes answers, with a clock that tests set."""

    def __init__(self, window: float = 256.0, limits: Limits | None = None) -> None:
        self.state = EndpointState(window=window)
        self.limits = limits or Limits()
        self.now = 1000.0

    def answer(
        self, result: Reply | AttemptFailedError, *, times: int = 1, started: float | None = None, in_flight: int = 1000
    ) -> None:
        started_at = self.now if started is None else started
        for _ in range(times):
            observe(self.state, Observation(result, started_at, self.now, in_flight), self.limits, PATIENCE_S)

    def answer_one_by_one(self, result: Reply | AttemptFailedError, times: int) -> None:
        for _ in range(times):
            self.now += 1
            self.answer(result, in_flight=round(self.state.window))


def test_a_burst_of_429s_halves_the_limit_once() -> None:
    endpoint = Endpoint()
    endpoint.answer(status(429), times=100, started=999.0)
    assert endpoint.state.window == 128

    endpoint.now += 1
    endpoint.answer(status(429), times=100, started=999.5)
    assert endpoint.state.window == 128, "these started before the last decrease"

    endpoint.answer(status(429), times=100, started=1000.5)
    assert endpoint.state.window == 64


def test_the_number_in_flight_is_halved_if_it_is_below_the_limit() -> None:
    endpoint = Endpoint()
    endpoint.answer(status(429), in_flight=40)
    assert endpoint.state.window == 20


def test_the_limit_never_falls_below_one() -> None:
    endpoint = Endpoint()
    endpoint.answer_one_by_one(status(429), 50)
    assert endpoint.state.window == 1


def test_the_limit_grows_by_eight_for_a_window_full_of_answers() -> None:
    endpoint = Endpoint(window=100)
    endpoint.answer_one_by_one(DONE, 100)
    assert endpoint.state.window == pytest.approx(108, abs=0.5)


def test_a_single_slot_recovers_with_each_answer() -> None:
    endpoint = Endpoint(window=1)
    endpoint.answer_one_by_one(DONE, 3)
    assert endpoint.state.window == 4


def test_a_limit_that_is_not_fully_used_does_not_grow() -> None:
    endpoint = Endpoint(window=100)
    endpoint.answer(DONE, times=1000, in_flight=79)
    assert endpoint.state.window == 100


@pytest.mark.parametrize(("limits", "ceiling"), [(Limits(), MOST_IN_FLIGHT), (Limits(max_in_flight=300), 300)])
def test_the_limit_does_not_grow_above_its_ceiling(limits: Limits, ceiling: float) -> None:
    endpoint = Endpoint(ceiling - 1, limits)
    endpoint.answer_one_by_one(DONE, 1000)
    assert endpoint.limits.capacity(endpoint.state.window) == ceiling


def test_a_limit_of_the_user_is_halved() -> None:
    endpoint = Endpoint(limits=Limits(max_in_flight=10))
    endpoint.answer(status(429))
    assert endpoint.limits.capacity(endpoint.state.window) == 5


def test_a_fixed_limit_stays() -> None:
    endpoint = Endpoint(limits=Limits(max_in_flight=10, is_adaptive=False))
    endpoint.answer_one_by_one(status(429), 5)
    assert endpoint.limits.capacity(endpoint.state.window) == 10


@pytest.mark.parametrize(
    "failure", [status(500), status(529), problem(AttemptProblem.TIMEOUT), problem(AttemptProblem.DROPPED)], ids=str
)
def test_rising_errors_make_the_limit_fall(failure: AttemptFailedError) -> None:
    endpoint = Endpoint()
    endpoint.answer_one_by_one(failure, 10)
    assert endpoint.state.window < 50


def test_five_percent_errors_do_not_slow_the_run_down() -> None:
    endpoint = Endpoint()
    for _ in range(50):
        endpoint.answer_one_by_one(status(500), 1)
        endpoint.answer_one_by_one(DONE, 19)
    assert endpoint.state.window >= 256


@pytest.mark.parametrize("failure", [status(400), status(404), problem(AttemptProblem.MALFORMED)], ids=str)
def test_a_rejected_request_changes_nothing(failure: AttemptFailedError) -> None:
    endpoint = Endpoint()
    endpoint.answer_one_by_one(failure, 30)
    assert endpoint.state == EndpointState(window=256)


def test_a_quota_near_zero_makes_the_limit_fall() -> None:
    endpoint = Endpoint()
    endpoint.answer(metered(DONE, Quota(0.04, 5.0)), times=10, started=999.0)
    assert endpoint.state.window == 128
    assert endpoint.state.paused_until == 0


def test_a_used_up_quota_pauses_all_calls_until_it_is_full_again() -> None:
    endpoint = Endpoint()
    endpoint.answer(metered(DONE, Quota(0.0, 5.0)))
    assert endpoint.state.paused_until == 1005


@pytest.mark.parametrize("code", [429, 503, 529])
def test_retry_after_pauses_all_calls_and_the_longest_counts(code: int) -> None:
    endpoint = Endpoint()
    endpoint.answer(status(code, 20.0))
    endpoint.answer(status(code, 3.0))
    assert endpoint.state.paused_until == 1020


def test_bursts_of_429s_without_retry_after_pause_all_calls_longer_each_time() -> None:
    endpoint = Endpoint()
    pauses = []
    for _ in range(9):
        endpoint.now += 100
        endpoint.answer(status(429), times=3, started=endpoint.now - 50)
        pauses.append(max(0.0, endpoint.state.paused_until - endpoint.now))
    assert pauses == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 30, 30, 30]

    endpoint.answer(DONE)
    endpoint.now += 100
    endpoint.answer(status(429))
    assert endpoint.state.paused_until <= endpoint.now


def test_patience_is_counted_from_the_first_429_since_the_last_success() -> None:
    endpoint = Endpoint()
    endpoint.answer(status(429))
    endpoint.now += 500
    endpoint.answer(DONE)
    endpoint.answer(status(429))
    endpoint.now += 599
    endpoint.answer(status(429))
    assert not endpoint.state.is_rejecting

    endpoint.now += 1
    endpoint.answer(status(429))
    assert endpoint.state.is_rejecting


def test_an_endpoint_that_asks_for_a_longer_wait_than_is_left_is_rejecting_at_once() -> None:
    endpoint = Endpoint()
    endpoint.answer(status(429, 599.0))
    assert not endpoint.state.is_rejecting
    endpoint.now += 10
    endpoint.answer(status(429, 590.0))
    assert endpoint.state.is_rejecting


def test_a_late_success_ends_the_rejection() -> None:
    endpoint = Endpoint()
    endpoint.answer(status(429, 700.0))
    endpoint.answer(DONE)
    assert not endpoint.state.is_rejecting
