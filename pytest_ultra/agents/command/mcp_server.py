"""The tools of episodes as MCP servers: streamable HTTP on loopback, at a URL of its own for each episode."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any

import msgspec
import uvicorn
import uvicorn.lifespan.off
import uvicorn.protocols.http.h11_impl
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import CallToolRequestParams, CallToolResult, ListToolsResult, TextContent, Tool
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from pytest_ultra.agents.call_batch import CallBatch
from pytest_ultra.core.agent_session import AgentSession
from pytest_ultra.core.json_types import ToolSchema
from pytest_ultra.core.transcript import ToolCall
from pytest_ultra.errors import EpisodeEndedError

SERVER_NAME = "tools"
"""How clients name the server. Nothing in it says that this is a test."""
REQUEST_TIMEOUT_S = 60.0
"""How long a client can take to send a request, and to take its answer."""
TOGETHER_S = 0.02
"""Calls that come within this time are made at once: a client sends each in a request of its own."""

_BACKLOG = 1024
_TOKEN_BYTES = 16
_STOP_S = 1.0


class EpisodeTools:
    """The MCP server of one episode."""

    def __init__(
        self, session: AgentSession, url: str, security: TransportSecuritySettings, *, together_s: float
    ) -> None:
        self.url = url
        self.is_used = False
        """Whether a client has listed the tools, or called one."""
        self._session = session
        self._calls = CallBatch(session, wait_s=together_s)
        server: Server[Any] = Server(SERVER_NAME, on_list_tools=self._list, on_call_tool=self._call)
        self.manager = StreamableHTTPSessionManager(server, json_response=True, security_settings=security)

    async def _list(self, _context: Any, _params: Any) -> ListToolsResult:
        self.is_used = True
        return ListToolsResult(tools=[_describe(schema) for schema in self._session.tools])

    async def _call(self, context: Any, params: CallToolRequestParams) -> CallToolResult:
        self.is_used = True
        arguments = json.dumps(params.arguments or {})  # msgspec writes no integer beyond 64 bits
        place = context.request_id if isinstance(context.request_id, int) else 0  # clients count their requests
        try:
            text = await self._calls.add(ToolCall("", params.name, arguments), place=place)
        except EpisodeEndedError as error:
            return _write_result(str(error), is_error=True)
        return _write_result(text, is_error=_is_error(text))


class McpServer:
    """Serves episodes in the loop in which it is opened.

    A path holds a token that nobody can guess, and requests from web pages are rejected by their host and origin.
    """

    def __init__(self, *, together_s: float = TOGETHER_S) -> None:
        self._together_s = together_s
        self._episodes: dict[str, EpisodeTools] = {}
        self._listener: socket.socket | None = None
        self._serving: asyncio.Task[None] | None = None
        self._server: uvicorn.Server | None = None

    @asynccontextmanager
    async def serve(self, session: AgentSession) -> AsyncIterator[EpisodeTools]:
        """Serve an episode's tools; at the end, streams that clients hold open are closed."""
        host = f"127.0.0.1:{self._open()}"
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        security = TransportSecuritySettings(
            allowed_hosts=[host, host.replace("127.0.0.1", "localhost")],
            allowed_origins=["http://127.0.0.1:*", "http://localhost:*"],
        )
        tools = EpisodeTools(session, f"http://{host}/{token}/mcp", security, together_s=self._together_s)
        async with tools.manager.run():
            self._episodes[token] = tools
            try:
                yield tools
            finally:
                del self._episodes[token]

    async def close(self) -> None:
        if self._server is not None and self._serving is not None:
            self._server.should_exit = self._server.force_exit = True
            await asyncio.wait({self._serving}, timeout=_STOP_S)
        if self._listener is not None:
            self._listener.close()

    def _open(self) -> int:
        """Start to listen unless that is done; return the port."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
            config = uvicorn.Config(
                self._answer,
                interface="asgi3",
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                proxy_headers=False,
            )
            self._server = uvicorn.Server(config)
            self._serving = asyncio.get_running_loop().create_task(self._server.serve([self._listener]))
        port: int = self._listener.getsockname()[1]
        return port

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        token, _, path = scope["path"].removeprefix("/").partition("/")
        tools = self._episodes.get(token)
        if tools is None:
            await _refuse(HTTPStatus.GONE, "the episode of this URL has ended")(scope, receive, send)
        elif path != "mcp":
            await _refuse(HTTPStatus.NOT_FOUND, "valid: /TOKEN/mcp")(scope, receive, send)
        elif scope["method"] == "GET":  # a stream that stays open
            await tools.manager.handle_request(scope, receive, send)
        else:
            with suppress(TimeoutError):
                async with asyncio.timeout(REQUEST_TIMEOUT_S):
                    await tools.manager.handle_request(scope, receive, send)


def _describe(schema: ToolSchema) -> Tool:
    function = schema["function"]
    return Tool(
        name=function["name"],
        description=function.get("description"),
        input_schema=function.get("parameters") or {"type": "object", "properties": {}},
    )


def _write_result(text: str, *, is_error: bool) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=is_error)


def _is_error(text: str) -> bool:
    try:
        result = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return isinstance(result, dict) and result.get("error") is not None


def _refuse(status: HTTPStatus, reason: str) -> PlainTextResponse:
    return PlainTextResponse(reason, status)
