"""A loopback endpoint for the models behind agents: each episode has a base URL of its own there."""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
from contextlib import suppress
from http import HTTPStatus
from itertools import count

import msgspec
from aiohttp import web

from pytest_ultra.core.transcript import EndReason, Reply
from pytest_ultra.engine.agent_runtime import ModelCaller
from pytest_ultra.engine.endpoint import CallFailed
from pytest_ultra.providers.served_completions import (
    ServedRequest,
    encode_answer,
    encode_error,
    encode_stream,
    read_request,
)

_BACKLOG = 1024
_TOKEN_BYTES = 16
_MAX_BODY_BYTES = 64 * 1024 * 1024
_NO_RETRY = {"x-should-retry": "false"}  # the SDKs of OpenAI and Anthropic heed it: we have retried already


class ModelProxy:
    """Serves chat completions in the engine's loop. `serve` may be called in any thread, once the loop is known.

    A path holds a token that nobody can guess, so that other processes of the machine cannot call the run's models.
    """

    def __init__(self) -> None:
        self._callers: dict[str, ModelCaller] = {}
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listener: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._starting: asyncio.Task[None] | None = None  # kept, since a loop holds its tasks only weakly
        self._numbers = count(1)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set the loop in which requests are answered."""
        self._loop = loop

    def serve(self, caller: ModelCaller) -> str:
        """Return a base URL whose requests the caller answers."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        with self._lock:
            self._callers[token] = caller
            if self._listener is None:
                self._listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
                if self._loop is not None:
                    self._loop.call_soon_threadsafe(self._start, self._loop, self._listener)
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/{token}/v1"

    def stop_serving(self, url: str) -> None:
        """Answer no more requests at a base URL."""
        with self._lock:
            self._callers.pop(url.rsplit("/", 2)[-2], None)

    def close(self) -> None:
        """Stop listening. Call it when the loop is over."""
        if self._listener is not None:
            self._listener.close()

    async def aclose(self) -> None:
        """Stop the server, in its loop."""
        if self._server is not None:
            self._server.close()

    def _start(self, loop: asyncio.AbstractEventLoop, listener: socket.socket) -> None:
        self._starting = loop.create_task(self._open(loop, listener))

    async def _open(self, loop: asyncio.AbstractEventLoop, listener: socket.socket) -> None:
        protocol = web.Server(self._answer, access_log=None)
        self._server = await loop.create_server(protocol, sock=listener, backlog=_BACKLOG)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        _, _, rest = request.path.partition("/")
        token, _, path = rest.partition("/")
        caller = self._callers.get(token)
        if caller is None:
            return _error(HTTPStatus.GONE, "the episode of this base URL has ended", "episode_ended")
        match request.method, path:
            case "POST", "v1/chat/completions":
                return await self._complete(request, caller)
            case "GET", "v1/models":
                models = [{"id": caller.model, "object": "model", "owned_by": "pytest-ultra"}]
                return _json(HTTPStatus.OK, msgspec.json.encode({"object": "list", "data": models}))
        message = f"there is no {request.method} /{path}; valid: POST /v1/chat/completions, GET /v1/models"
        return _error(HTTPStatus.NOT_FOUND, message, "unknown_path")

    async def _complete(self, request: web.BaseRequest, caller: ModelCaller) -> web.StreamResponse:
        try:
            wanted = read_request(await _read(request))
        except ValueError as error:
            return _error(HTTPStatus.BAD_REQUEST, str(error), "invalid_request")
        if wanted.model != caller.model:
            message = f"the model behind this agent is {caller.model!r}, not {wanted.model!r}: use task.model"
            return _error(HTTPStatus.NOT_FOUND, message, "model_not_found")
        result = await caller.call_model(wanted.messages, wanted.tools, wanted.parameters)
        if isinstance(result, CallFailed):
            return _failure(result)
        number = next(self._numbers)
        if wanted.is_streamed:
            return await _stream(request, result, wanted, number)
        return _json(HTTPStatus.OK, encode_answer(result, wanted.model, number))


async def _read(request: web.BaseRequest) -> bytes:
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise ValueError(f"the body has more than {_MAX_BODY_BYTES:,} bytes")
    return bytes(body)


async def _stream(request: web.BaseRequest, reply: Reply, wanted: ServedRequest, number: int) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    with suppress(ConnectionError):  # the agent has gone
        await response.prepare(request)
        for event in encode_stream(reply, wanted.model, number, has_usage=wanted.has_stream_usage):
            await response.write(event)
        await response.write_eof()
    return response


def _failure(failed: CallFailed) -> web.Response:
    """Return what the agent gets where the run got no reply: its own failures as a 400, others as a 503."""
    if failed.reason is EndReason.CONTEXT_OVERFLOW:
        return _error(HTTPStatus.BAD_REQUEST, failed.detail, "context_length_exceeded")
    if failed.reason is EndReason.SKIPPED:
        return _error(HTTPStatus.GONE, failed.detail, "episode_ended")
    is_own = failed.reason.is_models or failed.reason is EndReason.ENDPOINT
    return _error(HTTPStatus.BAD_REQUEST if is_own else HTTPStatus.SERVICE_UNAVAILABLE, failed.detail, failed.reason)


def _error(status: HTTPStatus, message: str, code: str) -> web.Response:
    response = _json(status, encode_error(message, code))
    response.headers.update(_NO_RETRY)
    return response


def _json(status: HTTPStatus, body: bytes) -> web.Response:
    return web.Response(status=status, body=body, content_type="application/json")
