"""The budget of a run: what it may ask for and spend in all, held by all of its processes together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.prices import Price
from pytest_ultra.core.transcript import Reply
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


def refusal(reason: str) -> str:
    """Say why an episode went no further."""
    return f"not lived to its end: {reason}"


def find_limit(spent: Spent, most: Amounts) -> str | None:
    """Return which limit is reached, in words, None if none is."""
    if most.cost is not None and spent.cost >= most.cost:
        return f"the budget of ${most.cost:g} (--ultra-max-cost) is spent"
    if most.tokens is not None and spent.tokens >= most.tokens:
        return f"the budget of {most.tokens:,} tokens (--ultra-max-tokens) is spent"
    if most.requests is not None and spent.requests >= most.requests:
        return f"the budget of {most.requests:,} requests (--ultra-max-requests) is spent"
    return None


def share(most: Amounts, requests: float, tokens: float, cost: float) -> float:
    """Return what part of the scarcest amount so much is; 0 where nothing is limited."""
    pairs = ((requests, most.requests), (tokens, most.tokens), (cost, most.cost))
    return max((amount / limit for amount, limit in pairs if limit), default=0.0)


def _ignore(case: Case, spent: Spent) -> None:
    """Stand in where nobody wants to know who has spent it."""


class BudgetedEndpoint:
    """An endpoint that is asked only while there is budget; what is answered without asking it costs nothing."""

    def __init__(
        self,
        inner: Endpoint,
        budget: Budget,
        prices: Mapping[str, Price],
        on_spent: Callable[[Case, Spent], None] = _ignore,
    ) -> None:
        self._inner = inner
        self._budget = budget
        self._prices = prices
        self._on_spent = on_spent

    async def attempt(self, request: ChatRequest) -> Reply:
        reason = self._budget.take()
        if reason is not None:
            raise AttemptFailedError(AttemptProblem.BUDGET, refusal(reason))
        self._on_spent(request.case, Spent(requests=1))
        reply = await self._inner.attempt(request)
        price = self._prices.get(request.case.model)
        cost = 0.0 if price is None else price.cost(reply.prompt_tokens, reply.completion_tokens)
        tokens = reply.prompt_tokens + reply.completion_tokens
        self._budget.book(tokens, cost)
        self._on_spent(request.case, Spent(tokens=tokens, cost=cost))
        return reply

    async def aclose(self) -> None:
        self._budget.close()
        await self._inner.aclose()
