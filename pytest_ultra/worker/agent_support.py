"""What a process needs for users' own agents: their threads, and the endpoint of the models behind them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pytest_ultra.agents.agent_threads import AgentFunction, AgentThreads
from pytest_ultra.collection.run_commands import find_sdk_problem
from pytest_ultra.core.agent_session import AgentEnd, AgentSession, RunningAgent
from pytest_ultra.engine.agent_runtime import ModelCaller
from pytest_ultra.engine.clock import SYSTEM_CLOCK
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.worker.model_proxy import ModelProxy

if TYPE_CHECKING:  # needs the extra `mcp`
    from pytest_ultra.agents.command.command_agents import CommandAgents
    from pytest_ultra.agents.command.mcp_thread import McpThread, ServedEpisode


class AgentSupport:
    """See `engine.agent_runtime.AgentRuntime`. `attach` is called in the engine's loop before the first agent."""

    def __init__(self, functions: Mapping[str, AgentFunction], commands: CommandAgents | None = None) -> None:
        self._functions = functions
        self._threads = AgentThreads(functions, SYSTEM_CLOCK.new_loop)
        self._commands = commands
        self._proxy = ModelProxy()
        self._lock = threading.Lock()
        self._mcp: McpThread | None = None
        self._served: dict[str, ServedEpisode] = {}

    def attach(self) -> None:
        self._proxy.attach(asyncio.get_running_loop())

    def start(self, session: AgentSession, on_end: Callable[[AgentEnd], None]) -> RunningAgent:
        if self._commands is not None and session.case.model not in self._functions:
            return self._commands.start(session, on_end)
        return self._threads.start(session, on_end)

    def serve_model(self, caller: ModelCaller) -> str:
        return self._proxy.serve(caller)

    def serve_tools(self, session: AgentSession) -> str:
        served = self._open_mcp().open(session)
        self._served[served.tools.url] = served
        return served.tools.url

    def stop_serving(self, url: str) -> None:
        served = self._served.pop(url, None)
        if served is None:
            self._proxy.stop_serving(url)
        else:
            served.end()

    def close(self) -> None:
        """Let nothing of the agents hold up the process's end. Call it when the engine has stopped."""
        if self._commands is not None:
            self._commands.close()
        self._threads.close()
        self._proxy.close()
        if self._mcp is not None:
            self._mcp.close()

    def _open_mcp(self) -> McpThread:
        problem = find_sdk_problem()
        if problem is not None:
            raise ConfigurationError(f"task.mcp_url: {problem}")
        from pytest_ultra.agents.command.mcp_thread import McpThread  # noqa: PLC0415 - needs the extra `mcp`

        with self._lock:
            if self._mcp is None:
                self._mcp = McpThread()
            return self._mcp
