"""Tool calls of SDKs are read, and answered in their own shape."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pytest_ultra.agents.tool_messages import read_call, write_result
from pytest_ultra.core.transcript import ToolCall

CHAT = {"id": "1", "type": "function", "function": {"name": "act", "arguments": '{"a": 1}'}}
RESPONSES = {"type": "function_call", "id": "fc_1", "call_id": "1", "name": "act", "arguments": '{"a": 1}'}
ANTHROPIC = {"type": "tool_use", "id": "1", "name": "act", "input": {"a": 1}}
LANGCHAIN = {"type": "tool_call", "id": "1", "name": "act", "args": {"a": 1}}

ANSWERS = [
    (CHAT, {"role": "tool", "tool_call_id": "1", "content": "done"}),
    (RESPONSES, {"type": "function_call_output", "call_id": "1", "output": "done"}),
    (ANTHROPIC, {"type": "tool_result", "tool_use_id": "1", "content": "done"}),
    (LANGCHAIN, {"role": "tool", "tool_call_id": "1", "content": "done"}),
]


def as_object(fields: dict[str, Any]) -> SimpleNamespace:
    """Return fields as an SDK's object has them; data that is a dict there too stays one."""
    inner = {name: as_object(value) if name == "function" else value for name, value in fields.items()}
    return SimpleNamespace(**inner)


@pytest.mark.parametrize(("given", "answer"), ANSWERS)
def test_each_shape_is_read_and_answered(given: dict[str, Any], answer: dict[str, Any]) -> None:
    for call in (given, as_object(given)):
        read = read_call(call)
        assert (read.id, read.name, read.arguments.replace(" ", "")) == ("1", "act", '{"a":1}')
        assert write_result(call, "done") == answer


def test_arguments_that_are_not_json_are_passed_on_as_they_are() -> None:
    assert read_call({"id": "1", "function": {"name": "act", "arguments": "{"}}) == ToolCall("1", "act", "{")


@pytest.mark.parametrize("given", [None, 1, "act", {}, {"name": "act"}, {"function": {"arguments": "{}"}}])
def test_anything_else_is_no_tool_call(given: object) -> None:
    with pytest.raises(TypeError, match=r"is not a tool call: .* or use call\(name, arguments\)"):
        read_call(given)
