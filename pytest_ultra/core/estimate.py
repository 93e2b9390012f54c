"""What an episode is expected to take."""

from __future__ import annotations

import msgspec


class Estimate(msgspec.Struct, frozen=True):
    """Expected values, so not whole numbers."""

    requests: float
    tool_calls: float
    prompt_tokens: float
    completion_tokens: float

    @property
    def tokens(self) -> float:
        return self.prompt_tokens + self.completion_tokens
