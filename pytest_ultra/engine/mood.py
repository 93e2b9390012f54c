"""What an endpoint's answers say about how much it bears: the adaptive limit, pauses for all, the one verdict."""

from __future__ import annotations

import msgspec

from pytest_ultra.benchmark.chat import MeteredReply
from pytest_ultra.benchmark.transcript import Reply
from pytest_ultra.engine.ledger import State
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
    result, now = experience.result, experience.now
    if isinstance(result, Reply):
        _succeeded(state, result, experience, limits)
        return
    if result.status == TOO_MANY_REQUESTS:
        _limited(state, result, experience, patience_s)
    elif result.status in _OVERLOADED or result.problem in _TROUBLES:
        _troubled(state, experience)
    if result.status in _UNAVAILABLE and result.retry_after_s:
        state.paused_until = max(state.paused_until, now + result.retry_after_s)


def _succeeded(state: State, reply: Reply, experience: Experience, limits: Limits) -> None:
    state.strikes, state.quota_since, state.is_refused = 0, 0.0, False
    state.error_share -= state.error_share / _ANSWERS
    quota = reply.quota if isinstance(reply, MeteredReply) else None
    if quota is not None and quota.left <= 0:
        state.paused_until = max(state.paused_until, experience.now + quota.reset_s)
    if quota is not None and quota.left < _NEAR_ZERO:
        _cut(state, experience)
    elif experience.in_flight >= _BUSY * limits.capacity(state.window):
        state.window = min(state.window + min(1.0, _GROWTH / state.window), limits.ceiling)


def _limited(state: State, failure: AttemptFailedError, experience: Experience, patience_s: float) -> None:
    now, asked_s = experience.now, failure.retry_after_s or 0.0
    state.quota_since = state.quota_since or now
    if _cut(state, experience):
        state.strikes += 1
        if state.strikes > 1 and not asked_s:
            pause_s = _PAUSE_S * 2.0 ** min(state.strikes - 2, _MAX_DOUBLINGS)
            state.paused_until = max(state.paused_until, now + min(pause_s, _PAUSE_CAP_S))
    state.is_refused = now + asked_s - state.quota_since >= patience_s


def _troubled(state: State, experience: Experience) -> None:
    state.error_share += (1.0 - state.error_share) / _ANSWERS
    if state.error_share > _ERROR_SHARE:
        _cut(state, experience)


def _cut(state: State, experience: Experience) -> bool:
    """Make the window smaller, once for all attempts that were under way when it last was; tell whether it was done."""
    if experience.started < state.cut_at:
        return False
    state.window = max(1.0, state.window * _CUT)
    state.cut_at = experience.now
    return True
