"""The endpoint protocol: what the engine needs of the client that serves the models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from pytest_ultra.core.bounds import bound_reply
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.token_usage import estimate_missing
from pytest_ultra.core.transcript import EndReason, Reply
from pytest_ultra.errors import AttemptFailedError


class Endpoint(Protocol):
    """Makes single attempts, and returns bounded replies (`core.bounds.bound_reply`). It does not retry."""

    async def attempt(self, request: ChatRequest) -> Reply:
        """Send the request once. Raise `errors.AttemptFailedError` if that gets no usable answer."""

    def adapt(self, request: ChatRequest, failure: AttemptFailedError) -> str | None:
        """Change how requests are written if this failure says what the endpoint rejects.

        Return the change in words that follow "asked again", as in "without temperature"; None if there is none. The
        same request can then be attempted again. Each change is made once, so that this ends.
        """

    async def aclose(self) -> None:
        """Close the connections. Called once, after the last attempt."""


class OwnEndpoint(Protocol):
    """A user's endpoint, which writes its requests itself. It may also have the method `adapt` of `Endpoint`."""

    async def attempt(self, request: ChatRequest) -> Reply: ...

    async def aclose(self) -> None: ...


class CallFailed(msgspec.Struct, frozen=True):
    """Returned in place of a reply: why a turn got none, after all retries."""

    reason: EndReason
    detail: str


class RedactingEndpoint:
    """Checks the answers of a user's own endpoint, keeps them within bounds, and redacts secrets in them."""

    def __init__(self, inner: OwnEndpoint, redact: Callable[[str], str]) -> None:
        self._inner = inner
        self._redact = redact

    async def attempt(self, request: ChatRequest) -> Reply:
        try:
            reply = await self._inner.attempt(request)
        except AttemptFailedError as error:
            error.detail = self._redact(error.detail)
            raise
        # An answer with other types or without bounds could be stored, and not be read again.
        checked = msgspec.convert(msgspec.to_builtins(reply), Reply)
        return estimate_missing(bound_reply(checked), request).with_texts(self._redact)

    def adapt(self, request: ChatRequest, failure: AttemptFailedError) -> str | None:
        """Let the user's endpoint adapt if it has that method."""
        adapt = getattr(self._inner, "adapt", None)
        change = None if adapt is None else adapt(request, failure)
        return self._redact(change) if isinstance(change, str) and change else None

    async def aclose(self) -> None:
        await self._inner.aclose()
