"""Permission to make an attempt: where limits on an endpoint are kept."""

from __future__ import annotations

from typing import Protocol

from pytest_ultra.benchmark.chat import ChatRequest
from pytest_ultra.benchmark.transcript import Reply
from pytest_ultra.errors import AttemptFailedError


class Limiter(Protocol):
    """Paces attempts. Waiting in `enter` is booked as waiting, not as the model's time."""

    async def enter(self, request: ChatRequest) -> None:
        """Return when an attempt may be made."""

    def leave(self, request: ChatRequest, result: Reply | AttemptFailedError | None) -> None:
        """Learn what became of the attempt; None when it was cut off."""


class Unlimited:
    """Lets everything through."""

    async def enter(self, request: ChatRequest) -> None: ...

    def leave(self, request: ChatRequest, result: Reply | AttemptFailedError | None) -> None: ...


UNLIMITED = Unlimited()
