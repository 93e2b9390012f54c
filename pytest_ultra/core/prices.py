"""Prices of tokens: a dated table of list prices, and the cost of a number of tokens.

Each price was compared with the public table of the package genai-prices 0.2.3 (November 2026), which had checked
those of OpenAI and Google on the providers' own pages from 12 to 15 October 2026; Anthropic's are undated there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million prompt tokens, and per million completion tokens."""

    prompt: float
    completion: float

    def cost(self, prompt_tokens: float, completion_tokens: float) -> float:
        """Return US dollars."""
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1_000_000


FREE = Price(0.0, 0.0)
AS_OF = "2026-10"
"""The month of the table: standard list prices, without discounts for caches or batches."""

PRICES: Mapping[str, Price] = MappingProxyType(
    {
        "openai/gpt-5": Price(1.25, 10.0),
        "openai/gpt-5-mini": Price(0.25, 2.0),
        "openai/gpt-5-nano": Price(0.05, 0.4),
        "openai/gpt-4.1": Price(2.0, 8.0),
        "openai/gpt-4.1-mini": Price(0.4, 1.6),
        "openai/gpt-4.1-nano": Price(0.1, 0.4),
        "openai/gpt-4o": Price(2.5, 10.0),
        "openai/gpt-4o-mini": Price(0.15, 0.6),
        "openai/o3": Price(2.0, 8.0),
        "openai/o4-mini": Price(1.1, 4.4),
        "anthropic/claude-haiku-4-5-20251001": Price(1.0, 5.0),
        "anthropic/claude-sonnet-4-5-20250929": Price(3.0, 15.0),
        "anthropic/claude-opus-4-1-20250805": Price(15.0, 75.0),
        "anthropic/claude-sonnet-4-20250514": Price(3.0, 15.0),
        "anthropic/claude-opus-4-20250514": Price(15.0, 75.0),
        "anthropic/claude-3-7-sonnet-20250219": Price(3.0, 15.0),
        "anthropic/claude-3-5-haiku-20241022": Price(0.8, 4.0),
        "google/gemini-2.5-flash": Price(0.3, 2.5),
        "google/gemini-2.5-flash-lite": Price(0.1, 0.4),
    }
)
"""By provider and model. Prices change: give your own with `--ultra-price` if they matter."""
