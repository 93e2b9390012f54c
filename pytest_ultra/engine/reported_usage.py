"""What a user's own agent says that it has used, beside what goes through its endpoint."""

from __future__ import annotations

from typing import TypeVar

from pytest_ultra.core.bounds import bound_tokens

Number = TypeVar("Number", int, float)


class ReportedUsage:
    """Tokens and US dollars, summed over an agent's reports; None is unknown."""

    def __init__(self) -> None:
        self.prompt: int | None = None
        self.completion: int | None = None
        self.cost: float | None = None

    def add(self, prompt: int | None, completion: int | None, cost: float | None) -> None:
        self.prompt = add_known(self.prompt, prompt and bound_tokens(prompt))
        self.completion = add_known(self.completion, completion and bound_tokens(completion))
        self.cost = add_known(self.cost, cost)


def add_known(known: Number | None, more: Number | None) -> Number | None:
    """Return the sum of what is known of two numbers."""
    if known is None or more is None:
        return known if more is None else more
    return known + more
