"""Conversations as agents' frameworks show them to models, read as messages with native tool calls."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from pytest_ultra.core.axes import PromptType
from pytest_ultra.core.json_types import Message
from pytest_ultra.core.reference_agent import Knowledge, ReferenceAgent
from pytest_ultra.core.transcript import Reply, ToolCall
from pytest_ultra.core.workflow import Workflow, read

FINAL_TOOL = "final_answer"
"""The tool by which smolagents wants the final words."""

KNOWING_ONLY_THE_PROMPT = (ReferenceAgent.FOLLOWER, ReferenceAgent.LINTER, ReferenceAgent.NULL)
"""The reference agents that need nothing but the conversation."""

_CALLS = "Calling tools:\n"
_RESULT = re.compile(r"(?:Observation|Error):\n")
_REJECTED = "Now let's retry"
"""How smolagents writes calls and results into texts (`memory.py`); calls stand in Python's own notation.

A call that it rejects itself leaves only an error, which asks to retry.
"""


def read_conversation(messages: Sequence[Message]) -> list[Message]:
    """Return messages with native calls and results: those that are native already stay as they are."""
    marks = {"assistant": _CALLS, "user": _REJECTED}
    is_native = not any(marks.get(each["role"], "\0") in str(each.get("content")) for each in messages)
    return list(messages) if is_native else list(_read(messages))


def shown_plan(messages: Sequence[Message]) -> Workflow | None:
    """Return the first plan in what the user says; None without one."""
    plans = (read(str(message["content"])) for message in messages if message["role"] == "user")
    return next((plan for plan in plans if plan is not None), None)


def recognize(agent: str, messages: Sequence[Message], offered: Sequence[str]) -> Knowledge | None:
    """Return what an agent knows that needs nothing but the conversation; None for one that needs more."""
    if agent not in KNOWING_ONLY_THE_PROMPT:
        return None
    plan = shown_plan(messages)
    turn = 1 + sum(message["role"] == "assistant" for message in messages)
    prompt_type = PromptType.BASELINE if plan is None else PromptType.OPTIMAL
    return Knowledge("", prompt_type, turn, plan or Workflow(()), tuple(offered))


def with_final_tool(reply: Reply, offered: Sequence[str], turn: int) -> Reply:
    """Return the reply, with its final words as a call where the framework has a tool for them."""
    if reply.tool_calls or FINAL_TOOL not in offered:
        return reply
    arguments = msgspec.json.encode({"answer": reply.text}).decode()
    call = ToolCall(f"final_{turn}", FINAL_TOOL, arguments)
    return msgspec.structs.replace(reply, text="", tool_calls=(call,), finish_reason="tool_calls")


def with_offered_names(reply: Reply, offered: Sequence[str]) -> Reply:
    """Return the reply with its calls by the names that MCP clients give to tools: a prefix says whose they are."""
    calls = tuple(msgspec.structs.replace(call, name=_offered_name(call.name, offered)) for call in reply.tool_calls)
    return msgspec.structs.replace(reply, tool_calls=calls)


def _offered_name(name: str, offered: Sequence[str]) -> str:
    if name in offered:
        return name
    return next((each for each in offered if each.endswith(name) and not each[-len(name) - 1].isalnum()), name)


def _read(messages: Sequence[Message]) -> Iterator[Message]:
    waiting: list[str] = []
    for number, message in enumerate(messages):
        content = str(message.get("content") or "")
        if message["role"] == "assistant" and _CALLS in content:
            calls = _read_calls(content.partition(_CALLS)[2])
            waiting = [call["id"] for call in calls]
            yield {"role": "assistant", "content": "", "tool_calls": calls}
            continue
        before, *results = _RESULT.split(content) if message["role"] == "user" else [content]
        if not results or before.strip():
            yield {**message, "content": before} if results else message
        for result in results:
            if not waiting:
                rejected = _native(f"rejected_{number}", "", {})
                yield {"role": "assistant", "content": "", "tool_calls": [rejected]}
                waiting = [rejected["id"]]
            yield {"role": "tool", "tool_call_id": waiting.pop(0), "content": result}


def _read_calls(text: str) -> list[dict[str, Any]]:
    """Read a list of calls in Python's notation; one that cannot be read has no calls."""
    try:
        calls = ast.literal_eval(text.strip())
        return [_native(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in calls]
    except (ValueError, SyntaxError, TypeError, KeyError):
        return []


def _native(call_id: str, name: str, arguments: Any) -> dict[str, Any]:
    text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": text}}
