"""A proxy before a real MCP server, which puts faults on the calls of its tools."""

from __future__ import annotations

import asyncio
import os
import secrets
import shlex
import socket
import sys
import tempfile
import threading
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import urlsplit, urlunsplit

from pytest_ultra.errors import ConfigurationError
from pytest_ultra.real_tools.injected_faults import ToolFaults

try:
    import uvicorn
    from mcp import Client, StdioServerParameters, stdio_client
    from mcp.server import MCPServer, Server
    from mcp.types import CallToolResult, Tool
except ImportError as error:  # or a version before 2, which has no Client
    raise ConfigurationError(
        f"MCP servers need the package mcp, version 2 or later ({error}); pip install 'pytest-ultra[mcp]'"
    ) from None

from pytest_ultra.real_tools.faulty_mcp_calls import FaultyMcpCalls
from pytest_ultra.real_tools.mcp_forwarder import make_forwarder
from pytest_ultra.real_tools.mcp_listing import Listing, load_listing, read_listing

START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 10.0
_STDERR_LINES = 20
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
        self._target = _read_target(server, cwd)
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
        self._upstream: _Upstream | None = None
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
        reason = f"it did not answer within {timeout_s:g} seconds" if self._error is None else _describe(self._error)
        tail = self._upstream.stderr_tail() if self._upstream is not None else ""
        raise ConfigurationError(
            f"{_show(self._target)!r} is no MCP server that can be reached: {reason}; give the URL of one that runs, "
            f"or a command that starts one on its standard input and output{tail}"
        )

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
        async with _Upstream(self._target) as upstream:
            self._upstream = upstream
            self.listing = await self._list(upstream)
            calls = FaultyMcpCalls(self.listing, upstream.connect, self._faults)
            forwarder = make_forwarder(self.listing, upstream.connect, calls.call)
            app = forwarder.streamable_http_app(streamable_http_path=self._path, max_request_body_size=_MAX_BODY_BYTES)
            config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1, ws="none")
            self._server = _Server(config, self._ready)
            async with Client(forwarder) as self._client:
                await self._server.serve(sockets=[self._socket])

    async def _list(self, upstream: _Upstream) -> Listing:
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


class _Upstream:
    """The connection to the real server, made when it is first needed.

    A connection is opened and closed in one task, as the package `mcp` requires.
    """

    def __init__(self, target: Any) -> None:
        self._target = target
        self._wanted = asyncio.Event()
        self._closing = asyncio.Event()
        self._client: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._stderr: IO[str] = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - closed in __aexit__
        self._task = asyncio.create_task(self._hold())

    async def connect(self) -> Client:
        self._wanted.set()
        return await asyncio.shield(self._client)

    def stderr_tail(self) -> str:
        """Return the last lines that the server wrote to its standard error."""
        if self._stderr.closed:
            return self._tail
        self._stderr.seek(0)
        lines = self._stderr.read().splitlines()[-_STDERR_LINES:]
        return "".join(["; its standard error ends with:\n", "\n".join(lines)]) if lines else ""

    def give_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cancel a connection that does not come about. May be called in any thread."""
        with suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(self._task.cancel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        self._wanted.set()
        await asyncio.wait([self._task])
        self._tail = self.stderr_tail()
        self._stderr.close()

    _tail = ""

    async def _hold(self) -> None:
        """Connect when it is wanted, and keep the connection until the end."""
        await self._wanted.wait()
        if self._closing.is_set():
            return
        try:
            async with AsyncExitStack() as stack:
                client = await stack.enter_async_context(Client(self._transport()))
                self._client.set_result(client)
                await self._closing.wait()
        except BaseException as error:
            if not self._client.done():
                self._client.set_exception(_first(error))
                return
            if isinstance(error, asyncio.CancelledError):
                raise

    def _transport(self) -> Any:
        if isinstance(self._target, StdioServerParameters):
            return stdio_client(self._target, errlog=self._stderr)
        return self._target


def _read_target(server: Any, cwd: Path | None) -> Any:
    """Return what `mcp.Client` takes: a URL, the parameters of a command, or a server object."""
    if isinstance(server, StdioServerParameters | Server | MCPServer):
        return server
    if not isinstance(server, str):
        inner = getattr(server, "_mcp_server", None)  # fastmcp's
        if isinstance(inner, Server):
            return inner
        raise ConfigurationError(
            f"{type(server).__name__} is no MCP server; give its URL, its command, or the server object, not a client"
        )
    if server.startswith(("http://", "https://")):
        return server
    words = shlex.split(server)
    if not words:
        raise ConfigurationError(f"{server!r} names no MCP server; give its URL or command")
    return StdioServerParameters(command=words[0], args=words[1:], env=dict(os.environ), cwd=cwd)


def _show(target: Any) -> str:
    if isinstance(target, StdioServerParameters):
        return shlex.join([target.command, *target.args])
    if not isinstance(target, str):
        return type(target).__name__
    parts = urlsplit(target)  # without what may be secret
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _first(error: BaseException) -> BaseException:
    """Return the first error of a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _describe(error: BaseException) -> str:
    first = _first(error)
    return f"{type(first).__name__}: {first}" if str(first) else type(first).__name__
