"""Runs agents that are programs: each episode has a process, and an MCP server for its tools."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from pytest_ultra.agents.agent_task import AgentTask
from pytest_ultra.agents.command.agent_process import ENDS_WITHIN_S, AgentProcess, ProcessEnd
from pytest_ultra.agents.command.episode_values import EpisodeValues
from pytest_ultra.agents.command.mcp_server import EpisodeTools
from pytest_ultra.agents.command.mcp_thread import McpThread
from pytest_ultra.agents.command.placeholders import fill_command
from pytest_ultra.agents.command.process_streams import MAX_OUTPUT_BYTES, TAIL_BYTES
from pytest_ultra.core.agent_session import AgentEnd, AgentSession
from pytest_ultra.core.transcript import EndReason
from pytest_ultra.errors import ConfigurationError

READY_S = 120.0
"""How long a program can take until it lists the tools: some are downloaded first."""

NOT_LISTED = (
    "the agent never listed the tools of its MCP server. Its command gets the server by {mcp_url}, {mcp_config} or "
    "{mcp_stdio}, or by the environment variable ULTRA_MCP_URL"
)
_LAST_LINE_CHARS = 200

OnEnd = Callable[[AgentEnd], None]


class CommandAgents:
    """Starts the programs of a process. `commands` maps the names of agents in cases to their commands."""

    def __init__(
        self,
        commands: Mapping[str, str],
        *,
        folder: Path,
        ready_s: float = READY_S,
        new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
    ) -> None:
        """`folder` is where the programs run: the directory in which pytest was started."""
        self._ready_s = ready_s
        self._commands = commands
        self._folder = folder
        self._lock = threading.Lock()
        self._running: set[RunningCommand] = set()
        self._mcp = McpThread(new_loop=new_loop)

    def start(self, session: AgentSession, on_end: OnEnd) -> RunningCommand:
        """Start the program of the session's case; `on_end` is called once, in any thread, when it has ended."""
        running = RunningCommand(self._commands[session.case.model], self._folder, session, ready_s=self._ready_s)

        def run() -> None:
            try:
                end = running.run(self._mcp)
            finally:
                with self._lock:
                    self._running.discard(running)
            on_end(end)

        with self._lock:
            self._running.add(running)
        threading.Thread(target=run, name="ultra-command", daemon=True).start()
        return running

    def close(self) -> None:
        """Stop all programs, and wait shortly until they are gone; their guards end them in any case."""
        with self._lock:
            left = list(self._running)
        for running in left:
            running.cancel()
        ends_at = time.monotonic() + ENDS_WITHIN_S
        for running in left:
            running.wait(max(0.0, ends_at - time.monotonic()))
        self._mcp.close()


class RunningCommand:
    """A program at work. See `core.agent_session.RunningAgent`."""

    def __init__(self, command: str, folder: Path, session: AgentSession, *, ready_s: float) -> None:
        self._ready_s = ready_s
        self._command = command
        self._folder = folder
        self._session = session
        self._lock = threading.Lock()
        self._is_cancelled = False
        self._process: AgentProcess | None = None
        self._tools: EpisodeTools | None = None
        self._is_late = False

    def cancel(self) -> None:
        with self._lock:
            self._is_cancelled = True
        if self._process is not None:
            self._process.stop()

    def why_not_ready(self) -> str:
        return "" if self._tools is not None and self._tools.is_used else NOT_LISTED

    def wait(self, within_s: float) -> None:
        """Wait until the program is gone, or the time is up."""
        if self._process is not None:
            self._process.wait(within_s)

    def run(self, mcp: McpThread) -> AgentEnd:
        """Run the program to its end."""
        try:
            with mcp.serve(self._session) as tools:
                self._tools = tools
                return self._run(tools)
        except ConfigurationError as error:
            return _fail(str(error))
        except (OSError, ValueError) as error:
            return _fail(f"the agent's program cannot be started: {error}")
        except Exception as error:  # noqa: BLE001 - a bug of ours ends its own episode alone
            return AgentEnd(reason=EndReason.HARNESS, detail=f"{type(error).__name__}: {error}")

    def _run(self, tools: EpisodeTools) -> AgentEnd:
        with closing(EpisodeValues(self._command, AgentTask(self._session), tools)) as values:
            command = fill_command(self._command, values.find)
            environ = {**os.environ, **values.environment}
            with self._lock:
                if self._is_cancelled:
                    return AgentEnd()
                self._process = AgentProcess(command, environ=environ, folder=self._folder)
            gate = threading.Timer(self._ready_s, self._check_ready)
            gate.daemon = True
            gate.start()
            try:
                return self._judge(self._process.run(values.input))
            finally:
                gate.cancel()

    def _check_ready(self) -> None:
        if self.why_not_ready():
            self._is_late = True
            self.cancel()

    def _judge(self, end: ProcessEnd) -> AgentEnd:
        if end.flooded:
            what = f"The agent wrote more than {MAX_OUTPUT_BYTES // 2**20} MiB to {end.flooded}, and was killed."
            return _blame(what, end)
        if self._is_late:
            return _fail(f"{NOT_LISTED}. It had {self._ready_s:g} seconds for that{_last_line(end)}")
        if end.status != 0:
            return _blame(f"The agent ended {_describe_status(end.status)}.", end)
        not_ready = self.why_not_ready()
        if not_ready:
            return _fail(f"{not_ready}{_last_line(end)}")
        return AgentEnd(words=end.output.strip())


def _fail(detail: str) -> AgentEnd:
    return AgentEnd(reason=EndReason.AGENT_SETUP, detail=detail)


def _blame(what: str, end: ProcessEnd) -> AgentEnd:
    """Return the agent's own failure: the end of what it wrote, then, where it is looked for first, what happened."""
    written = end.error_tail.strip() or end.output[-TAIL_BYTES:].strip()
    return AgentEnd(reason=EndReason.AGENT_ERROR, detail=f"{written}\n{what}" if written else what)


def _describe_status(status: int) -> str:
    if status >= 0:
        return f"with exit code {status}"
    try:
        return f"by {signal.Signals(-status).name}"
    except ValueError:
        return f"by signal {-status}"


def _last_line(end: ProcessEnd) -> str:
    """Return the program's last words, which often name the reason."""
    lines = [line.strip() for text in (end.output, end.error_tail) for line in text.splitlines() if line.strip()]
    return f". Its last line: {lines[-1][:_LAST_LINE_CHARS]}" if lines else ""
