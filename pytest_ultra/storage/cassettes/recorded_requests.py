"""A request in a cassette: its key, which is the same in every run, and readable lines."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from pytest_ultra.core.case import LATER_FIELDS, Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.json_types import Message, ToolSchema
from pytest_ultra.storage.codec import encode

_MAX_CHARS = 90
_BREAK = re.compile(r"""(?<=[.;:]\ ) | (?<=,)(?=["{\[])""", re.VERBOSE)
_UNKEYED = ("max_turns", "timeout_s")  # they limit the length of an episode and do not change its requests


TextLines = str | tuple[str, ...]
"""A text as it is stored: as a list of lines if it has several, so that a diff shows single lines."""


def split_lines(text: str) -> TextLines:
    lines = tuple(text.split("\n"))
    return lines if len(lines) > 1 else text


def join_lines(lines: TextLines) -> str:
    return lines if isinstance(lines, str) else "\n".join(lines)


class RecordedMessage(msgspec.Struct, frozen=True):
    """A message to the model."""

    role: str
    content: TextLines


def request_key(request: ChatRequest) -> str:
    """Return a hash of the request and the case's repeat number: 16 hex digits."""
    canonical: dict[str, Any] = {
        "model": request.case.model,
        "repeat": request.case.repeat,
        "temperature": request.case.temperature,
        "tool_protocol": request.case.tool_protocol,
        "messages": request.messages,
        "tools": request.tools,
    }
    if request.case.request_parameters:  # without any, the key is the one from before there were any
        canonical["request_parameters"] = request.case.request_parameters
    if request.own_parameters:
        canonical["own_parameters"] = request.own_parameters
    return _digest(canonical, size=8)


def describe_case(case: Case) -> dict[str, Any]:
    """Return the axes of a case that change its requests, without later ones that have their default."""
    axes = {name: value for name, value in msgspec.to_builtins(case).items() if name not in _UNKEYED}
    return {name: value for name, value in axes.items() if name not in LATER_FIELDS or value != LATER_FIELDS[name]}


def describe_tools(request: ChatRequest) -> dict[str, str]:
    """Return the offered tools in order, each with a short hash of its schema."""
    return {_name(tool): _digest(tool, size=3) for tool in request.tools}


def recorded_messages(request: ChatRequest) -> tuple[RecordedMessage, ...]:
    """Return all messages except the model's own, which the recorded replies contain."""
    return tuple(_record(message) for message in request.messages if message.get("role") != "assistant")


def request_lines(
    case: Mapping[str, Any], tools: Mapping[str, str], messages: tuple[RecordedMessage, ...]
) -> list[str]:
    """Return a request as short lines, to compare it with another."""
    lines = [f"{name}: {value}" for name, value in case.items()]
    lines += [f"tool {name} {digest}" for name, digest in tools.items()]
    for message in messages:
        lines += [f"[{message.role}]", *join_lines(message.content).split("\n")]
    return [piece for line in lines for piece in _pieces(line)]


def _pieces(line: str) -> list[str]:
    """Split a long line after sentences and JSON values, so that a diff shows where in the line a change is."""
    if len(line) <= _MAX_CHARS:
        return [line]
    parts = _BREAK.split(line)
    return [part[start : start + _MAX_CHARS] for part in parts for start in range(0, len(part), _MAX_CHARS)]


def _record(message: Message) -> RecordedMessage:
    content = message.get("content")
    text = content if isinstance(content, str) else encode(content).decode()
    return RecordedMessage(str(message.get("role")), split_lines(text))


def _name(tool: ToolSchema) -> str:
    return str(tool.get("function", tool).get("name"))


def _digest(value: Any, *, size: int) -> str:
    builtins = msgspec.to_builtins(value, order="sorted")
    return hashlib.blake2b(encode(builtins), digest_size=size).hexdigest()
