"""Permission to make an attempt: where limits on an endpoint are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from pytest_ultra.benchmark.chat import ChatRequest
from pytest_ultra.benchmark.transcript import Reply
from pytest_ultra.engine.gate import Gate, Permit
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

    def close(self) -> None:
        self._limiter.close()


class EndpointLimiter:
    """A gate to each model's endpoint; models that are served by the same endpoint have the same gate."""

    def __init__(self, gates: Mapping[str, Gate], estimate: TokenEstimate | None = None) -> None:
        """Without an estimate, tokens are not counted."""
        self._gates = gates
        self._estimate = estimate

    async def enter(self, request: ChatRequest) -> Permit | GivenUp | None:
        tokens = 0.0 if self._estimate is None else self._estimate.of(request)
        return await self._gates[request.case.model].enter(request.case.model, tokens)

    def leave(self, permit: Permit | None, result: Reply | AttemptFailedError | None) -> None:
        if permit is not None:
            permit.gate.leave(permit, result, self._settle(permit, result))

    async def rest(self, model: str, seconds: float) -> None:
        await self._gates[model].rest(seconds)

    def dismiss(self, model: str, verdict: GivenUp) -> None:
        self._gates[model].dismiss(model, verdict)

    def close(self) -> None:
        for gate in set(self._gates.values()):
            gate.close()

    def _settle(self, permit: Permit, result: Reply | AttemptFailedError | None) -> float | None:
        """Return how many tokens were used, where that is known."""
        tokens = result.prompt_tokens + result.completion_tokens if isinstance(result, Reply) else 0
        if self._estimate is None or not tokens:
            return None
        self._estimate.learn(permit.tokens, tokens)
        return tokens
