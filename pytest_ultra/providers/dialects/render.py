"""Write a conversation in an endpoint's dialect. Nothing that a model called, or a tool answered, is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.json_types import Message, ToolSchema
from pytest_ultra.providers.dialects.call_ids import shorten_call_id
from pytest_ultra.providers.dialects.dialect import Dialect, EmptyContent, Schemas
from pytest_ultra.providers.dialects.schemas import simplify

NATIVE = "native"
"""The field of an assistant message with what a provider's own protocol wants back; it is sent in that one alone."""
MESSAGE_FIELDS = frozenset({"role", "content", "refusal", "tool_calls", "function_call", NATIVE})
CALL_FIELDS = frozenset({"id", "type", "index", "function", "name", "arguments"})
"""The fields that we know; all others are kept as they came."""

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # what OpenAI takes: https://github.com/mcp-use/mcp-use/pull/94
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
_UNNAMED = "unnamed"


def render_messages(request: ChatRequest, dialect: Dialect) -> list[Message]:
    """Return the messages of a request in a dialect."""
    messages = _fold_system(request.messages) if dialect.is_system_folded else request.messages
    return list(_render(messages, dialect, frozenset(request.offered)))


def _render(messages: Sequence[Message], dialect: Dialect, offered: frozenset[str]) -> Iterator[Message]:
    names: dict[str, str] = {}
    for message in messages:
        if message["role"] == "assistant":
            rendered = _render_assistant(message, dialect, offered)
            if dialect.has_tool_names:
                names |= {call["id"]: call["function"]["name"] for call in rendered.get("tool_calls", ())}
            yield rendered
        elif message["role"] == "tool":
            yield _render_result(message, dialect, names)
        else:
            yield message


def _render_assistant(message: Message, dialect: Dialect, offered: frozenset[str]) -> Message:
    calls = message.get("tool_calls")
    rendered: Message = {"role": "assistant"}
    if message.get("content") or not calls or dialect.empty_content is EmptyContent.TEXT:
        rendered["content"] = message.get("content") or ""
    elif dialect.empty_content is EmptyContent.NULL:
        rendered["content"] = None
    rendered |= _extra(message, MESSAGE_FIELDS, dialect)
    if calls:
        rendered |= {name: "" for name in dialect.filled if name not in rendered}
        rendered["tool_calls"] = [_render_call(call, dialect, offered) for call in calls]
    return rendered


def _render_call(call: dict[str, Any], dialect: Dialect, offered: frozenset[str]) -> dict[str, Any]:
    function = call["function"]
    return {
        "id": shorten_call_id(call["id"]) if dialect.has_short_ids else call["id"],
        "type": "function",
        "function": {
            "name": function["name"] if function["name"] in offered else acceptable_name(function["name"]),
            "arguments": function["arguments"],
        },
        **_extra(call, CALL_FIELDS, dialect),
    }


def _render_result(message: Message, dialect: Dialect, names: dict[str, str]) -> Message:
    if not (dialect.has_short_ids or dialect.has_tool_names):
        return message
    call_id = message["tool_call_id"]
    rendered = {**message, "tool_call_id": shorten_call_id(call_id) if dialect.has_short_ids else call_id}
    name = names.get(rendered["tool_call_id"], "")
    return {**rendered, "name": name} if name else rendered


def _extra(fields: dict[str, Any], known: frozenset[str], dialect: Dialect) -> dict[str, Any]:
    if fields.keys() <= known:
        return {}
    return {name: value for name, value in fields.items() if name not in known and dialect.echoes(name)}


def _fold_system(messages: Sequence[Message]) -> list[Message]:
    """Put the texts of the system messages before that of the first user message."""
    system = [message["content"] for message in messages if message["role"] == "system"]
    others = [message for message in messages if message["role"] != "system"]
    first = next((number for number, message in enumerate(others) if message["role"] == "user"), None)
    if first is None:
        return [{"role": "user", "content": "\n\n".join(system)}, *others] if system else others
    text = "\n\n".join([*system, others[first]["content"]])
    return [*others[:first], {**others[first], "content": text}, *others[first + 1 :]]


@lru_cache(maxsize=4096)
def acceptable_name(name: str) -> str:
    """Return the name of a tool that a model invented in a form that endpoints take."""
    return name if _NAME.fullmatch(name) else _NOT_IN_NAMES.sub("_", name)[:64] or _UNNAMED


def render_tools(tools: tuple[ToolSchema, ...], schemas: Schemas) -> tuple[ToolSchema, ...] | msgspec.Raw:
    """Return the tools, with parameters in as much of JSON Schema as the endpoint takes; encoded if they changed."""
    return tools if schemas is Schemas.FULL else msgspec.Raw(_simplified(msgspec.json.encode(tools), schemas))


@lru_cache(maxsize=256)
def _simplified(encoded: bytes, schemas: Schemas) -> bytes:
    tools = msgspec.json.decode(encoded)
    for tool in tools:
        if isinstance(tool.get("function"), dict) and "parameters" in tool["function"]:
            tool["function"]["parameters"] = simplify(tool["function"]["parameters"], schemas)
    return msgspec.json.encode(tools)
