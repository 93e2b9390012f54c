"""The typed events that an episode leaves behind, in order."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Self

import msgspec

from pytest_ultra.benchmark.tools.base import ToolResult

Message = dict[str, Any]  # a chat message in the form of OpenAI's chat completions
ToolSchema = dict[str, Any]  # likewise, an entry of `tools`


class ToolCall(msgspec.Struct, frozen=True):
    """A tool call as the model made it: `arguments` is the text it sent, JSON or not."""

    id: str
    name: str
    arguments: str


class Reply(msgspec.Struct, frozen=True):
    """One answer of the model."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish_reason: str = "stop"

    def with_texts(self, change: Callable[[str], str]) -> Self:
        """Return the reply with all its texts changed, such as to blot out secrets."""
        calls = tuple(ToolCall(change(call.id), change(call.name), change(call.arguments)) for call in self.tool_calls)
        return msgspec.structs.replace(
            self, text=change(self.text), tool_calls=calls, finish_reason=change(self.finish_reason)
        )


class EndReason(StrEnum):
    """Why an episode ended. The first four are the model's doing, the rest the infrastructure's."""

    STOPPED = "stopped"  # the model stopped calling tools
    MAX_TURNS = "max_turns"
    AGENT_TIMEOUT = "agent_timeout"
    GAVE_UP = "gave_up"  # the same call, answered by the same earned error, three times running
    ENDPOINT = "endpoint"
    RATE_LIMIT = "rate_limit"
    HARNESS = "harness"
    SKIPPED = "skipped"  # not lived: budget spent, or the run stopped

    @property
    def is_infrastructure(self) -> bool:
        return self in (EndReason.ENDPOINT, EndReason.RATE_LIMIT, EndReason.HARNESS)


class Attempted(msgspec.Struct, frozen=True, tag="attempt"):
    """One HTTP attempt: `problem` None when it brought the reply; `wait_s` is the back-off after it."""

    turn: int
    duration_s: float
    problem: str | None = None
    status: int | None = None
    detail: str = ""
    wait_s: float = 0.0


class Replied(msgspec.Struct, frozen=True, tag="reply"):
    """The model's answer of a turn; turns count from 1."""

    turn: int
    reply: Reply


class Answered(msgspec.Struct, frozen=True, tag="tool"):
    """A tool's answer to one call. `arguments` is None when the call's text was no JSON object."""

    turn: int
    call: ToolCall
    arguments: dict[str, Any] | None
    result: ToolResult


class Ended(msgspec.Struct, frozen=True, tag="end"):
    """The last event."""

    reason: EndReason
    detail: str = ""


Event = Attempted | Replied | Answered | Ended
