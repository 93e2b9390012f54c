"""The MCP servers of a suite while they run, with the folder of files that they work on."""

from __future__ import annotations

import asyncio
import shlex
import tempfile
import threading
from collections.abc import Coroutine
from concurrent.futures import Future, wait
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

from mcp import Client, MCPError
from mcp.types import CONNECTION_CLOSED, Tool

from pytest_ultra.core.json_types import Json
from pytest_ultra.errors import ConfigurationError, ToolServerError
from pytest_ultra.mcp_suites.episode_files import EpisodeFiles
from pytest_ultra.mcp_suites.mcp_answers import McpAnswer, read_answer, with_path
from pytest_ultra.mcp_suites.suite_document import SHOWN_FOLDER, TMP_PATH, McpCall, SuiteDocument
from pytest_ultra.real_tools.mcp_connection import McpConnection, describe_unreachable, read_target
from pytest_ultra.real_tools.mcp_listing import read_listing

START_TIMEOUT_S = 60.0
CALL_TIMEOUT_S = 120.0
_CLOSE_TIMEOUT_S = 10.0

T = TypeVar("T")


class EventLoopThread:
    """An event loop in a daemon thread, for clients that are used for more than one call."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._work, name="ultra-mcp-suite", daemon=True)
        self._thread.start()
        self._pending: set[Future[Any]] = set()

    def _work(self) -> None:
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """Run a coroutine to its end. Raises TimeoutError."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout_s)
        except BaseException:  # also Ctrl-C
            future.cancel()
            raise

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a coroutine, which `stop` waits for."""
        self._pending.add(asyncio.run_coroutine_threadsafe(work, self._loop))

    def stop(self) -> None:
        wait(self._pending, timeout=_CLOSE_TIMEOUT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_TIMEOUT_S)


class SuiteServers:
    """All servers of a suite, started together. `tools` are theirs by name; `has_url` is whether one runs already.

    Raises ConfigurationError if one cannot be reached.
    """

    def __init__(self, document: SuiteDocument, base: Path, thread: EventLoopThread) -> None:
        table = document.table
        self._document = document
        self._thread = thread
        self._stack = AsyncExitStack()
        self._clients: dict[str, Client] = {}
        self.tools: dict[str, Tool] = {}
        has_folder = table.files is not None or any(TMP_PATH in target for target in table.mcp.values())
        template = None if table.files is None else base / table.files
        self._files = EpisodeFiles(_make_folder(), template, table.ignore) if has_folder else None
        try:
            thread.run(self._start(base), START_TIMEOUT_S * len(table.mcp))
        except BaseException:
            self.close()
            raise

    def call(self, name: str, arguments: dict[str, Json]) -> McpAnswer:
        """Call a tool. Raises ToolServerError if its server does not answer."""
        real = self._folder
        given = arguments if real is None else with_path(arguments, SHOWN_FOLDER, real)
        try:
            result = self._thread.run(self._clients[name].call_tool(name, given), CALL_TIMEOUT_S)
        except MCPError as error:
            if error.code == CONNECTION_CLOSED:
                raise ToolServerError(f"the MCP server of the tool {name} has ended: {error.message}") from error
            return McpAnswer(error.message, is_error=True)
        except Exception as error:
            raise ToolServerError(
                f"the MCP server of the tool {name} did not answer: {type(error).__name__}: {error}".removesuffix(": ")
            ) from error
        return read_answer(result, real)

    def state(self) -> dict[str, Json]:
        """Return the files, and what the calls of `snapshot` bring. Raises ToolServerError if one of those fails."""
        state: dict[str, Json] = {}
        if self._files is not None:
            state["files"] = with_path(self._files.state(), str(self._files.folder), SHOWN_FOLDER)
        for call in self._document.table.snapshot:
            answer = self.call(call.tool, call.arguments)
            if answer.is_error:
                raise ToolServerError(f"the call of {call.tool} in snapshot fails: {answer.value}")
            state[name_snapshot(call)] = answer.value
        return state

    def reset(self) -> None:
        """Bring files and servers back to their beginning, without a new process."""
        if self._files is not None:
            self._files.restore()
        reset = self._document.table.reset
        for call in reset if isinstance(reset, list) else ():
            answer = self.call(call.tool, call.arguments)
            if answer.is_error:
                raise ToolServerError(f"the call of {call.tool} in reset fails: {answer.value}")

    def close(self) -> None:
        """Stop the servers soon; the thread waits for it at its end."""
        self._thread.start(self._stop())

    async def _stop(self) -> None:
        try:
            await self._stack.aclose()
        finally:
            if self._files is not None:
                self._files.close()

    @property
    def _folder(self) -> str | None:
        return None if self._files is None else str(self._files.folder)

    async def _start(self, base: Path) -> None:
        for name, command in self._document.table.mcp.items():
            target = read_target(command.replace(TMP_PATH, shlex.quote(self._folder or "")), base)
            connection = await self._stack.enter_async_context(McpConnection(target))
            place = f"{self._document.find_line(('mcp', name))}: mcp.{name}"
            try:
                client = await asyncio.wait_for(connection.connect(), START_TIMEOUT_S)
                listing = await asyncio.wait_for(read_listing(client), START_TIMEOUT_S)
            except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - whatever a server does
                problem = describe_unreachable(target, error, connection.stderr_tail())
                raise ConfigurationError(f"{place}: {problem}") from None
            for tool in listing.tools.values():
                if self.tools.setdefault(tool.name, tool) is not tool:
                    raise ConfigurationError(
                        f"{place}: two servers have a tool {tool.name!r}; take one of them out of the suite"
                    )
                self._clients[tool.name] = client


def name_snapshot(call: McpCall) -> str:
    """Return the name of a snapshot's result in the state."""
    given = ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())
    return f"{call.tool}({given})" if given else call.tool


def _make_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="ultra-suite-")).resolve()
