"""What is put up with before an endpoint is given up, and how long to wait before it is asked again."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.transcript import EndReason
from pytest_ultra.engine.adaptive_limit import TOO_MANY_REQUESTS
from pytest_ultra.engine.given_up import GivenUp
from pytest_ultra.errors import AttemptFailedError, AttemptProblem

NOT_IMPLEMENTED = 501
_RETRIED_STATUSES = frozenset({408, 409, TOO_MANY_REQUESTS, *range(500, 600)} - {NOT_IMPLEMENTED})
_MAX_DOUBLINGS = 16

Chance = Callable[[Case, int, int], float]
"""A number in [0, 1) for the back-off of a case's turn after its n-th attempt."""


class RetryPolicy(msgspec.Struct, frozen=True):
    """How much is put up with in one turn.

    A 429 uses up none of the `attempts`. All waits of a turn together are at most `patience_s`; an endpoint
    that asks for a longer wait than is left is given up at once.
    """

    attempts: int = 6
    attempt_timeout_s: float = 120.0
    patience_s: float = 600.0
    backoff_base_s: float = 0.5
    backoff_cap_s: float = 30.0


DEFAULT_POLICY = RetryPolicy()


class Tried(msgspec.Struct, frozen=True):
    """What a turn has cost so far: `attempts` are those that count, `made` all of them."""

    attempts: int = 0
    made: int = 0
    waited_s: float = 0.0

    def failed(self, failure: AttemptFailedError) -> Tried:
        counts = failure.status != TOO_MANY_REQUESTS
        return Tried(self.attempts + counts, self.made + 1, self.waited_s)

    def waited(self, seconds: float) -> Tried:
        return msgspec.structs.replace(self, waited_s=self.waited_s + seconds)


def keyed_chance(case: Case, turn: int, attempt: int) -> float:
    """Draw the same number for the same attempt in every run."""
    return random.Random(f"{case.case_id}|{turn}|{attempt}").random()


def is_retried(failure: AttemptFailedError) -> bool:
    if failure.problem is AttemptProblem.UNRECORDED:
        return False
    return failure.problem is not AttemptProblem.STATUS or not is_final(failure.status)


def is_final(status: int | None) -> bool:
    """Tell whether an endpoint that answers a request with this status always will."""
    return status is not None and status not in _RETRIED_STATUSES


def decide(failure: AttemptFailedError, tried: Tried, policy: RetryPolicy, chance: float) -> float | GivenUp:
    """Return the seconds to wait before the next attempt, or why there is none; `chance` is in [0, 1)."""
    if failure.problem is AttemptProblem.UNRECORDED:
        return GivenUp(EndReason.ENDPOINT, failure.detail)
    if not is_retried(failure):
        return GivenUp(EndReason.ENDPOINT, f"The endpoint rejects the request ({failure}).")
    reason = EndReason.RATE_LIMIT if failure.status == TOO_MANY_REQUESTS else EndReason.ENDPOINT
    if tried.attempts >= policy.attempts:
        return GivenUp(reason, f"No answer after {tried.made} attempts; the last one: {failure}.")
    left_s = policy.patience_s - tried.waited_s
    asked_s = failure.retry_after_s or 0.0
    if left_s <= 0 or asked_s > left_s:
        return GivenUp(reason, _impatience(failure, tried, policy))
    return min(left_s, _wait_s(asked_s, tried.made, policy, chance))


def _wait_s(asked_s: float, made: int, policy: RetryPolicy, chance: float) -> float:
    if asked_s > 0:  # never earlier than asked, a little later so that not all come back at once
        return max(asked_s, policy.backoff_base_s) * (1 + chance / 10)
    doubled = policy.backoff_base_s * 2.0 ** min(made - 1, _MAX_DOUBLINGS)
    return min(policy.backoff_cap_s, doubled) * (1 + chance) / 2


def _impatience(failure: AttemptFailedError, tried: Tried, policy: RetryPolicy) -> str:
    asked = f", which now asks for {failure.retry_after_s:g} s more" if failure.retry_after_s else ""
    return (
        f"Waited {tried.waited_s:g} s of at most {policy.patience_s:g} s for the endpoint{asked}; "
        f"{tried.made} attempts, the last one: {failure}."
    )
