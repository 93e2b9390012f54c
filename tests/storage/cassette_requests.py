"""Requests of a conversation for tests of cassettes."""

from __future__ import annotations

from typing import Any

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.json_types import Message, ToolSchema
from pytest_ultra.core.transcript import Reply, ToolCall
from tests.results_factory import make_case, make_guidance

CASE = make_case(model="gpt")
CALL = ToolCall("call_1", "file_operations_reader", '{"path": "orders.csv"}')
CALLING = Reply("", (CALL,), 900, 40, "tool_calls")
DONE = Reply("All done.\nThe answer is 4.", (), 950, 8, "stop")
OPENING: tuple[Message, ...] = (
    {"role": "system", "content": "You get jobs done."},
    {"role": "user", "content": "Read the file orders.csv.\nLeave every input as it is."},
)
ANSWER: Message = {"role": "tool", "tool_call_id": "call_1", "content": '{"handle":"data_1"}'}


def schema(name: str, description: str = "Reads a file.") -> ToolSchema:
    return {"type": "function", "function": {"name": name, "description": description}}


TOOLS = (schema("file_operations_reader"), schema("utility_logger"))


def first(case: Case = CASE, messages: tuple[Message, ...] = OPENING, tools: Any = TOOLS) -> ChatRequest:
    return ChatRequest(case, make_guidance(case), 1, messages, tools)


def after(request: ChatRequest, reply: Reply, *tool_results: Message) -> ChatRequest:
    """Return the next turn's request."""
    assistant: Message = {"role": "assistant", "content": reply.text}
    messages = (*request.messages, assistant, *(tool_results or (ANSWER,)))
    return msgspec.structs.replace(request, turn=request.turn + 1, messages=messages)
