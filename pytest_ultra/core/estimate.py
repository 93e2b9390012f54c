"""What an episode is expected to take."""

from __future__ import annotations

import msgspec


class Estimate(msgspec.Struct, frozen=True):
    """Expected values, so not whole numbers; and the most, if every episode went to its turn limit (0: unknown)."""

    requests: float
    tool_calls: float
    prompt_tokens: float
    completion_tokens: float
    most_requests: float = 0.0
    most_prompt_tokens: float = 0.0
    most_completion_tokens: float = 0.0

    @property
    def tokens(self) -> float:
        return self.prompt_tokens + self.completion_tokens

    @property
    def most_tokens(self) -> float:
        return self.most_prompt_tokens + self.most_completion_tokens
