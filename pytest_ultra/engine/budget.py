"""The budget of a run: what it may ask for and spend in all, held by all of its processes together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from pytest_ultra.benchmark.chat import ChatRequest
from pytest_ultra.benchmark.prices import Price
from pytest_ultra.benchmark.transcript import Reply
from pytest_ultra.engine.endpoint import Endpoint
from pytest_ultra.errors import AttemptFailedError, AttemptProblem


class Amounts(msgspec.Struct, frozen=True):
    """The most that a run may spend, in requests, tokens and US dollars; None is no limit."""

    requests: int | None = None
    tokens: int | None = None
    cost: float | None = None

    @property
    def is_limited(self) -> bool:
        return any(most is not None for most in msgspec.structs.astuple(self))


class Spent(msgspec.Struct, frozen=True):
    """What a run has spent; `has_refused` when a request was not made for want of budget."""

    requests: int = 0
    tokens: int = 0
    cost: float = 0.0
    has_refused: bool = False


class Budget(Protocol):
    """Says whether one more request may be made, and books what it took."""

    def take(self) -> str | None:
        """Count a request, or return why there is none any more."""

    def book(self, tokens: int, cost: float) -> None: ...

    def close(self) -> None: ...


def find_limit(spent: Spent, most: Amounts) -> str | None:
    """Return which limit is reached, in words, None if none is."""
    if most.cost is not None and spent.cost >= most.cost:
        return f"the budget of ${most.cost:g} (--ultra-max-cost) is spent"
    if most.tokens is not None and spent.tokens >= most.tokens:
        return f"the budget of {most.tokens:,} tokens (--ultra-max-tokens) is spent"
    if most.requests is not None and spent.requests >= most.requests:
        return f"the budget of {most.requests:,} requests (--ultra-max-requests) is spent"
    return None


class BudgetedEndpoint:
    """An endpoint that is asked only while there is budget; what is answered without asking it costs nothing."""

    def __init__(self, inner: Endpoint, budget: Budget, prices: Mapping[str, Price]) -> None:
        self._inner = inner
        self._budget = budget
        self._prices = prices

    async def attempt(self, request: ChatRequest) -> Reply:
        reason = self._budget.take()
        if reason is not None:
            raise AttemptFailedError(AttemptProblem.BUDGET, f"not lived to its end: {reason}")
        reply = await self._inner.attempt(request)
        price = self._prices.get(request.case.model)
        cost = 0.0 if price is None else price.cost(reply.prompt_tokens, reply.completion_tokens)
        self._budget.book(reply.prompt_tokens + reply.completion_tokens, cost)
        return reply

    async def aclose(self) -> None:
        self._budget.close()
        await self._inner.aclose()
