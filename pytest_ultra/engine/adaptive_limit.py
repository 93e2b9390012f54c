"""How an endpoint's answers change its state: the adaptive limit on calls in flight (AIMD), pauses, and rejection."""

from __future__ import annotations

import msgspec

from pytest_ultra.core.chat_request import MAX_WAIT_S, MeteredReply
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.limiter_state import EndpointState
from pytest_ultra.engine.limits import Limits
from pytest_ultra.errors import AttemptFailedError, AttemptProblem

TOO_MANY_REQUESTS = 429
_RETRY_AFTER_STATUSES = frozenset({TOO_MANY_REQUESTS, 503, 529})
_FAILURE_STATUSES = frozenset({408, *range(500, 600)})
_FAILURE_PROBLEMS = frozenset(
    {AttemptProblem.REFUSED, AttemptProblem.LOOKUP, AttemptProblem.DROPPED, AttemptProblem.TIMEOUT}
)

_DECREASE_FACTOR = 0.5
_INCREASE = 8.0  # calls, for a window full of answers
_MIN_UTILIZATION = 0.8  # below it, successes do not show that the endpoint could handle more
_ERROR_RATE_ANSWERS = 20  # answers that the running error rate averages over
_MAX_ERROR_RATE = 0.2
_LOW_QUOTA = 0.05
_PAUSE_BASE_S = 0.5
_PAUSE_CAP_S = 30.0
_MAX_DOUBLINGS = 8


class Observation(msgspec.Struct, frozen=True, gc=False):
    """The result of an attempt that started at `started`, and how many calls were in flight when it ended."""

    result: Reply | AttemptFailedError
    started: float
    now: float
    in_flight: int


def observe(state: EndpointState, observation: Observation, limits: Limits, patience_s: float) -> None:
    """Update the state. 429s are tolerated for `patience_s`, counted from the first one since the last success."""
    result = observation.result
    state.is_probing = False
    if isinstance(result, Reply):
        _observe_success(state, result, observation, limits)
        return
    if result.status == TOO_MANY_REQUESTS:
        _observe_429(state, result, observation, limits, patience_s)
    elif is_endpoint_failure(result):
        _observe_failure(state, observation, limits)
    if result.status in _RETRY_AFTER_STATUSES and result.retry_after_s:
        _pause(state, observation.now, result.retry_after_s)


def is_endpoint_failure(failure: AttemptFailedError) -> bool:
    """Return whether the endpoint itself failed: neither a bad request nor too many requests is the cause."""
    return failure.status in _FAILURE_STATUSES or failure.problem in _FAILURE_PROBLEMS


def _observe_success(state: EndpointState, reply: Reply, observation: Observation, limits: Limits) -> None:
    state.consecutive_429s, state.first_429_at, state.is_rejecting = 0, 0.0, False
    state.error_rate -= state.error_rate / _ERROR_RATE_ANSWERS
    quota = reply.quota if isinstance(reply, MeteredReply) else None
    if quota is not None and quota.left <= 0:
        _pause(state, observation.now, quota.reset_s)
    if quota is not None and quota.left < _LOW_QUOTA:
        _decrease_window(state, observation, limits)
    elif state.window < limits.ceiling and observation.in_flight >= _MIN_UTILIZATION * state.window:
        state.window += min(1.0, _INCREASE / state.window)


def _observe_429(
    state: EndpointState, failure: AttemptFailedError, observation: Observation, limits: Limits, patience_s: float
) -> None:
    now, retry_after_s = observation.now, failure.retry_after_s or 0.0
    state.first_429_at = state.first_429_at or now
    if _decrease_window(state, observation, limits):
        state.consecutive_429s += 1
        if not retry_after_s:
            _pause(state, now, _burst_pause_s(state.consecutive_429s))
    state.is_rejecting = now + retry_after_s - state.first_429_at >= patience_s


def _burst_pause_s(bursts: int) -> float:
    """Return the pause after a burst of 429s without `Retry-After`; 0 for the first burst since a success."""
    return min(_PAUSE_BASE_S * (2.0 ** min(bursts - 1, _MAX_DOUBLINGS) - 1), _PAUSE_CAP_S)


def _pause(state: EndpointState, now: float, seconds: float) -> None:
    """Pause all calls for at most `MAX_WAIT_S`; NaN is no pause."""
    state.paused_until = max(state.paused_until, now + min(MAX_WAIT_S, max(0.0, seconds)))


def _observe_failure(state: EndpointState, observation: Observation, limits: Limits) -> None:
    state.error_rate += (1.0 - state.error_rate) / _ERROR_RATE_ANSWERS
    if state.error_rate > _MAX_ERROR_RATE:
        _decrease_window(state, observation, limits)


def _decrease_window(state: EndpointState, observation: Observation, limits: Limits) -> bool:
    """Halve the window, once per burst; return False for an attempt that started before the last decrease."""
    if observation.started < state.decreased_at:
        return False
    if limits.is_adaptive:
        in_use = min(observation.in_flight, limits.capacity(state.window))
        state.window = max(1.0, in_use * _DECREASE_FACTOR)
    state.decreased_at = observation.now
    return True
