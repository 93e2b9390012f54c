"""The retry policy: how often a call is tried again, and how long to wait before each attempt."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.transcript import EndReason
from pytest_ultra.engine.adaptive_limit import TOO_MANY_REQUESTS
from pytest_ultra.engine.endpoint import CallFailed
from pytest_ultra.errors import AttemptFailedError, AttemptProblem, Verdict

NOT_IMPLEMENTED = 501
_RETRIED_STATUSES = frozenset({408, 409, 425, TOO_MANY_REQUESTS, 498, *range(500, 600)} - {NOT_IMPLEMENTED})
_MAX_DOUBLINGS = 16

Jitter = Callable[[Case, int, int], float]
"""Returns a number in [0, 1) for the back-off of a case's turn after its n-th attempt."""


class RetryPolicy(msgspec.Struct, frozen=True):
    """Limits on the retries of one turn.

    An answer that asks to wait, such as a 429, does not count as one of the `attempts`. All waits of a turn add up to
    at most `patience_s`; the call fails at once when the endpoint asks for a longer wait than is left.
    """

    attempts: int = 6
    attempt_timeout_s: float = 120.0
    patience_s: float = 600.0
    backoff_base_s: float = 0.5
    backoff_cap_s: float = 30.0


DEFAULT_POLICY = RetryPolicy()


class RetryState(msgspec.Struct, frozen=True):
    """The attempts and waits of a turn so far: `counted` leaves out requests to wait, `made` has all attempts."""

    counted: int = 0
    made: int = 0
    waited_s: float = 0.0

    def after_failure(self, failure: AttemptFailedError) -> RetryState:
        return RetryState(self.counted + (not asks_to_wait(failure)), self.made + 1, self.waited_s)

    def after_wait(self, seconds: float) -> RetryState:
        return msgspec.structs.replace(self, waited_s=self.waited_s + seconds)


def keyed_jitter(case: Case, turn: int, attempt: int) -> float:
    """Draw the same number for the same attempt in every run."""
    return random.Random(f"{case.case_id}|{turn}|{attempt}").random()


_RETRIED_VERDICTS = frozenset({Verdict.RETRY, Verdict.WAIT})


def asks_to_wait(failure: AttemptFailedError) -> bool:
    """Return whether the endpoint wants the same request later."""
    if failure.is_judged_by_status:
        return failure.status == TOO_MANY_REQUESTS
    return failure.verdict is Verdict.WAIT or (failure.verdict is Verdict.RETRY and failure.status == TOO_MANY_REQUESTS)


def is_retryable(failure: AttemptFailedError) -> bool:
    """Return whether the same request may succeed; without a verdict, the problem and the status decide."""
    if failure.problem is AttemptProblem.UNRECORDED:
        return False
    if not failure.is_judged_by_status:
        return failure.verdict in _RETRIED_VERDICTS
    return failure.problem is not AttemptProblem.STATUS or not is_final_status(failure.status)


def is_final_status(status: int | None) -> bool:
    """Return whether an endpoint that answers a request with this status always will."""
    return status is not None and status not in _RETRIED_STATUSES


def decide_retry(
    failure: AttemptFailedError, retries: RetryState, policy: RetryPolicy, jitter: float
) -> float | CallFailed:
    """Return the seconds to wait before the next attempt, or why there is none; `jitter` is in [0, 1)."""
    if failure.problem is AttemptProblem.UNRECORDED:
        return CallFailed(EndReason.ENDPOINT, failure.detail)
    if failure.verdict is Verdict.MODEL_FAILURE:
        advice = f" ({failure.advice})" if failure.advice else ""
        return CallFailed(EndReason(failure.end_reason or EndReason.MALFORMED_GENERATION), failure.detail + advice)
    if not is_retryable(failure):
        return CallFailed(EndReason.ENDPOINT, f"The endpoint rejected the request ({failure}).")
    reason = EndReason.RATE_LIMIT if asks_to_wait(failure) else EndReason.ENDPOINT
    if retries.counted >= policy.attempts:
        return CallFailed(reason, f"No answer after {retries.made} attempts; the last one: {failure}.")
    left_s = policy.patience_s - retries.waited_s
    retry_after_s = failure.retry_after_s or 0.0
    if left_s <= 0 or retry_after_s > left_s:
        return CallFailed(reason, _describe_timeout(failure, retries, policy))
    return min(left_s, _wait_s(retry_after_s, retries.made, policy, jitter))


def _wait_s(retry_after_s: float, made: int, policy: RetryPolicy, jitter: float) -> float:
    if retry_after_s > 0:  # never earlier than asked, and a little later, so that not all cases retry at once
        return max(retry_after_s, policy.backoff_base_s) * (1 + jitter / 10)
    doubled = policy.backoff_base_s * 2.0 ** min(made - 1, _MAX_DOUBLINGS)
    return min(policy.backoff_cap_s, doubled) * (1 + jitter) / 2


def _describe_timeout(failure: AttemptFailedError, retries: RetryState, policy: RetryPolicy) -> str:
    asked = f", which now asks for {failure.retry_after_s:g} s more" if failure.retry_after_s else ""
    return (
        f"Waited {retries.waited_s:g} s of at most {policy.patience_s:g} s for the endpoint{asked}; "
        f"{retries.made} attempts, the last one: {failure}."
    )
