"""The HTTP transport on aiohttp (docs/http-client.md gives the reasons). Importing it costs 0.1 s, so do it late."""

from __future__ import annotations

import asyncio
import io
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack

import aiohttp

from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from pytest_ultra.providers.machine_errors import find_machine_advice
from pytest_ultra.providers.proxies import find_proxy
from pytest_ultra.providers.streams.completion_stream import CompletionStream
from pytest_ultra.providers.streams.server_sent_events import BEGINNING_BYTES, is_event_stream
from pytest_ultra.providers.transport import MAX_BODY_BYTES, HttpResponse, too_long

MAX_ERROR_BYTES = 64 * 1024
"""How much is read of the body of an error: enough for its message."""
_MAX_LARGE_BODIES = 2
"""Large bodies that are read at a time, so that memory does not grow with the number of requests."""
_LARGE_BYTES = 1024 * 1024  # aiohttp warns of larger bodies in one piece
_REST_S = 5.0
"""How long the rest of a stream may take whose reply is complete: its usage, and the sign that it is done."""
_CLOSE_S = 0.05
"""How long a stream that is done may take to end, so that its connection can be used again."""
_request = aiohttp.ClientSession._request  # noqa: SLF001 - see below
"""How a session sends a request. aioresponses and vcrpy replace it while a test runs, whatever else sends requests."""


class AiohttpTransport:
    """A `Transport`. Create it inside the running loop that will use it.

    Proxies are looked up in `environ`. TLS trusts the system's authorities, or those of `SSL_CERT_FILE`.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._proxies: dict[str, str | None] = {}
        self._large_bodies = asyncio.Semaphore(_MAX_LARGE_BODIES)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),  # aiohttp rounds its own to whole seconds
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float | None) -> HttpResponse:
        try:
            async with asyncio.timeout(timeout_s):
                return await self._post(url, headers, body)
        except TimeoutError:
            raise AttemptFailedError(AttemptProblem.TIMEOUT, _describe_timeout(timeout_s)) from None
        except (aiohttp.ClientError, OSError, MemoryError) as error:
            raise _failure(error) from error

    async def aclose(self) -> None:
        await self._session.close()

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> HttpResponse:
        data = body if len(body) < _LARGE_BYTES else io.BytesIO(body)
        proxy = self._proxy(url)
        started = asyncio.get_running_loop().time()
        sent = _request(self._session, "POST", url, headers=headers, data=data, proxy=proxy, allow_redirects=False)
        async with await sent as response:
            is_reply = 200 <= response.status < 300  # noqa: PLR2004 - the bounds of success in HTTP
            chunks = aiter(response.content.iter_any())
            beginning = await _read_beginning(chunks)
            if is_reply and is_event_stream(response.content_type, beginning):
                return await _read_stream(response, beginning, chunks, started)
            content = await self._read(response.status, beginning, chunks, is_reply=is_reply)
            return HttpResponse(response.status, response.headers, content)

    async def _read(self, status: int, beginning: bytes, chunks: AsyncIterator[bytes], *, is_reply: bool) -> bytes:
        """Read a body: of an error its beginning, of a reply up to `MAX_BODY_BYTES`."""
        body = bytearray()
        async with AsyncExitStack() as stack:
            chunk = beginning
            while chunk:
                is_first_large = len(body) <= _LARGE_BYTES < len(body) + len(chunk)
                body += chunk
                if not is_reply and len(body) >= MAX_ERROR_BYTES:
                    return bytes(body[:MAX_ERROR_BYTES])
                if len(body) > MAX_BODY_BYTES:
                    raise too_long(status)
                if is_first_large:
                    await stack.enter_async_context(self._large_bodies)
                chunk = await anext(chunks, b"")
            return bytes(body)

    def _proxy(self, url: str) -> str | None:
        if url not in self._proxies:
            self._proxies[url] = find_proxy(url, self._environ)
        return self._proxies[url]


async def _read_beginning(chunks: AsyncIterator[bytes]) -> bytes:
    """Read until it is clear whether the body is a stream."""
    beginning = b""
    async for chunk in chunks:
        beginning += chunk
        if len(beginning) >= BEGINNING_BYTES:
            break
    return beginning


async def _read_stream(
    response: aiohttp.ClientResponse, beginning: bytes, chunks: AsyncIterator[bytes], started: float
) -> HttpResponse:
    """Read a stream to the end of its reply, whether or not it is closed then."""
    completion = CompletionStream()
    first_token_s = None
    size = 0
    now = asyncio.get_running_loop().time
    try:
        async with asyncio.timeout(None) as rest:
            chunk = beginning
            while chunk:
                size += len(chunk)
                if size > MAX_BODY_BYTES:
                    raise too_long(response.status)
                completion.feed(chunk)
                if completion.has_token and first_token_s is None:
                    first_token_s = now() - started
                if completion.has_ended:
                    end = now() + (_CLOSE_S if completion.is_done else _REST_S)
                    rest.reschedule(min(end, rest.when() or end))
                chunk = await anext(chunks, b"")
    except (TimeoutError, aiohttp.ClientError, OSError):
        if not completion.has_ended:
            raise
    return HttpResponse(response.status, response.headers, completion.close(), first_token_s)


def _failure(error: Exception) -> AttemptFailedError:
    advice = find_machine_advice(error)
    if advice:
        return AttemptFailedError(AttemptProblem.MACHINE, f"{advice} ({_describe(error)})")
    return AttemptFailedError(_problem(error), _describe(error))


def _problem(error: Exception) -> AttemptProblem:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return AttemptProblem.LOOKUP
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientHttpProxyError):
        return AttemptProblem.REFUSED
    if isinstance(error, aiohttp.ClientResponseError):
        return AttemptProblem.MALFORMED  # the answer is not HTTP
    return AttemptProblem.DROPPED


def _describe_timeout(timeout_s: float | None) -> str:
    return "timed out" if timeout_s is None else f"no complete answer within {timeout_s:g} s"


_USERINFO = re.compile(r"//[^/@\s]*@")  # a proxy's address may contain its password


def _describe(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{_cause(error)} ({type(error).__name__}: {error.host}:{error.port})"
    message = " ".join(_USERINFO.sub("//", str(error)).split())
    return f"{type(error).__name__}: {message}" if message else type(error).__name__  # shortened where it is shown


def _cause(error: aiohttp.ClientConnectorError) -> str:
    """Return why there is no connection. It comes first in the description, whose end is cut where room is short."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):  # it has no `os_error` in aiohttp 3.12
        problem = getattr(error.certificate_error, "verify_message", error.certificate_error)
        return f"TLS: certificate verify failed: {problem}; SSL_CERT_FILE names your own authorities"
    cause = error.os_error
    if isinstance(cause, ssl.SSLError):
        return f"TLS: {(cause.reason or str(cause)).replace('_', ' ').lower()}"
    return " ".join((cause.strerror or str(cause)).split())
