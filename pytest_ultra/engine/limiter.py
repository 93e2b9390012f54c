"""Permission to make an attempt: where limits on an endpoint are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.endpoint_limiter import Permit
from pytest_ultra.engine.endpoint_pool import Pool
from pytest_ultra.engine.given_up import GivenUp
from pytest_ultra.engine.token_estimate import TokenEstimate
from pytest_ultra.errors import AttemptFailedError


class Limiter(Protocol):
    """Paces attempts. Waiting in `enter` is booked as waiting, not as the model's time."""

    async def enter(self, request: ChatRequest) -> Permit | GivenUp | None:
        """Return when an attempt may be made, with what is to be shown on leaving, or why none ever may."""

    def leave(self, permit: Permit | None, result: Reply | AttemptFailedError | None) -> None:
        """Learn what became of the attempt; None when it was cut off."""

    async def rest(self, model: str, seconds: float) -> None:
        """Back off before another attempt; return early when that has lost its sense."""

    def dismiss(self, model: str, verdict: GivenUp) -> None:
        """Turn away all who wait to ask a model that is given up."""

    def exclude(self, permit: Permit | None) -> bool:
        """Ask the permit's endpoint for its model no more; tell whether the model has others."""

    def has_other(self, permit: Permit | None) -> bool:
        """Tell whether another endpoint would take a call for the permit's model now."""

    def close(self) -> None:
        """Give back what is held. Called once, after the last attempt."""


class Unlimited:
    """Lets everything through."""

    async def enter(self, request: ChatRequest) -> None: ...

    def leave(self, permit: Permit | None, result: Reply | AttemptFailedError | None) -> None: ...

    async def rest(self, model: str, seconds: float) -> None:
        del model
        await asyncio.sleep(seconds)

    def dismiss(self, model: str, verdict: GivenUp) -> None: ...

    def exclude(self, permit: Permit | None) -> bool:
        del permit
        return False

    def has_other(self, permit: Permit | None) -> bool:
        del permit
        return False

    def close(self) -> None: ...


UNLIMITED = Unlimited()


class SparingLimiter:
    """Has only those attempts paced that go to a model: the others are answered from what is kept."""

    def __init__(self, limiter: Limiter, is_asked: Callable[[ChatRequest], bool]) -> None:
        self._limiter = limiter
        self._is_asked = is_asked

    async def enter(self, request: ChatRequest) -> Permit | GivenUp | None:
        return await self._limiter.enter(request) if self._is_asked(request) else None

    def leave(self, permit: Permit | None, result: Reply | AttemptFailedError | None) -> None:
        if permit is not None:
            self._limiter.leave(permit, result)

    async def rest(self, model: str, seconds: float) -> None:
        await self._limiter.rest(model, seconds)

    def dismiss(self, model: str, verdict: GivenUp) -> None:
        self._limiter.dismiss(model, verdict)

    def exclude(self, permit: Permit | None) -> bool:
        return self._limiter.exclude(permit)

    def has_other(self, permit: Permit | None) -> bool:
        return self._limiter.has_other(permit)

    def close(self) -> None:
        self._limiter.close()


class EndpointLimiter:
    """The gates to each model's endpoints; models that are served by the same endpoint have the same gate."""

    def __init__(self, pools: Mapping[str, Pool], estimate: TokenEstimate | None = None) -> None:
        """Without an estimate, tokens are not counted."""
        self._pools = pools
        self._estimate = estimate

    async def enter(self, request: ChatRequest) -> Permit | GivenUp | None:
        tokens = 0.0 if self._estimate is None else self._estimate.of(request)
        return await self._pools[request.case.model].enter(tokens)

    def leave(self, permit: Permit | None, result: Reply | AttemptFailedError | None) -> None:
        if permit is not None:
            permit.gate.leave(permit, result, self._settle(permit, result))
            if permit.model:
                self._pools[permit.model].leave(permit, result)

    async def rest(self, model: str, seconds: float) -> None:
        await self._pools[model].gates[0].rest(seconds)

    def dismiss(self, model: str, verdict: GivenUp) -> None:
        self._pools[model].dismiss(verdict)

    def exclude(self, permit: Permit | None) -> bool:
        return permit is not None and bool(permit.model) and self._pools[permit.model].exclude(permit.route)

    def has_other(self, permit: Permit | None) -> bool:
        return permit is not None and bool(permit.model) and self._pools[permit.model].has_other(permit.route)

    def close(self) -> None:
        for gate in {gate for pool in self._pools.values() for gate in pool.gates}:
            gate.close()

    def _settle(self, permit: Permit, result: Reply | AttemptFailedError | None) -> float | None:
        """Return how many tokens were used, where that is known."""
        tokens = result.prompt_tokens + result.completion_tokens if isinstance(result, Reply) else 0
        if self._estimate is None or not tokens:
            return None
        self._estimate.learn(permit.tokens, tokens)
        return tokens
