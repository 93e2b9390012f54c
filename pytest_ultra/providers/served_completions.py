"""Chat completions as a server: reads the requests of any client, and writes answers, whole or as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from pytest_ultra.core.json_types import Message, ToolSchema
from pytest_ultra.core.request_parameters import LIMIT, LIMIT_NAMES
from pytest_ultra.core.transcript import Reply
from pytest_ultra.providers.wire import encode_reply
from pytest_ultra.providers.wire_fields import UNREADABLE

_OWN_FIELDS = frozenset({"model", "messages", "tools", "stream", "stream_options", "n"})
_ROLES = {"developer": "system"}


class _Function(msgspec.Struct, frozen=True):
    name: str
    arguments: str = "{}"


class _Call(msgspec.Struct, frozen=True):
    id: str
    function: _Function


class _Message(msgspec.Struct, frozen=True):
    """The parts of a message that must have these types."""

    role: str
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None


class _Named(msgspec.Struct, frozen=True):
    name: str


class _Tool(msgspec.Struct, frozen=True):
    function: _Named


class ServedRequest(msgspec.Struct, frozen=True):
    """A request of a client. `parameters` are all fields but those that have a place of their own here."""

    model: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSchema, ...]
    parameters: dict[str, Any]
    is_streamed: bool = False
    has_stream_usage: bool = False


def read_request(body: bytes) -> ServedRequest:
    """Read the body of a request. Raises ValueError, with what is wrong, if it is none or asks for several answers."""
    try:
        fields = msgspec.json.decode(body, type=dict[str, Any])
        for message in msgspec.convert(fields.get("messages"), list[_Message]):
            _check_role(message)
        msgspec.convert(fields.get("tools") or [], list[_Tool])
        options = fields.get("stream_options") or {}
        model = msgspec.convert(fields.get("model", ""), str)
    except UNREADABLE as error:
        raise ValueError(f"the body is no request for a chat completion: {error}") from None
    if fields.get("n") not in (None, 1):
        raise ValueError("a request gets one answer: leave out 'n'")
    parameters = {LIMIT if name in LIMIT_NAMES else name: v for name, v in fields.items() if name not in _OWN_FIELDS}
    return ServedRequest(
        model,
        tuple(_plain(message) for message in fields["messages"]),
        tuple(fields.get("tools") or ()),
        parameters,
        is_streamed=bool(fields.get("stream")),
        has_stream_usage=bool(options.get("include_usage")) if isinstance(options, dict) else False,
    )


def encode_error(message: str, code: str) -> bytes:
    return msgspec.json.encode({"error": {"message": message, "type": "pytest_ultra", "code": code}})


def encode_answer(reply: Reply, model: str, number: int) -> bytes:
    """Return the body of a whole answer; `number` makes its id."""
    body = msgspec.json.decode(encode_reply(reply, model))
    return msgspec.json.encode({**_envelope(number, model, "chat.completion"), **body})


def encode_stream(reply: Reply, model: str, number: int, *, has_usage: bool) -> Iterator[bytes]:
    """Yield the events of a streamed answer: its text, its calls, its end, and the tokens if they are wanted."""
    body = msgspec.json.decode(encode_reply(reply, model))
    envelope = _envelope(number, model, "chat.completion.chunk")
    message = body["choices"][0]["message"]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": message["content"] or ""}]
    calls = message.get("tool_calls", ())
    deltas += [{"tool_calls": [{"index": place, **call}]} for place, call in enumerate(calls)]
    for delta in deltas:
        yield _event({**envelope, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    yield _event({**envelope, "choices": [{"index": 0, "delta": {}, "finish_reason": reply.finish_reason}]})
    if has_usage:
        yield _event({**envelope, "choices": [], "usage": body["usage"]})
    yield b"data: [DONE]\n\n"


def _envelope(number: int, model: str, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{number}", "object": kind, "created": 0, "model": model}


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(data) + b"\n\n"


def _check_role(message: _Message) -> None:
    if message.role == "tool" and message.tool_call_id is None:
        raise msgspec.ValidationError("a message with the role 'tool' has no 'tool_call_id'")


def _plain(message: Message) -> Message:
    """Return a message whose content is a text if it has only text parts: not every endpoint takes parts."""
    content = message.get("content")
    changed = {**message, "role": _ROLES.get(message["role"], message["role"])}
    if isinstance(content, list) and all(part.get("type") == "text" for part in content):
        changed["content"] = "".join(str(part.get("text", "")) for part in content)
    if not changed.get("tool_calls"):
        changed.pop("tool_calls", None)
    return changed
