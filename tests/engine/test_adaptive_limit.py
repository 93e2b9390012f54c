"""What an endpoint's answers do to the limit on calls in flight, to pauses, and to patience."""

from __future__ import annotations

import pytest

from pytest_ultra.core.chat_request import Quota, metered
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.adaptive_limit import Experience, learn
from pytest_ultra.engine.limiter_state import State
from pytest_ultra.engine.limits import MOST_IN_FLIGHT, Limits
from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from tests.engine.engine_fakes import DONE, problem, status

PATIENCE_S = 600.0


class Endpoint:
    """A state that learns, at a time that tests move on."""

    def __init__(self, window: float = 256.0, limits: Limits | None = None) -> None:
        self.state = State(window=window)
        self.limits = limits or Limits()
        self.now = 1000.0

    def answers(
        self, result: Reply | AttemptFailedError, *, times: int = 1, started: float | None = None, in_flight: int = 1000
    ) -> None:
        begun = self.now if started is None else started
        for _ in range(times):
            learn(self.state, Experience(result, begun, self.now, in_flight), self.limits, PATIENCE_S)

    def answers_in_turn(self, result: Reply | AttemptFailedError, times: int) -> None:
        for _ in range(times):
            self.now += 1
            self.answers(result, in_flight=round(self.state.window))


def test_a_burst_of_429s_halves_the_limit_once() -> None:
    endpoint = Endpoint()
    endpoint.answers(status(429), times=100, started=999.0)
    assert endpoint.state.window == 128

    endpoint.now += 1
    endpoint.answers(status(429), times=100, started=999.5)
    assert endpoint.state.window == 128, "these were under way when it was cut"

    endpoint.answers(status(429), times=100, started=1000.5)
    assert endpoint.state.window == 64


def test_what_is_halved_is_what_was_in_flight() -> None:
    endpoint = Endpoint()
    endpoint.answers(status(429), in_flight=40)
    assert endpoint.state.window == 20


def test_the_limit_never_falls_below_one() -> None:
    endpoint = Endpoint()
    endpoint.answers_in_turn(status(429), 50)
    assert endpoint.state.window == 1


def test_the_limit_grows_again_by_eight_for_a_window_full_of_answers() -> None:
    endpoint = Endpoint(window=100)
    endpoint.answers_in_turn(DONE, 100)
    assert endpoint.state.window == pytest.approx(108, abs=0.5)


def test_a_single_slot_recovers_with_each_answer() -> None:
    endpoint = Endpoint(window=1)
    endpoint.answers_in_turn(DONE, 3)
    assert endpoint.state.window == 4


def test_a_limit_that_is_not_used_up_does_not_grow() -> None:
    endpoint = Endpoint(window=100)
    endpoint.answers(DONE, times=1000, in_flight=79)
    assert endpoint.state.window == 100


@pytest.mark.parametrize(("limits", "most"), [(Limits(), MOST_IN_FLIGHT), (Limits(max_in_flight=300), 300)])
def test_the_limit_grows_no_further_than_it_may(limits: Limits, most: float) -> None:
    endpoint = Endpoint(most - 1, limits)
    endpoint.answers_in_turn(DONE, 1000)
    assert endpoint.limits.capacity(endpoint.state.window) == most


def test_a_limit_of_the_users_is_what_is_halved() -> None:
    endpoint = Endpoint(limits=Limits(max_in_flight=10))
    endpoint.answers(status(429))
    assert endpoint.limits.capacity(endpoint.state.window) == 5


def test_a_fixed_limit_stays() -> None:
    endpoint = Endpoint(limits=Limits(max_in_flight=10, is_adaptive=False))
    endpoint.answers_in_turn(status(429), 5)
    assert endpoint.limits.capacity(endpoint.state.window) == 10


@pytest.mark.parametrize(
    "failure", [status(500), status(529), problem(AttemptProblem.TIMEOUT), problem(AttemptProblem.DROPPED)], ids=str
)
def test_rising_errors_make_the_limit_fall(failure: AttemptFailedError) -> None:
    endpoint = Endpoint()
    endpoint.answers_in_turn(failure, 10)
    assert endpoint.state.window < 50


def test_five_errors_in_a_hundred_are_no_reason_to_slow_down() -> None:
    endpoint = Endpoint()
    for _ in range(50):
        endpoint.answers_in_turn(status(500), 1)
        endpoint.answers_in_turn(DONE, 19)
    assert endpoint.state.window >= 256


@pytest.mark.parametrize("failure", [status(400), status(404), problem(AttemptProblem.MALFORMED)], ids=str)
def test_a_rejection_says_nothing_of_load(failure: AttemptFailedError) -> None:
    endpoint = Endpoint()
    endpoint.answers_in_turn(failure, 30)
    assert endpoint.state == State(window=256)


def test_a_quota_near_zero_makes_the_limit_fall() -> None:
    endpoint = Endpoint()
    endpoint.answers(metered(DONE, Quota(0.04, 5.0)), times=10, started=999.0)
    assert endpoint.state.window == 128
    assert endpoint.state.paused_until == 0


def test_a_quota_used_up_pauses_everyone_until_it_is_full_again() -> None:
    endpoint = Endpoint()
    endpoint.answers(metered(DONE, Quota(0.0, 5.0)))
    assert endpoint.state.paused_until == 1005


@pytest.mark.parametrize("code", [429, 503, 529])
def test_retry_after_pauses_everyone_and_the_longest_counts(code: int) -> None:
    endpoint = Endpoint()
    endpoint.answers(status(code, 20.0))
    endpoint.answers(status(code, 3.0))
    assert endpoint.state.paused_until == 1020


def test_bursts_of_429s_that_name_no_time_pause_everyone_ever_longer() -> None:
    endpoint = Endpoint()
    pauses = []
    for _ in range(9):
        endpoint.now += 100
        endpoint.answers(status(429), times=3, started=endpoint.now - 50)
        pauses.append(max(0.0, endpoint.state.paused_until - endpoint.now))
    assert pauses == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 30, 30, 30]

    endpoint.answers(DONE)
    endpoint.now += 100
    endpoint.answers(status(429))
    assert endpoint.state.paused_until <= endpoint.now


def test_patience_is_counted_from_the_first_429_since_the_last_success() -> None:
    endpoint = Endpoint()
    endpoint.answers(status(429))
    endpoint.now += 500
    endpoint.answers(DONE)
    endpoint.answers(status(429))
    endpoint.now += 599
    endpoint.answers(status(429))
    assert not endpoint.state.is_refused

    endpoint.now += 1
    endpoint.answers(status(429))
    assert endpoint.state.is_refused


def test_an_endpoint_that_asks_for_more_than_is_left_of_our_patience_is_given_up_at_once() -> None:
    endpoint = Endpoint()
    endpoint.answers(status(429, 599.0))
    assert not endpoint.state.is_refused
    endpoint.now += 10
    endpoint.answers(status(429, 590.0))
    assert endpoint.state.is_refused


def test_a_late_success_lifts_the_verdict() -> None:
    endpoint = Endpoint()
    endpoint.answers(status(429, 700.0))
    endpoint.answers(DONE)
    assert not endpoint.state.is_refused
