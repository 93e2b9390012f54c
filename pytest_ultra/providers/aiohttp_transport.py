"""The HTTP transport on aiohttp (docs/http-client.md gives the reasons). Importing it costs 0.1 s, so do it late."""

from __future__ import annotations

import asyncio
import io
import re
import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack

import aiohttp

from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from pytest_ultra.providers.machine_errors import find_machine_advice
from pytest_ultra.providers.proxies import find_proxy
from pytest_ultra.providers.transport import HttpResponse

MAX_BODY_BYTES = 32 * 1024 * 1024
MAX_ERROR_BYTES = 64 * 1024
"""How much is read of the body of an error: enough for its message."""
_MAX_LARGE_BODIES = 2
"""Large bodies that are read at a time, so that memory does not grow with the number of requests."""
_LARGE_BYTES = 1024 * 1024  # aiohttp warns of larger bodies in one piece


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
        async with self._session.post(url, headers=headers, data=data, proxy=proxy, allow_redirects=False) as response:
            return HttpResponse(response.status, response.headers, await self._read(response))

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """Read a body: of an error its beginning, of a reply up to `MAX_BODY_BYTES`."""
        is_reply = 200 <= response.status < 300  # noqa: PLR2004 - the bounds of success in HTTP
        body = bytearray()
        async with AsyncExitStack() as stack:
            async for chunk in response.content.iter_any():
                is_first_large = len(body) <= _LARGE_BYTES < len(body) + len(chunk)
                body += chunk
                if not is_reply and len(body) >= MAX_ERROR_BYTES:
                    return bytes(body[:MAX_ERROR_BYTES])
                if len(body) > MAX_BODY_BYTES:
                    raise _too_long(response.status)
                if is_first_large:
                    await stack.enter_async_context(self._large_bodies)
            return bytes(body)

    def _proxy(self, url: str) -> str | None:
        if url not in self._proxies:
            self._proxies[url] = find_proxy(url, self._environ)
        return self._proxies[url]


def _too_long(status: int) -> AttemptFailedError:
    detail = f"the answer is longer than {MAX_BODY_BYTES} bytes"
    return AttemptFailedError(AttemptProblem.MALFORMED, detail, status=status)


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
    cause = error.os_error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"TLS: certificate verify failed: {cause.verify_message}; SSL_CERT_FILE names your own authorities"
    if isinstance(cause, ssl.SSLError):
        return f"TLS: {(cause.reason or str(cause)).replace('_', ' ').lower()}"
    return " ".join((cause.strerror or str(cause)).split())
