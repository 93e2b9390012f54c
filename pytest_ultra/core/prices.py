"""Prices of tokens: a dated table of list prices, and the cost of a number of tokens.

Each price was compared with the public table of the package genai-prices 0.2.3 (November 2026), which had checked
those of OpenAI and Google on the providers' own pages from 12 to 15 October 2026; Anthropic's are undated there. The
prices of cached tokens and of writing to the cache (Anthropic's for five minutes) are from the same table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol


class Consumed(Protocol):
    """Tokens by kind, such as those of a reply or of an episode."""

    @property
    def prompt_tokens(self) -> int: ...

    @property
    def completion_tokens(self) -> int: ...

    @property
    def cached_tokens(self) -> int: ...

    @property
    def cache_written_tokens(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million prompt tokens, and per million completion tokens.

    `cached` and `cache_written` are the prices of prompt tokens that were read from the provider's cache or written to
    it; None means that they cost as much as others. Reasoning costs as much as the rest of a completion.
    """

    prompt: float
    completion: float
    cached: float | None = None
    cache_written: float | None = None

    def cost(self, prompt_tokens: float, completion_tokens: float) -> float:
        """Return US dollars, without caches."""
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1_000_000

    def cost_of(self, consumed: Consumed) -> float:
        """Return US dollars."""
        cost = self.cost(consumed.prompt_tokens, consumed.completion_tokens)
        if self.cached is not None:
            cost += consumed.cached_tokens * (self.cached - self.prompt) / 1_000_000
        if self.cache_written is not None:
            cost += consumed.cache_written_tokens * (self.cache_written - self.prompt) / 1_000_000
        return max(0.0, cost)


FREE = Price(0.0, 0.0)
AS_OF = "2026-10"
"""The month of the table: standard list prices, without discounts for batches."""

PRICES: Mapping[str, Price] = MappingProxyType(
    {
        "openai/gpt-5": Price(1.25, 10.0, 0.125),
        "openai/gpt-5-mini": Price(0.25, 2.0, 0.025),
        "openai/gpt-5-nano": Price(0.05, 0.4, 0.005),
        "openai/gpt-4.1": Price(2.0, 8.0, 0.5),
        "openai/gpt-4.1-mini": Price(0.4, 1.6, 0.1),
        "openai/gpt-4.1-nano": Price(0.1, 0.4, 0.025),
        "openai/gpt-4o": Price(2.5, 10.0, 1.25),
        "openai/gpt-4o-mini": Price(0.15, 0.6, 0.075),
        "openai/o3": Price(2.0, 8.0, 0.5),
        "openai/o4-mini": Price(1.1, 4.4, 0.275),
        "anthropic/claude-haiku-4-5-20251001": Price(1.0, 5.0, 0.1, 1.25),
        "anthropic/claude-sonnet-4-5-20250929": Price(3.0, 15.0, 0.3, 3.75),
        "anthropic/claude-opus-4-1-20250805": Price(15.0, 75.0, 1.5, 18.75),
        "anthropic/claude-sonnet-4-20250514": Price(3.0, 15.0, 0.3, 3.75),
        "anthropic/claude-opus-4-20250514": Price(15.0, 75.0, 1.5, 18.75),
        "anthropic/claude-3-7-sonnet-20250219": Price(3.0, 15.0, 0.3, 3.75),
        "anthropic/claude-3-5-haiku-20241022": Price(0.8, 4.0, 0.08, 1.0),
        "google/gemini-2.5-flash": Price(0.3, 2.5, 0.03),
        "google/gemini-2.5-flash-lite": Price(0.1, 0.4, 0.01),
    }
)
"""By provider and model. Prices change: give your own with `--ultra-price` if they matter."""
