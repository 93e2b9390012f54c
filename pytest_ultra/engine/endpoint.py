"""What the engine needs of whatever serves the models."""

from __future__ import annotations

from typing import Protocol

from pytest_ultra.benchmark.chat import ChatRequest
from pytest_ultra.benchmark.transcript import Reply


class Endpoint(Protocol):
    """Makes single attempts; whether to try again is not its business."""

    async def attempt(self, request: ChatRequest) -> Reply:
        """Ask once. Raise `errors.AttemptFailedError` when that brings no usable answer."""

    async def aclose(self) -> None:
        """Let go of connections. Called once, after the last attempt."""
