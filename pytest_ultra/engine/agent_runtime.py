"""What the engine needs to run users' own agents, and what it offers to their requests to a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from pytest_ultra.core.agent_session import AgentEnd, AgentSession, RunningAgent
from pytest_ultra.core.json_types import Message, ToolSchema
from pytest_ultra.core.transcript import Reply
from pytest_ultra.engine.endpoint import CallFailed


class ModelCaller(Protocol):
    """Calls the model behind an agent within its episode: with the run's limits, budget, retries and cassettes."""

    @property
    def model(self) -> str: ...

    async def call_model(
        self, messages: Sequence[Message], tools: Sequence[ToolSchema], parameters: Mapping[str, Any]
    ) -> Reply | CallFailed:
        """Answer one request of the agent. `parameters` holds its other fields, such as `temperature`."""


class AgentRuntime(Protocol):
    """Starts agents, and serves the models behind them."""

    def start(self, session: AgentSession, on_end: Callable[[AgentEnd], None]) -> RunningAgent:
        """Start the agent of the session's case; `on_end` is called once, in any thread, when it has ended."""

    def serve_model(self, caller: ModelCaller) -> str:
        """Return a base URL whose requests the caller answers. Can be called in any thread."""

    def serve_tools(self, session: AgentSession) -> str:
        """Return the URL of an MCP server with the tools of the session. Can be called in any thread."""

    def stop_serving(self, url: str) -> None:
        """Answer no more requests at a URL. Waits for nothing."""
