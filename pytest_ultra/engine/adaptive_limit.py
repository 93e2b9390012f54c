"""What an endpoint's answers say about how much it bears: the adaptive limit, pauses for all, the one verdict."""

from __future__ import annotations

import msgspec

from pytest_ultra.core.chat_request import MeteredReply
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.limiter_state import State
from pytest_ultra.engine.limits import Limits
from pytest_ultra.errors import AttemptFailedError, AttemptProblem

TOO_MANY_REQUESTS = 429
_UNAVAILABLE = frozenset({TOO_MANY_REQUESTS, 503, 529})
_OVERLOADED = frozenset({408, *range(500, 600)})
_TROUBLES = frozenset({AttemptProblem.REFUSED, AttemptProblem.DROPPED, AttemptProblem.TIMEOUT})

_CUT = 0.5
_GROWTH = 8.0  # calls per window full of answers
_BUSY = 0.8  # a window that is not used proves nothing
_ANSWERS = 20  # that the share of errors is a mean of
_ERROR_SHARE = 0.2
_NEAR_ZERO = 0.05
_PAUSE_S = 0.5
_PAUSE_CAP_S = 30.0
_MAX_DOUBLINGS = 8


class Experience(msgspec.Struct, frozen=True, gc=False):
    """What became of an attempt that was begun at `started`, while so many were in flight."""

    result: Reply | AttemptFailedError
    started: float
    now: float
    in_flight: int


def learn(state: State, experience: Experience, limits: Limits, patience_s: float) -> None:
    """Take in an experience. 429s are put up with for so long from the first one since the last success."""
    result = experience.result
    if isinstance(result, Reply):
        _succeeded(state, result, experience, limits)
        return
    if result.status == TOO_MANY_REQUESTS:
        _limited(state, result, experience, limits, patience_s)
    elif is_trouble(result):
        _troubled(state, experience, limits)
    if result.status in _UNAVAILABLE and result.retry_after_s:
        _pause(state, experience.now, result.retry_after_s)


def is_trouble(failure: AttemptFailedError) -> bool:
    """Tell whether it is the endpoint that fails: not the request, and not for being asked too often."""
    return failure.status in _OVERLOADED or failure.problem in _TROUBLES


def _succeeded(state: State, reply: Reply, experience: Experience, limits: Limits) -> None:
    state.strikes, state.quota_since, state.is_refused = 0, 0.0, False
    state.error_share -= state.error_share / _ANSWERS
    quota = reply.quota if isinstance(reply, MeteredReply) else None
    if quota is not None and quota.left <= 0:
        _pause(state, experience.now, quota.reset_s)
    if quota is not None and quota.left < _NEAR_ZERO:
        _cut(state, experience, limits)
    elif state.window < limits.ceiling and experience.in_flight >= _BUSY * state.window:
        state.window += min(1.0, _GROWTH / state.window)


def _limited(
    state: State, failure: AttemptFailedError, experience: Experience, limits: Limits, patience_s: float
) -> None:
    now, asked_s = experience.now, failure.retry_after_s or 0.0
    state.quota_since = state.quota_since or now
    if _cut(state, experience, limits):
        state.strikes += 1
        if not asked_s:
            _pause(state, now, _pause_s(state.strikes))
    state.is_refused = now + asked_s - state.quota_since >= patience_s


def _pause_s(strikes: int) -> float:
    """Return how long all wait after a burst of 429s that names no time; none after the first since a success."""
    return min(_PAUSE_S * (2.0 ** min(strikes - 1, _MAX_DOUBLINGS) - 1), _PAUSE_CAP_S)


def _pause(state: State, now: float, seconds: float) -> None:
    state.paused_until = max(state.paused_until, now + seconds)


def _troubled(state: State, experience: Experience, limits: Limits) -> None:
    state.error_share += (1.0 - state.error_share) / _ANSWERS
    if state.error_share > _ERROR_SHARE:
        _cut(state, experience, limits)


def _cut(state: State, experience: Experience, limits: Limits) -> bool:
    """Halve what is in flight, once for all attempts that were under way when it last was; tell whether it was done."""
    if experience.started < state.cut_at:
        return False
    if limits.is_adaptive:
        state.window = max(1.0, min(experience.in_flight, limits.capacity(state.window)) * _CUT)
    state.cut_at = experience.now
    return True
