"""Connections to real MCP servers: a URL, a command, or a server object of this process."""

from __future__ import annotations

import asyncio
import os
import shlex
import tempfile
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import urlsplit, urlunsplit

from pytest_ultra.errors import ConfigurationError


def missing_mcp(error: ImportError) -> ConfigurationError:
    """Return the error for a missing package, or for a version of `mcp` before 2, which has no Client."""
    return ConfigurationError(
        f"MCP servers need the package mcp, version 2 or later ({error}); pip install 'pytest-ultra[mcp]'"
    )


try:
    from mcp import Client, StdioServerParameters, stdio_client
    from mcp.server import MCPServer, Server
except ImportError as error:
    raise missing_mcp(error) from None

_STDERR_LINES = 20


class McpConnection:
    """A connection to a server, made when it is first needed.

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


def read_target(server: Any, cwd: Path | None) -> Any:
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


def describe_unreachable(target: Any, error: BaseException, stderr_tail: str = "") -> str:
    """Return what is wrong with a server that cannot be reached, and what to give instead."""
    return (
        f"{_show(target)!r} is no MCP server that can be reached: {_describe(error)}; give the URL of one that runs, "
        f"or a command that starts one on its standard input and output{stderr_tail}"
    )


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
    if isinstance(first, TimeoutError) and str(first):
        return str(first)
    return f"{type(first).__name__}: {first}" if str(first) else type(first).__name__
