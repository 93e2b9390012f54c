"""The messages of the text protocol: write tool descriptions, calls and results, and read them back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pytest_ultra.agents.text_protocol.call_parser import read_calls
from pytest_ultra.agents.text_protocol.lenient_json import UnreadableJsonError, read_json
from pytest_ultra.core.json_types import Message, ToolSchema
from pytest_ultra.core.transcript import Reply, ToolCall

CALL_FORMAT = '<tool_call>{"name": "...", "arguments": {...}}</tool_call>'
_RESULT, _END_OF_RESULT = "<tool_result>", "</tool_result>"


def describe_tools(tools: Iterable[ToolSchema]) -> str:
    """Return one line of JSON for each tool."""
    return "\n".join(json.dumps(tool["function"], ensure_ascii=False, separators=(",", ":")) for tool in tools)


def write_call(call: ToolCall) -> str:
    return f'<tool_call>{{"name": {json.dumps(call.name)}, "arguments": {call.arguments}}}</tool_call>'


def write_results(contents: Iterable[str]) -> Message:
    """Return the results of a turn's calls, in order, as one user message."""
    return {"role": "user", "content": "\n".join(f"{_RESULT}{content}{_END_OF_RESULT}" for content in contents)}


def write_reply(reply: Reply) -> Reply:
    """Move a reply's native calls into its text; `read_calls` is the inverse."""
    parts = [part for part in (reply.text, *map(write_call, reply.tool_calls)) if part]
    return msgspec.structs.replace(reply, text="\n".join(parts), tool_calls=(), finish_reason="stop")


def read_messages(messages: Sequence[Message]) -> list[Message]:
    """Translate a conversation in the text protocol to the native one."""
    read: list[Message] = []
    ids: list[str] = []
    for number, message in enumerate(messages):
        if message["role"] == "assistant":
            read.append(_read_assistant(message, number))
            ids = [call["id"] for call in read[-1].get("tool_calls", ())]
        elif ids:
            results = zip(ids, _read_results(message["content"]), strict=True)
            read += [{"role": "tool", "tool_call_id": id_, "content": content} for id_, content in results]
            ids = []
        else:
            read.append(message)
    return read


def _read_assistant(message: Message, number: int) -> Message:
    calls = [
        {
            "id": f"call_{number}_{place}",
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for place, call in enumerate(read_calls(message["content"]).calls, start=1)
    ]
    return {**message, "tool_calls": calls} if calls else message


def _read_results(text: str) -> Iterator[str]:
    position = text.find(_RESULT)
    while position >= 0:
        start = position + len(_RESULT)
        try:
            _, end = read_json(text, start)
        except UnreadableJsonError:
            end = max(start, text.find(_END_OF_RESULT, start))
        yield text[start:end]
        position = text.find(_RESULT, end)
