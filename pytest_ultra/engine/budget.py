"""The budget of a run: limits on its requests, tokens and cost, which all of its processes share."""

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


class BudgetLimits(msgspec.Struct, frozen=True):
    """The most that a run may spend, in requests, tokens and US dollars; None is no limit."""

    requests: int | None = None
    tokens: int | None = None
    cost: float | None = None

    @property
    def is_limited(self) -> bool:
        return any(limit is not None for limit in msgspec.structs.astuple(self))


class Spent(msgspec.Struct, frozen=True):
    """What a run has spent; `has_refused` if the budget has refused a request."""

    requests: int = 0
    tokens: int = 0
    cost: float = 0.0
    has_refused: bool = False


class Budget(Protocol):
    """Decides whether one more request may be sent, and records what it used."""

    def take(self) -> str | None:
        """Count a request and return None, or return why no more may be sent."""

    def find_refusal(self) -> str | None:
        """Return why no more requests may be sent; None if they may. Counts no request."""

    def record(self, tokens: int, cost: float) -> None: ...

    def close(self) -> None: ...


def describe_refusal(reason: str) -> str:
    """Return the message of an episode that the budget stopped."""
    return f"not finished: {reason}"


def find_limit(spent: Spent, limits: BudgetLimits) -> str | None:
    """Return a sentence that names the limit that is reached, None if none is."""
    if limits.cost is not None and spent.cost >= limits.cost:
        return f"the budget of ${limits.cost:g} (--ultra-max-cost) is spent"
    if limits.tokens is not None and spent.tokens >= limits.tokens:
        return f"the budget of {limits.tokens:,} tokens (--ultra-max-tokens) is spent"
    if limits.requests is not None and spent.requests >= limits.requests:
        return f"the budget of {limits.requests:,} requests (--ultra-max-requests) is spent"
    return None


def largest_share(limits: BudgetLimits, requests: float, tokens: float, cost: float) -> float:
    """Return the largest of the three amounts' shares of their limits; 0 if nothing is limited."""
    pairs = ((requests, limits.requests), (tokens, limits.tokens), (cost, limits.cost))
    return max((amount / limit for amount, limit in pairs if limit), default=0.0)


def _ignore(case: Case, spent: Spent) -> None:
    """Do nothing: the default for `on_spent`."""


class BudgetedEndpoint:
    """Forwards requests to an endpoint while the budget lasts. Answers that need no request cost nothing."""

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
            raise AttemptFailedError(AttemptProblem.BUDGET, describe_refusal(reason))
        self._on_spent(request.case, Spent(requests=1))
        reply = await self._inner.attempt(request)
        price = self._prices.get(request.case.model)
        cost = 0.0 if price is None else price.cost_of(reply)
        tokens = reply.prompt_tokens + reply.completion_tokens
        self._budget.record(tokens, cost)
        self._on_spent(request.case, Spent(tokens=tokens, cost=cost))
        return reply

    def adapt(self, request: ChatRequest, failure: AttemptFailedError) -> str | None:
        return self._inner.adapt(request, failure)

    async def aclose(self) -> None:
        self._budget.close()
        await self._inner.aclose()


class ReportedBudget:
    """Counts against the budget what agents say that they have used without a request that the run could see."""

    def __init__(self, budget: Budget, on_spent: Callable[[Case, Spent], None] = _ignore) -> None:
        self._budget = budget
        self._on_spent = on_spent

    def find_refusal(self) -> str | None:
        """Return why no more agents may start, as the message of an episode; None if they may."""
        reason = self._budget.find_refusal()
        return None if reason is None else describe_refusal(reason)

    def record(self, case: Case, tokens: int, cost: float) -> None:
        self._budget.record(tokens, cost)
        self._on_spent(case, Spent(tokens=tokens, cost=cost))
