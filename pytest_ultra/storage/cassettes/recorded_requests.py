"""A request as cassettes know it: by a key that is the same in every run, and in words for people."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.json_types import Message, ToolSchema
from pytest_ultra.storage.codec import encode

_MOST_CHARS = 90
_BREAK = re.compile(r"""(?<=[.;:]\ ) | (?<=,)(?=["{\[])""", re.VERBOSE)
_UNKEYED = ("max_turns", "timeout_s")  # they decide how long an episode goes on, not what is asked in it


Lines = str | tuple[str, ...]
"""A text as files hold it: by lines when it has several, so that a difference shows line by line."""


def split(text: str) -> Lines:
    lines = tuple(text.split("\n"))
    return lines if len(lines) > 1 else text


def join(lines: Lines) -> str:
    return lines if isinstance(lines, str) else "\n".join(lines)


class Said(msgspec.Struct, frozen=True):
    """A message to the model."""

    role: str
    content: Lines


def request_key(request: ChatRequest) -> str:
    """Hash what the model is asked, and for the how-manieth time: 16 hex digits."""
    canonical = {
        "model": request.case.model,
        "repeat": request.case.repeat,
        "temperature": request.case.temperature,
        "tool_protocol": request.case.tool_protocol,
        "messages": request.messages,
        "tools": request.tools,
    }
    return _digest(canonical, size=8)


def describe_case(case: Case) -> dict[str, Any]:
    """Return the axes of a case that what is asked depends on."""
    return {name: value for name, value in msgspec.to_builtins(case).items() if name not in _UNKEYED}


def describe_tools(request: ChatRequest) -> dict[str, str]:
    """Return the tools offered, in order, each with a short digest of its schema."""
    return {_name(tool): _digest(tool, size=3) for tool in request.tools}


def messages_said(request: ChatRequest) -> tuple[Said, ...]:
    """Return all messages but the model's own, which its replies tell."""
    return tuple(_said(message) for message in request.messages if message.get("role") != "assistant")


def in_words(case: Mapping[str, Any], tools: Mapping[str, str], said: tuple[Said, ...]) -> list[str]:
    """Write out a request by short lines, to be compared."""
    lines = [f"{name}: {value}" for name, value in case.items()]
    lines += [f"tool {name} {digest}" for name, digest in tools.items()]
    for message in said:
        lines += [f"[{message.role}]", *join(message.content).split("\n")]
    return [piece for line in lines for piece in _pieces(line)]


def _pieces(line: str) -> list[str]:
    """Break a line after sentences and JSON values, so that a difference far into it can be seen."""
    if len(line) <= _MOST_CHARS:
        return [line]
    parts = _BREAK.split(line)
    return [part[start : start + _MOST_CHARS] for part in parts for start in range(0, len(part), _MOST_CHARS)]


def _said(message: Message) -> Said:
    content = message.get("content")
    text = content if isinstance(content, str) else encode(content).decode()
    return Said(str(message.get("role")), split(text))


def _name(tool: ToolSchema) -> str:
    return str(tool.get("function", tool).get("name"))


def _digest(value: Any, *, size: int) -> str:
    builtins = msgspec.to_builtins(value, order="sorted")
    return hashlib.blake2b(encode(builtins), digest_size=size).hexdigest()
