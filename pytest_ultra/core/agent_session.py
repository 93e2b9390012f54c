"""What the engine and a user's own agent see of each other. The agent may run in any thread."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.json_types import Message, ToolSchema
from pytest_ultra.core.transcript import EndReason, ToolCall


class AgentSession(Protocol):
    """An episode as its agent may use it. All methods may be called in any thread, also after the episode's end."""

    @property
    def case(self) -> Case: ...

    @property
    def messages(self) -> tuple[Message, ...]:
        """The opening messages: a system message and the job."""

    @property
    def tools(self) -> tuple[ToolSchema, ...]: ...

    @property
    def left_s(self) -> float | None:
        """The seconds that are left of the time limit, None without one."""

    def call(self, calls: Sequence[ToolCall]) -> list[Future[str]]:
        """Run tool calls that were made at once, in this order; the results are texts as a model sees them.

        The futures raise `errors.EpisodeEndedError` when the episode has ended.
        """

    def report(self, prompt: int | None, completion: int | None, cost: float | None) -> None:
        """Add tokens and US dollars that the agent has used on its own."""

    def open_model(self) -> str:
        """Return the base URL at which the episode's model can be called until the episode ends.

        Raises `errors.ConfigurationError` if no model is behind the agent.
        """

    def open_mcp(self) -> str:
        """Return the URL of an MCP server with the episode's tools, until the episode ends.

        Raises `errors.ConfigurationError` if the extra `mcp` is missing.
        """


class AgentEnd(msgspec.Struct, frozen=True):
    """How an agent ended: its final words if it returned, else the reason and the traceback or message."""

    words: str = ""
    reason: EndReason = EndReason.STOPPED
    detail: str = ""


class RunningAgent(Protocol):
    """An agent at work."""

    def cancel(self) -> None:
        """Ask the agent to stop, and wait for nothing."""

    def why_not_ready(self) -> str:
        """Return why the agent has not been able to work so far, through no fault of its own; empty if it has."""
