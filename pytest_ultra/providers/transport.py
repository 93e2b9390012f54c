"""The protocol of HTTP transports, so that the HTTP client can be replaced, also by tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from pytest_ultra.errors import AttemptFailedError, AttemptProblem

MAX_BODY_BYTES = 32 * 1024 * 1024
"""No answer is read further than that."""


class HttpResponse(msgspec.Struct, frozen=True):
    """A complete answer. Names in `headers` are lower-case, or the mapping ignores case.

    `body` of a stream is what its events add up to; `first_token_s` is then the time from sending to the first event
    with text, a thought or a call.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    first_token_s: float | None = None


class Transport(Protocol):
    """Sends one HTTP request once; it never retries."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float | None) -> HttpResponse:
        """Return the answer, whatever its status. Raises `AttemptFailedError` if there is none.

        Without `timeout_s` the caller limits the time.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


def too_long(status: int) -> AttemptFailedError:
    """Return the failed attempt of an answer beyond `MAX_BODY_BYTES`."""
    detail = f"the answer is longer than {MAX_BODY_BYTES} bytes"
    return AttemptFailedError(AttemptProblem.MALFORMED, detail, status=status)
