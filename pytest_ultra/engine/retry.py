"""The retry loop: calls an endpoint until it answers or the call fails. No other module retries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from pytest_ultra.core.chat_request import ChatRequest, MeteredReply, plain
from pytest_ultra.core.prices import Price
from pytest_ultra.core.transcript import Attempted, EndReason, Reply
from pytest_ultra.engine.activity_monitor import ActivityMonitor
from pytest_ultra.engine.attempts import CANCELLED, Attempt, AttemptRunner
from pytest_ultra.engine.backoff import (
    DEFAULT_POLICY,
    Jitter,
    RetryPolicy,
    RetryState,
    asks_to_wait,
    decide_retry,
    is_retryable,
    keyed_jitter,
)
from pytest_ultra.engine.budget import ReportedBudget
from pytest_ultra.engine.clock import Clock
from pytest_ultra.engine.endpoint import CallFailed, Endpoint
from pytest_ultra.engine.endpoint_health import EndpointHealth
from pytest_ultra.engine.endpoint_limiter import Permit
from pytest_ultra.engine.limiter import UNLIMITED, Limiter
from pytest_ultra.engine.standstill import Standstill
from pytest_ultra.engine.tool_rejection import may_reject_tools
from pytest_ultra.errors import AttemptFailedError, AttemptProblem

_CHECK_INTERVAL_S = 0.25

TIME_LIMIT = "The episode's time limit ran out."


def _always(request: ChatRequest) -> bool:
    del request
    return True


class Caller:
    """Calls an endpoint for all episodes of an engine.

    `tool_rejections` maps a model to the message with which its endpoint rejected native tools, if it has; `redact`
    removes secrets from a text; `reaches_model` returns whether a request would be sent to a model at all.
    `reported_budget` is for what agents use without a call of this.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        clock: Clock,
        *,
        policy: RetryPolicy = DEFAULT_POLICY,
        limiter: Limiter = UNLIMITED,
        jitter: Jitter = keyed_jitter,
        prices: Mapping[str, Price] | None = None,
        activity: ActivityMonitor | None = None,
        standstill: Standstill | None = None,
        redact: Callable[[str], str] = str,
        reaches_model: Callable[[ChatRequest], bool] | None = None,
        reported_budget: ReportedBudget | None = None,
    ) -> None:
        self.clock = clock
        self.reported_budget = reported_budget
        self.prices = prices or {}
        self.activity = activity or ActivityMonitor()
        self.standstill = standstill or Standstill(clock)
        self._endpoint = endpoint
        self._attempts = AttemptRunner(endpoint, policy.attempt_timeout_s, clock, self.standstill)
        self.redact = redact
        self._reaches_model = reaches_model or _always
        self._policy = policy
        self._limiter = limiter
        self._jitter = jitter
        self.tool_rejections: dict[str, str] = {}
        self._health: dict[tuple[str, int], EndpointHealth] = {}
        self._called_models: set[str] = set()
        self._failed_models: dict[str, CallFailed] = {}
        self._run_failure: CallFailed | None = None  # why this run sends no more requests
        self._waits = _WaitCounter()

    async def call(
        self, request: ChatRequest, record: Callable[[Attempted], None], limit_s: float | None = None
    ) -> Reply | CallFailed:
        """Return the model's reply to a turn, or why there is none; `record` receives each attempt.

        An attempt that lasts longer than `limit_s` ends the turn as the model's timeout. Failed attempts, waiting and
        standstill do not count towards it.
        """
        model = request.case.model
        self._called_models.add(model)
        retries = RetryState()
        while (failure := self._find_failure(request)) is None:
            permit = await self._acquire(request)
            if isinstance(permit, CallFailed):
                return permit
            request = request if permit is None else request.by(permit.route)
            result, duration_s = await self._attempt(request, permit, limit_s)
            if not isinstance(result, AttemptFailedError):
                return self._conclude(request, result, duration_s, record)
            change = self._endpoint.adapt(request, result)
            if change is not None:
                record(_rejection(request.turn, duration_s, result, change))
                continue
            retries = retries.after_failure(result)
            self._observe_failure(request, result, permit)
            step = self._next_step(request, result, retries, permit)
            wait_s = 0.0 if isinstance(step, CallFailed) else step
            record(Attempted(request.turn, duration_s, result.problem, result.status, result.detail, wait_s))
            if isinstance(step, CallFailed):
                return step
            retries = retries.after_wait(wait_s)
            await self._back_off(model, wait_s)
        return failure

    async def aclose(self) -> None:
        """Close the endpoint and the limiter."""
        try:
            await self._endpoint.aclose()
        finally:
            self._limiter.close()
            await self._limiter.wait_closed()

    async def _acquire(self, request: ChatRequest) -> Permit | CallFailed | None:
        with self._waits:
            return await self._limiter.acquire(request)

    async def _back_off(self, model: str, wait_s: float) -> None:
        with self._waits:
            await self._limiter.back_off(model, wait_s)

    def _conclude(
        self, request: ChatRequest, result: Reply | CallFailed, duration_s: float, record: Callable[[Attempted], None]
    ) -> Reply | CallFailed:
        """Record the last attempt of a turn."""
        if isinstance(result, CallFailed):
            if result.reason is EndReason.AGENT_TIMEOUT:
                record(Attempted(request.turn, duration_s, AttemptProblem.TIMEOUT, detail=result.detail))
            elif result.reason is EndReason.ENDPOINT:
                record(Attempted(request.turn, duration_s, AttemptProblem.DROPPED, detail=CANCELLED))
            return result
        self._health_of(request).observe_answer()
        self.activity.answered()
        record(Attempted(request.turn, duration_s, first_token_s=_first_token_s(result, duration_s)))
        return plain(result)

    async def watch(self, find_refusal: Callable[[], str | None]) -> None:
        """While calls wait, poll for a reason to send no more requests; when there is one, fail all calls with it."""
        while self._run_failure is None:
            await asyncio.sleep(_CHECK_INTERVAL_S)
            reason = find_refusal() if self._waits.count else None
            if reason is not None:
                self._fail_run(reason)

    def _find_failure(self, request: ChatRequest) -> CallFailed | None:
        """Return why the request may not be sent to its model, None if it may or is answered without the model."""
        failure = self._run_failure or self._failed_models.get(request.case.model)
        return failure if failure is not None and self._reaches_model(request) else None

    def _fail_run(self, reason: str) -> CallFailed:
        """Fail the calls of all models, those that wait included."""
        self._run_failure = CallFailed(EndReason.SKIPPED, reason)
        for model in self._called_models:
            self._limiter.cancel_waiting(model, self._run_failure)
        return self._run_failure

    def _health_of(self, request: ChatRequest) -> EndpointHealth:
        key = (request.case.model, request.route)
        if key not in self._health:
            self._health[key] = EndpointHealth(request.case.model)
        return self._health[key]

    def _observe_failure(self, request: ChatRequest, failure: AttemptFailedError, permit: Permit | None) -> None:
        """Exclude an endpoint that has failed for good; fail the model with its last endpoint."""
        if may_reject_tools(request, failure.status):
            return  # a call without native tools may still succeed
        health = self._health_of(request)
        health.observe_failure(failure, self.clock.now())
        if health.failure is not None and not self._limiter.exclude(permit):
            model = request.case.model
            call_failed = self._failed_models[model] = CallFailed(EndReason.ENDPOINT, health.failure)
            self._limiter.cancel_waiting(model, call_failed)
            self._attempts.cancel_all(model, call_failed)

    def _next_step(
        self, request: ChatRequest, failure: AttemptFailedError, retries: RetryState, permit: Permit | None
    ) -> float | CallFailed:
        """Return the seconds to wait before the next attempt, or why there is none."""
        if call_failed := self._failed_models.get(request.case.model):
            return call_failed
        if self._health_of(request).failure is not None:
            return 0.0  # use another endpoint
        has_to_wait = is_retryable(failure) and (asks_to_wait(failure) or bool(failure.retry_after_s))
        if has_to_wait and retries.counted < self._policy.attempts and self._limiter.has_other(permit):
            return 0.0  # use another endpoint: the wait is only for the one that asked for it
        return decide_retry(failure, retries, self._policy, self._jitter(request.case, request.turn, retries.made))

    async def _attempt(
        self, request: ChatRequest, permit: Permit | None, limit_s: float | None
    ) -> tuple[Reply | AttemptFailedError | CallFailed, float]:
        attempt: Attempt | None = None
        try:
            attempt = await self._attempts.run(request, limit_s)
        finally:
            result = None if attempt is None else attempt.result
            self._limiter.release(permit, None if isinstance(result, CallFailed) else result)
        result = attempt.result
        if isinstance(result, AttemptFailedError) and result.problem is AttemptProblem.BUDGET:
            return self._fail_run(result.detail), attempt.duration_s
        return (CallFailed(EndReason.AGENT_TIMEOUT, TIME_LIMIT) if attempt.is_late else result), attempt.duration_s


class _WaitCounter:
    """Counts the calls that wait before they may send a request."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> None:
        self.count += 1

    def __exit__(self, *_: object) -> None:
        self.count -= 1


def _first_token_s(reply: Reply, duration_s: float) -> float | None:
    """Return the time to the first token, which is within the attempt's, without its standstill."""
    first_token_s = reply.first_token_s if isinstance(reply, MeteredReply) else None
    return None if first_token_s is None else min(first_token_s, duration_s)


def _rejection(turn: int, duration_s: float, failure: AttemptFailedError, change: str) -> Attempted:
    detail = f"asked again {change}: {failure.detail}"
    return Attempted(turn, duration_s, AttemptProblem.PARAMETER, failure.status, detail)
