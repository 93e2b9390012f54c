"""Asking an endpoint until it answers or is given up: the one retry loop."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import msgspec

from pytest_ultra.benchmark.case import Case
from pytest_ultra.benchmark.chat import ChatRequest, plain
from pytest_ultra.benchmark.prices import Price
from pytest_ultra.benchmark.transcript import Attempted, EndReason, Reply
from pytest_ultra.engine.attempts import BROKEN_OFF, Attempts
from pytest_ultra.engine.clock import Clock
from pytest_ultra.engine.endpoint import Endpoint
from pytest_ultra.engine.fallback import find_rejected_parameter, may_reject_tools
from pytest_ultra.engine.gate import Permit
from pytest_ultra.engine.given_up import GivenUp
from pytest_ultra.engine.health import Health
from pytest_ultra.engine.limiter import UNLIMITED, Limiter
from pytest_ultra.engine.mood import TOO_MANY_REQUESTS
from pytest_ultra.engine.pulse import Pulse
from pytest_ultra.errors import AttemptFailedError, AttemptProblem

NOT_IMPLEMENTED = 501
_RETRIED_STATUSES = frozenset({408, 409, TOO_MANY_REQUESTS, *range(500, 600)} - {NOT_IMPLEMENTED})
_MAX_DOUBLINGS = 16

TIME_LIMIT = "The episode's time limit ran out."

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


class Caller:
    """The way to an endpoint that all episodes of an engine share.

    `tool_rejections` says by model how its endpoint rejects native tools, as far as that is known.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        clock: Clock,
        *,
        policy: RetryPolicy = DEFAULT_POLICY,
        limiter: Limiter = UNLIMITED,
        chance: Chance = keyed_chance,
        prices: Mapping[str, Price] | None = None,
        pulse: Pulse | None = None,
    ) -> None:
        self.clock = clock
        self.prices = prices or {}
        self.pulse = pulse or Pulse()
        self._attempts = Attempts(endpoint, policy.attempt_timeout_s)
        self._policy = policy
        self._limiter = limiter
        self._chance = chance
        self.tool_rejections: dict[str, str] = {}
        self._rejected_parameters: dict[str, tuple[str, ...]] = {}
        self._healths: dict[tuple[str, int], Health] = {}
        self._asked: set[str] = set()
        self._verdicts: dict[str, GivenUp] = {}
        self._broken_off: GivenUp | None = None  # why nothing more is asked in this run

    async def ask(
        self, request: ChatRequest, note: Callable[[Attempted], None], limit_s: float | None = None
    ) -> Reply | GivenUp:
        """Return the model's reply to a turn, or why there is none; `note` is told of each attempt.

        An attempt that lasts longer than `limit_s` ends the turn as the model's timeout. Failed attempts
        and waiting are not counted into it.
        """
        model = request.case.model
        self._asked.add(model)
        request = request.without(*self._rejected_parameters.get(model, ()))
        tried = Tried()
        while (verdict := self._verdict(model)) is None:
            permit = await self._limiter.enter(request)
            if isinstance(permit, GivenUp):
                return permit
            if permit is not None and permit.route != request.route:
                request = msgspec.structs.replace(request, route=permit.route)
            result, duration_s = await self._attempt(request, permit, limit_s)
            if not isinstance(result, AttemptFailedError):
                return self._conclude(request, result, duration_s, note)
            rejected = find_rejected_parameter(request, result)
            if rejected is not None:
                note(_rejection(request.turn, duration_s, result, rejected))
                request = request.without(rejected)
                continue
            tried = tried.failed(result)
            self._learn(request, result, permit)
            step = self._next_step(request, result, tried, permit)
            wait_s = 0.0 if isinstance(step, GivenUp) else step
            note(Attempted(request.turn, duration_s, result.problem, result.status, result.detail, wait_s))
            if isinstance(step, GivenUp):
                return step
            tried = tried.waited(wait_s)
            await self._limiter.rest(model, wait_s)
        return verdict

    def _conclude(
        self, request: ChatRequest, result: Reply | GivenUp, duration_s: float, note: Callable[[Attempted], None]
    ) -> Reply | GivenUp:
        """Book an attempt after which there is no other."""
        if isinstance(result, GivenUp):
            if result.reason is EndReason.AGENT_TIMEOUT:
                note(Attempted(request.turn, duration_s, AttemptProblem.TIMEOUT, detail=result.detail))
            elif result.reason is EndReason.ENDPOINT:
                note(Attempted(request.turn, duration_s, AttemptProblem.DROPPED, detail=BROKEN_OFF))
            return result
        self._health_of(request).answered()
        self.pulse.beat()
        note(Attempted(request.turn, duration_s))
        self._remember(request)
        return plain(result)

    def _verdict(self, model: str) -> GivenUp | None:
        """Return why a model is not asked any more."""
        return self._broken_off or self._verdicts.get(model)

    def _break_off(self, refusal: AttemptFailedError) -> GivenUp:
        """Let nobody wait for an answer that will not come, whatever the model."""
        self._broken_off = GivenUp(EndReason.SKIPPED, refusal.detail)
        for model in self._asked:
            self._limiter.dismiss(model, self._broken_off)
        return self._broken_off

    def _remember(self, request: ChatRequest) -> None:
        """Ask without what an endpoint rejects from now on, since that is what it answers."""
        if request.omitted:
            self._rejected_parameters[request.case.model] = request.omitted

    def _health_of(self, request: ChatRequest) -> Health:
        asked = (request.case.model, request.route)
        if asked not in self._healths:
            self._healths[asked] = Health(request.case.model)
        return self._healths[asked]

    def _learn(self, request: ChatRequest, failure: AttemptFailedError, permit: Permit | None) -> None:
        """Give an endpoint up if it must be, and with the last of its endpoints the model."""
        if may_reject_tools(request, failure.status):
            return  # that says nothing about the model yet
        health = self._health_of(request)
        health.failed(failure, self.clock.now())
        if health.verdict is not None and not self._limiter.exclude(permit):
            verdict = self._verdicts[request.case.model] = GivenUp(EndReason.ENDPOINT, health.verdict)
            self._limiter.dismiss(request.case.model, verdict)
            self._attempts.give_up(request.case.model, verdict)

    def _next_step(
        self, request: ChatRequest, failure: AttemptFailedError, tried: Tried, permit: Permit | None
    ) -> float | GivenUp:
        if verdict := self._verdicts.get(request.case.model):
            return verdict
        if self._health_of(request).verdict is not None:
            return 0.0  # another endpoint is asked
        is_put_off = failure.status == TOO_MANY_REQUESTS or bool(failure.retry_after_s)
        if is_put_off and tried.attempts < self._policy.attempts and self._limiter.has_other(permit):
            return 0.0  # likewise: the wait is for the one that asks for it
        return decide(failure, tried, self._policy, self._chance(request.case, request.turn, tried.made))

    async def _attempt(
        self, request: ChatRequest, permit: Permit | None, limit_s: float | None
    ) -> tuple[Reply | AttemptFailedError | GivenUp, float]:
        started = self.clock.now()
        result: Reply | AttemptFailedError | GivenUp | None = None
        is_cut = False
        try:
            result, is_cut = await self._attempts.make(request, limit_s)
        finally:
            self._limiter.leave(permit, None if isinstance(result, GivenUp) else result)
        duration_s = self.clock.now() - started
        if isinstance(result, AttemptFailedError) and result.problem is AttemptProblem.BUDGET:
            return self._break_off(result), duration_s
        is_cut = is_cut or (limit_s is not None and duration_s >= limit_s)
        return (GivenUp(EndReason.AGENT_TIMEOUT, TIME_LIMIT) if is_cut else result), duration_s


def _rejection(turn: int, duration_s: float, failure: AttemptFailedError, parameter: str) -> Attempted:
    detail = f"asked again without {parameter}: {failure.detail}"
    return Attempted(turn, duration_s, AttemptProblem.PARAMETER, failure.status, detail)
