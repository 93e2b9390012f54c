"""The HTTP client under the SDKs: proxies and TLS as for all endpoints, and what it received of each attempt."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import msgspec

from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from pytest_ultra.providers.machine_errors import find_machine_advice
from pytest_ultra.providers.proxies import find_proxy
from pytest_ultra.providers.transport import MAX_BODY_BYTES, HttpResponse, too_long

_received: ContextVar[list[Any]] = ContextVar("received")
_PROBLEMS = {
    "ConnectError": AttemptProblem.REFUSED,
    "ConnectTimeout": AttemptProblem.REFUSED,
    "ProxyError": AttemptProblem.REFUSED,
    "ReadError": AttemptProblem.DROPPED,
    "WriteError": AttemptProblem.DROPPED,
    "CloseError": AttemptProblem.DROPPED,
    "RemoteProtocolError": AttemptProblem.DROPPED,
    "ConnectionError": AttemptProblem.DROPPED,
    "TimeoutException": AttemptProblem.TIMEOUT,
}
"""By the names of httpx's exceptions, which httpx2 shares, and of Python's own."""
_NOT_HTTP = "illegal"  # how h11 describes an answer that is not HTTP


def open_http_client(url: str, environ: Mapping[str, str], headers: Mapping[str, str]) -> Any:
    """Return an `httpx2.AsyncClient` for one endpoint, without time limits: the engine limits an attempt's time.

    `headers` replace those that the SDK sends.
    """
    import httpx2  # noqa: PLC0415 - installed with each SDK

    async def set_headers(request: Any) -> None:
        request.headers.update(headers)

    return httpx2.AsyncClient(
        timeout=None,
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None),
        proxy=find_proxy(url, environ),
        trust_env=False,  # the proxy is looked up as for all endpoints
        verify=ssl.create_default_context(),
        event_hooks={"request": [set_headers], "response": [_receive]},
    )


@contextmanager
def receiving() -> Iterator[list[Any]]:
    """Collect the answers that this task's client receives in the block, so that no SDK has to pass them on."""
    answers: list[Any] = []
    token = _received.set(answers)
    try:
        yield answers
    finally:
        _received.reset(token)


async def _receive(response: Any) -> None:
    _received.get([]).append(response)
    _bound_body(response)


def _bound_body(response: Any) -> None:
    """Let nobody read more of an answer than `MAX_BODY_BYTES`, which the SDKs would do whole or event by event."""
    read_all = response.aiter_bytes

    async def read_bounded(chunk_size: int | None = None) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in read_all(chunk_size):
            size += len(chunk)
            if size > MAX_BODY_BYTES:
                raise too_long(response.status_code)
            yield chunk

    response.aiter_bytes = read_bounded


def read_response(answers: list[Any], error: Exception | None = None) -> HttpResponse | None:
    """Return the last answer; None if there is none.

    The body of a streamed one was read by the SDK; what it says of an error is in the exception.
    """
    if not answers:
        return None
    answer = answers[-1]
    try:
        body: bytes = answer.content
    except RuntimeError:  # it was streamed
        body = _encode(getattr(error, "body", None) or getattr(error, "details", None))
    return HttpResponse(answer.status_code, answer.headers, body)


def find_connection_failure(error: BaseException) -> AttemptFailedError | None:
    """Return the failed attempt of a connection that could not be made, broke, or brought too much; else None."""
    for cause in _causes(error):
        if isinstance(cause, AttemptFailedError):
            return cause
        names = [kind.__name__ for kind in type(cause).__mro__]
        problem = next((_PROBLEMS[name] for name in names if name in _PROBLEMS), None)
        if problem is not None:
            return _failure(error, cause, problem)
    return None


def _failure(error: BaseException, cause: BaseException, problem: AttemptProblem) -> AttemptFailedError:
    innermost = list(_causes(cause))[-1]
    text = " ".join(str(innermost).split() or str(cause).split())
    advice = find_machine_advice(error)
    if advice:
        return AttemptFailedError(AttemptProblem.MACHINE, f"{advice} ({text})")
    if any(isinstance(each, socket.gaierror) for each in _causes(cause)):
        problem = AttemptProblem.LOOKUP
    elif _NOT_HTTP in str(cause):
        problem = AttemptProblem.MALFORMED
    return AttemptFailedError(problem, f"{text} ({type(cause).__name__})" if text else type(cause).__name__)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _encode(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode(errors="replace")
    try:
        return msgspec.json.encode(value) if value else b""
    except (TypeError, ValueError):
        return str(value).encode(errors="replace")
