"""HTTP behind one short protocol, so that the client can be exchanged and tests can stand in for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec


class HttpResponse(msgspec.Struct, frozen=True):
    """An answer read to its end. Names in `headers` are lower-case, or the mapping ignores their case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Makes one attempt at one HTTP request; never tries again by itself."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> HttpResponse:
        """Return the answer whatever its status; raise `AttemptFailedError` when there is none."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...
