"""Asking an endpoint until it answers or is given up: the one retry loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from pytest_ultra.core.chat_request import ChatRequest, plain
from pytest_ultra.core.prices import Price
from pytest_ultra.core.transcript import Attempted, EndReason, Reply
from pytest_ultra.engine.activity_monitor import Pulse
from pytest_ultra.engine.adaptive_limit import TOO_MANY_REQUESTS
from pytest_ultra.engine.attempts import BROKEN_OFF, Attempts
from pytest_ultra.engine.backoff import DEFAULT_POLICY, Chance, RetryPolicy, Tried, decide, keyed_chance
from pytest_ultra.engine.clock import Clock
from pytest_ultra.engine.endpoint import Endpoint
from pytest_ultra.engine.endpoint_health import Health
from pytest_ultra.engine.endpoint_limiter import Permit
from pytest_ultra.engine.given_up import GivenUp
from pytest_ultra.engine.limiter import UNLIMITED, Limiter
from pytest_ultra.engine.rejections import find_rejected_parameter, may_reject_tools
from pytest_ultra.errors import AttemptFailedError, AttemptProblem

_LOOK_S = 0.25

TIME_LIMIT = "The episode's time limit ran out."


def _always(request: ChatRequest) -> bool:
    del request
    return True


class Caller:
    """The way to an endpoint that all episodes of an engine share.

    `tool_rejections` says by model how its endpoint rejects native tools, as far as that is known; `redact` blots out
    secrets; `concerns` tells whether a request would go to a model at all.
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
        redact: Callable[[str], str] = str,
        concerns: Callable[[ChatRequest], bool] | None = None,
    ) -> None:
        self.clock = clock
        self.prices = prices or {}
        self.pulse = pulse or Pulse()
        self._attempts = Attempts(endpoint, policy.attempt_timeout_s)
        self.redact = redact
        self._concerns = concerns or _always
        self._policy = policy
        self._limiter = limiter
        self._chance = chance
        self.tool_rejections: dict[str, str] = {}
        self._rejections: set[tuple[str, str]] = set()  # what endpoints said themselves, and no cassette
        self._rejected_parameters: dict[str, tuple[str, ...]] = {}
        self._healths: dict[tuple[str, int], Health] = {}
        self._asked: set[str] = set()
        self._verdicts: dict[str, GivenUp] = {}
        self._broken_off: GivenUp | None = None  # why nothing more is asked in this run
        self._waiting_room = _WaitingRoom()

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
        while (verdict := self._verdict(request)) is None:
            permit = await self._enter(request)
            if isinstance(permit, GivenUp):
                return permit
            request = request if permit is None else request.by(permit.route)
            result, duration_s = await self._attempt(request, permit, limit_s)
            if not isinstance(result, AttemptFailedError):
                return self._conclude(request, result, duration_s, note)
            rejected = find_rejected_parameter(request, result)
            if rejected is not None:
                note(_rejection(request.turn, duration_s, result, rejected))
                request = self._leave_out(request, rejected)
                continue
            tried = tried.failed(result)
            self._learn(request, result, permit)
            step = self._next_step(request, result, tried, permit)
            wait_s = 0.0 if isinstance(step, GivenUp) else step
            note(Attempted(request.turn, duration_s, result.problem, result.status, result.detail, wait_s))
            if isinstance(step, GivenUp):
                return step
            tried = tried.waited(wait_s)
            await self._rest(model, wait_s)
        return verdict

    async def _enter(self, request: ChatRequest) -> Permit | GivenUp | None:
        with self._waiting_room:
            return await self._limiter.enter(request)

    async def _rest(self, model: str, wait_s: float) -> None:
        with self._waiting_room:
            await self._limiter.rest(model, wait_s)

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

    async def watch(self, refuse: Callable[[], str | None]) -> None:
        """Have those that wait learn at once that nothing more may be asked for, which `refuse` finds out."""
        while self._broken_off is None:
            await asyncio.sleep(_LOOK_S)
            reason = refuse() if self._waiting_room.visitors else None
            if reason is not None:
                self._break_off(reason)

    def _verdict(self, request: ChatRequest) -> GivenUp | None:
        """Return why a model is not asked any more; what is answered without asking it is not meant."""
        verdict = self._broken_off or self._verdicts.get(request.case.model)
        return verdict if verdict is not None and self._concerns(request) else None

    def _break_off(self, reason: str) -> GivenUp:
        """Let nobody wait for an answer that will not come, whatever the model."""
        self._broken_off = GivenUp(EndReason.SKIPPED, reason)
        for model in self._asked:
            self._limiter.dismiss(model, self._broken_off)
        return self._broken_off

    def _leave_out(self, request: ChatRequest, rejected: str) -> ChatRequest:
        if self._concerns(request):
            self._rejections.add((request.case.model, rejected))
        return request.without(rejected)

    def _remember(self, request: ChatRequest) -> None:
        """Ask without what an endpoint rejects from now on, since that is what it answers."""
        model = request.case.model
        if request.omitted:
            met = tuple(name for name in request.omitted if (model, name) in self._rejections)
            self._rejected_parameters[model] = met

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
            return self._break_off(result.detail), duration_s
        is_cut = is_cut or (limit_s is not None and duration_s >= limit_s)
        return (GivenUp(EndReason.AGENT_TIMEOUT, TIME_LIMIT) if is_cut else result), duration_s


class _WaitingRoom:
    """Counts those that wait before they may ask."""

    def __init__(self) -> None:
        self.visitors = 0

    def __enter__(self) -> None:
        self.visitors += 1

    def __exit__(self, *_: object) -> None:
        self.visitors -= 1


def _rejection(turn: int, duration_s: float, failure: AttemptFailedError, parameter: str) -> Attempted:
    detail = f"asked again without {parameter}: {failure.detail}"
    return Attempted(turn, duration_s, AttemptProblem.PARAMETER, failure.status, detail)
