"""A proxy before a real MCP server, which puts faults on the calls of its tools."""

from __future__ import annotations

import asyncio
import secrets
import socket
import sys
import threading
from pathlib import Path
from typing import Any, Self

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.real_tools.injected_faults import ToolFaults
from pytest_ultra.real_tools.mcp_connection import McpConnection, describe_unreachable, missing_mcp, read_target

try:
    import uvicorn
    from mcp import Client
    from mcp.types import CallToolResult, Tool
except ImportError as error:
    raise missing_mcp(error) from None

from pytest_ultra.real_tools.faulty_mcp_calls import FaultyMcpCalls
from pytest_ultra.real_tools.mcp_forwarder import make_forwarder
from pytest_ultra.real_tools.mcp_listing import Listing, load_listing, read_listing

START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 10.0
_MAX_BODY_BYTES = 256 * 1024 * 1024  # what a server takes on its standard input has no bound


class McpProxy:
    """An MCP server on loopback that passes requests on to a real one, with faults on its tools.

    `server` is a URL (streamable HTTP), a command, `mcp.StdioServerParameters`, or a server object of the packages
    `mcp` and `fastmcp`. The proxy, and a server that is a command, start when they are first needed, or in a `with`
    block, and stop at its end or by `close`; the fixtures do this. Raises `errors.ConfigurationError` if the server
    does not start.
    """

    def __init__(
        self,
        server: Any,
        faults: ToolFaults,
        *,
        name: str = "server",
        cwd: Path | None = None,
        start_timeout_s: float = START_TIMEOUT_S,
    ) -> None:
        self.faults = faults
        self.name = name
        self._target = read_target(server, cwd)
        self._start_timeout_s = start_timeout_s
        self._run: _ProxyRun | None = None
        self._lock = threading.Lock()
        faults.on_close(self.close)

    @property
    def url(self) -> str:
        """The proxy's URL, for clients of streamable HTTP on this machine. It holds a secret token."""
        return self._started().url

    @property
    def command(self) -> list[str]:
        """A command that is the proxy as a stdio server, for clients that start one."""
        return [sys.executable, "-m", "pytest_ultra.real_tools.stdio_bridge", self.url]

    @property
    def config(self) -> dict[str, Any]:
        """The proxy as an entry of `mcpServers`, the usual form of clients' configuration files."""
        command, *args = self.command
        return {"command": command, "args": args}

    def client(self, **options: Any) -> Client:
        """Return a new `mcp.Client` of the proxy, for `async with`; `options` are passed on to it."""
        return Client(self.url, **options)

    def call(self, tool: str, arguments: dict[str, Any] | None = None) -> CallToolResult:
        """Call a tool through the proxy, and wait for the result."""
        return self._started().call(tool, arguments or {})

    def tools(self) -> list[Tool]:
        """Return the tools of the server."""
        return list(self._started().listing.tools.values())

    def close(self) -> None:
        """Stop the proxy, and a server that is a command."""
        with self._lock:
            if self._run is not None:
                self._run.stop()
                self._run = None

    def __enter__(self) -> Self:
        self._started()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _started(self) -> _ProxyRun:
        with self._lock:
            if self._run is None:
                run = _ProxyRun(self._target, self.faults, self.name)
                try:
                    run.start(self._start_timeout_s)
                except BaseException:  # also Ctrl-C
                    run.stop()
                    raise
                self._run = run
            return self._run


class _ProxyRun:
    """The proxy while it runs: an event loop in a thread of its own."""

    def __init__(self, target: Any, faults: ToolFaults, name: str) -> None:
        self._target = target
        self._faults = faults
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._upstream: McpConnection | None = None
        self._server: uvicorn.Server | None = None
        self._client: Client | None = None
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._path = f"/{secrets.token_urlsafe(16)}/mcp"
        self._thread = threading.Thread(target=self._work, name=f"ultra-mcp-{name}", daemon=True)

    listing: Listing

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}{self._path}"

    def start(self, timeout_s: float) -> None:
        self._thread.start()
        is_ready = self._ready.wait(timeout_s)
        if self._error is None and is_ready:
            return
        error = self._error or TimeoutError(f"it did not answer within {timeout_s:g} seconds")
        tail = self._upstream.stderr_tail() if self._upstream is not None else ""
        raise ConfigurationError(describe_unreachable(self._target, error, tail))

    def stop(self) -> None:
        if self._thread.is_alive():
            self._stop_soon()
        self._thread.join(_STOP_TIMEOUT_S)
        self._socket.close()

    def call(self, tool: str, arguments: dict[str, Any]) -> CallToolResult:
        """Call a tool in the proxy's thread, and wait for the result."""
        if self._loop is None or self._client is None:
            raise RuntimeError("the proxy does not run")
        return asyncio.run_coroutine_threadsafe(self._client.call_tool(tool, arguments), self._loop).result()

    def _work(self) -> None:
        try:
            with asyncio.Runner() as runner:
                self._loop = runner.get_loop()
                runner.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - reported by `start`, in the thread that waits
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        async with McpConnection(self._target) as upstream:
            self._upstream = upstream
            self.listing = await self._list(upstream)
            calls = FaultyMcpCalls(self.listing, upstream.connect, self._faults)
            forwarder = make_forwarder(self.listing, upstream.connect, calls.call)
            app = forwarder.streamable_http_app(streamable_http_path=self._path, max_request_body_size=_MAX_BODY_BYTES)
            config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1, ws="none")
            self._server = _Server(config, self._ready)
            async with Client(forwarder) as self._client:
                await self._server.serve(sockets=[self._socket])

    async def _list(self, upstream: McpConnection) -> Listing:
        """Return the listing of the recording, else of the server."""
        stored = self._faults.recorded_servers.get(self._name)
        listing = await read_listing(await upstream.connect()) if stored is None else load_listing(stored)
        self._faults.servers[self._name] = listing.store()
        return listing

    def _stop_soon(self) -> None:
        if self._server is not None:
            self._server.should_exit = True
        elif self._upstream is not None and self._loop is not None:
            self._upstream.give_up(self._loop)


class _Server(uvicorn.Server):  # type: ignore[misc]
    """A server that reports when it takes requests."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()
