"""What the engine needs of whatever serves the models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.transcript import Reply
from pytest_ultra.errors import AttemptFailedError


class Endpoint(Protocol):
    """Makes single attempts; whether to try again is not its business."""

    async def attempt(self, request: ChatRequest) -> Reply:
        """Ask once. Raise `errors.AttemptFailedError` when that brings no usable answer."""

    async def aclose(self) -> None:
        """Let go of connections. Called once, after the last attempt."""


class DiscreetEndpoint:
    """Somebody else's endpoint, with secrets blotted out of what it answers."""

    def __init__(self, inner: Endpoint, redact: Callable[[str], str]) -> None:
        self._inner = inner
        self._redact = redact

    async def attempt(self, request: ChatRequest) -> Reply:
        try:
            reply = await self._inner.attempt(request)
        except AttemptFailedError as error:
            error.detail = self._redact(error.detail)
            raise
        return reply.with_texts(self._redact)

    async def aclose(self) -> None:
        await self._inner.aclose()
