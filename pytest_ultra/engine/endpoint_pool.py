"""The endpoints that serve one model: each call goes to the one with the most capacity; unhealthy ones are paused."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from pytest_ultra.core.transcript import EndReason, Reply
from pytest_ultra.engine.adaptive_limit import is_endpoint_failure
from pytest_ultra.engine.clock import Clock
from pytest_ultra.engine.endpoint import CallFailed
from pytest_ultra.engine.endpoint_limiter import EndpointLimiter, Permit
from pytest_ultra.errors import AttemptFailedError

FAILURES_BEFORE_PAUSE = 3
PAUSE_S = 5.0
MAX_PAUSE_S = 60.0

_DUE_FOR_PROBE, _HEALTHY, _UNHEALTHY = range(3)
_MOVED = CallFailed(EndReason.ENDPOINT, "The endpoint is paused; another one is used.")


class _PooledEndpoint:
    """One endpoint of a pool. It is unhealthy from `FAILURES_BEFORE_PAUSE` consecutive failures to its next answer."""

    def __init__(self, limiter: EndpointLimiter) -> None:
        self.limiter = limiter
        self.in_flight = 0
        self.is_excluded = False
        self.is_probed = False
        self._consecutive_failures = 0
        self._pauses = 0
        self._paused_until = 0.0

    def rank(self, now: float) -> tuple[int, float, float, int]:
        """Sort those due for a probe first, then the healthy ones by availability and load, then the unhealthy ones."""
        available_in_s, load = self.limiter.availability()
        if self.is_paused(now) or (self.is_probed and self._pauses):
            return _UNHEALTHY, self._paused_until, load, self.in_flight
        state = _DUE_FOR_PROBE if self._pauses and not available_in_s else _HEALTHY
        return state, available_in_s, load, self.in_flight

    def is_paused(self, now: float) -> bool:
        return now < self._paused_until

    def observe(self, result: Reply | AttemptFailedError | None, now: float) -> bool:
        """Record the result of a call; return whether it starts a pause."""
        if isinstance(result, AttemptFailedError) and is_endpoint_failure(result):
            self._consecutive_failures += 1
            is_failing = self._consecutive_failures >= FAILURES_BEFORE_PAUSE
            return is_failing and not self.is_paused(now) and self._pause(now)
        self.is_probed = False
        if result is not None:
            self._consecutive_failures = self._pauses = 0
            self._paused_until = 0.0
        return False

    def _pause(self, now: float) -> bool:
        self.is_probed = False
        self._paused_until = now + min(MAX_PAUSE_S, PAUSE_S * 2.0**self._pauses)
        self._pauses += 1
        return True


class EndpointPool:
    """The endpoints of one model, in the order of their routes, each with its limiter."""

    def __init__(self, model: str, limiters: Sequence[EndpointLimiter], clock: Clock) -> None:
        self.limiters = tuple(limiters)
        self._model = model
        self._clock = clock
        self._endpoints = [_PooledEndpoint(limiter) for limiter in limiters]
        self._failure: CallFailed | None = None

    async def acquire(self, tokens: float) -> Permit | CallFailed:
        """Wait until an attempt may be made; return its permit, with the route, or why none will be possible."""
        if len(self.limiters) == 1:
            return await self.limiters[0].acquire(self._model, tokens)
        refused: set[int] = set()
        while True:
            route = self._choose()
            result = await self._acquire(self._endpoints[route], tokens)
            if isinstance(result, Permit):
                return msgspec.structs.replace(result, model=self._model, route=route)
            if self._failure is not None:
                return self._failure
            if result is not _MOVED and (route in refused or len(refused) == len(self.limiters) - 1):
                return result
            if result is not _MOVED:
                refused.add(route)

    def release(self, permit: Permit, result: Reply | AttemptFailedError | None) -> None:
        endpoint = self._endpoints[permit.route]
        endpoint.in_flight -= 1
        if endpoint.observe(result, self._clock.now()) and self.has_other(permit.route):
            endpoint.limiter.cancel_waiting(self._model, _MOVED)

    def exclude(self, route: int) -> bool:
        """Use an endpoint no more; return whether others are left."""
        self._endpoints[route].is_excluded = True
        has_others = any(not endpoint.is_excluded for endpoint in self._endpoints)
        if has_others:
            self._endpoints[route].limiter.cancel_waiting(self._model, _MOVED)
        return has_others

    def has_other(self, route: int) -> bool:
        """Return whether another endpoint is healthy and available without a wait."""
        now = self._clock.now()
        others = (other for number, other in enumerate(self._endpoints) if number != route and not other.is_excluded)
        return any(other.rank(now)[0] < _UNHEALTHY and other.rank(now)[1] == 0 for other in others)

    def cancel_waiting(self, failure: CallFailed) -> None:
        self._failure = failure
        for limiter in self.limiters:
            limiter.cancel_waiting(self._model, failure)

    async def _acquire(self, endpoint: _PooledEndpoint, tokens: float) -> Permit | CallFailed:
        endpoint.is_probed = True  # only matters for an unhealthy endpoint
        try:
            result = await endpoint.limiter.acquire(self._model, tokens)
        except asyncio.CancelledError:
            endpoint.is_probed = False
            raise
        if isinstance(result, Permit):
            endpoint.in_flight += 1
        else:
            endpoint.is_probed = False
        return result

    def _choose(self) -> int:
        now = self._clock.now()
        routes = [route for route, endpoint in enumerate(self._endpoints) if not endpoint.is_excluded] or [0]
        return min(routes, key=lambda route: self._endpoints[route].rank(now))
