"""The wire format of chat completions: encoders and decoders of requests and replies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.json_types import Message
from pytest_ultra.core.transcript import Reply, ToolCall
from pytest_ultra.errors import AttemptFailedError, AttemptProblem

KNOWLEDGE_HEADER = "x-ultra-knowledge"  # only to the embedded endpoint: the reference agent's knowledge as ASCII JSON
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # raised for a body that is not JSON
EXCERPT_CHARS = 4_000  # shortened where it is shown, after secrets are redacted


class ReceivedRequest(msgspec.Struct, frozen=True):
    """The fields of a request that the embedded endpoint needs."""

    model: str
    messages: list[Message]
    tools: list[dict[str, Any]] = []


def encode_request(request: ChatRequest, model: str) -> bytes:
    """Encode the body of a request. `model` is the endpoint's own name for the model."""
    body: dict[str, Any] = {"model": model, "messages": [_with_content(message) for message in request.messages]}
    if request.tools:
        body["tools"] = request.tools
    return msgspec.json.encode(body | request.parameters)


def decode_request(body: bytes) -> ReceivedRequest:
    """Decode the body of a request. Raises one of `UNREADABLE` if it is not one."""
    return msgspec.json.decode(body, type=ReceivedRequest)


def _with_content(message: Message) -> Message:
    """Add empty content, since some servers reject a message with tool calls whose content is null or missing."""
    return message if message.get("content") is not None else {**message, "content": ""}


def encode_reply(reply: Reply, model: str) -> bytes:
    """Encode the body of an answer as a server does; `decode_reply` is its inverse."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.tool_calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in reply.tool_calls
        ]
    usage = {
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "total_tokens": reply.prompt_tokens + reply.completion_tokens,
    }
    choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
    return msgspec.json.encode({"object": "chat.completion", "model": model, "choices": [choice], "usage": usage})


def decode_reply(body: bytes, *, turn: int) -> Reply:
    """Decode the body of an answer, and accept the variants that servers send.

    `turn` makes generated call ids differ between turns. Raises `AttemptFailedError` (malformed) if the body is not a
    chat completion.
    """
    answer = _decode_object(body)
    choice = _first(answer.get("choices"))
    message = choice.get("message")
    if not isinstance(message, dict):
        raise _malformed("an error object instead of" if answer.get("error") else "JSON, but not", body)
    calls = tuple(_distinct(_calls(message), turn))
    finish_reason = choice.get("finish_reason")
    usage = _as_dict(answer.get("usage"))
    return Reply(
        text=_text(message.get("content")) or _text(message.get("refusal")),
        tool_calls=calls,
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        finish_reason=finish_reason if isinstance(finish_reason, str) else ("tool_calls" if calls else "stop"),
    )


def excerpt(body: bytes) -> str:
    """Return a readable excerpt of a body on one line: the message of an error object if there is one."""
    text = body[:EXCERPT_CHARS].decode(errors="replace")
    with suppress(*UNREADABLE):
        text = _error_message(msgspec.json.decode(body)) or text
    return " ".join("".join(char if char.isprintable() else " " for char in text[:EXCERPT_CHARS]).split())


def _decode_object(body: bytes) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(body)
    except UNREADABLE:
        raise _malformed("not JSON, so not", body) from None
    return _as_dict(answer)


def _malformed(what: str, body: bytes) -> AttemptFailedError:
    return AttemptFailedError(AttemptProblem.MALFORMED, f"{what} a chat completion: {excerpt(body) or 'empty body'}")


def _error_message(answer: Any) -> str:
    """Find the message in `{"error": {"message": ...}}`, in a list of one such object, or in variants of it."""
    answer = _as_dict(answer[0] if isinstance(answer, list) and answer else answer)
    error = answer.get("error") or answer
    message = error if isinstance(error, str) else _as_dict(error).get("message") or answer.get("detail")
    return message if isinstance(message, str) else ""


def _first(choices: Any) -> dict[str, Any]:
    return _as_dict(choices[0]) if isinstance(choices, list) and choices else {}


def _as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(content: Any) -> str:
    """Return the text of a content, which is text, null, or a list of parts, some of them text."""
    if isinstance(content, list):
        return "".join(_text(part.get("text")) if isinstance(part, dict) else _text(part) for part in content)
    return content if isinstance(content, str) else ""


def _count(tokens: Any) -> int:
    return max(0, int(tokens)) if isinstance(tokens, int | float) else 0


def _calls(message: dict[str, Any]) -> Iterator[ToolCall]:
    """Yield the calls as the model made them, including malformed ones, which count as evidence."""
    entries = message.get("tool_calls") or []
    for entry in entries if isinstance(entries, list) else [entries]:
        call = _as_dict(entry)
        call_id = call.get("id")
        yield _call(call_id if isinstance(call_id, str) else "", call.get("function") or call)
    if not entries and message.get("function_call"):  # the older form
        yield _call("", message["function_call"])


def _call(call_id: str, function: Any) -> ToolCall:
    name = _as_dict(function).get("name")
    return ToolCall(call_id, name if isinstance(name, str) else "", _arguments(_as_dict(function).get("arguments")))


def _arguments(arguments: Any) -> str:
    """Return arguments as JSON text; some servers send the object itself, or nothing if there are none."""
    if isinstance(arguments, str):
        return arguments if arguments.strip() else "{}"
    return "{}" if arguments is None else msgspec.json.encode(arguments).decode()


def _distinct(calls: Iterator[ToolCall], turn: int) -> Iterator[ToolCall]:
    """Give a new id to each call without one, or with that of an earlier call."""
    seen: set[str] = set()
    for number, call in enumerate(calls, start=1):
        named = msgspec.structs.replace(call, id=f"call_{turn}_{number}") if not call.id or call.id in seen else call
        seen.add(named.id)
        yield named
