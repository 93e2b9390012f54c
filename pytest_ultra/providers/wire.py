"""Chat completions on the wire: requests and replies, encoded and decoded side by side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.json_types import Message
from pytest_ultra.core.transcript import Reply, ToolCall
from pytest_ultra.errors import AttemptFailedError, AttemptProblem

KNOWLEDGE_HEADER = "x-ultra-knowledge"  # to the embedded endpoint alone: what a reference agent knows, ASCII JSON
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # what a body that is no JSON raises
EXCERPT_CHARS = 4_000  # whoever shows it cuts it, after secrets are blotted out


class ReceivedRequest(msgspec.Struct, frozen=True):
    """What the embedded endpoint needs of a request."""

    model: str
    messages: list[Message]
    tools: list[dict[str, Any]] = []


def encode_request(request: ChatRequest, model: str) -> bytes:
    """Write the body of a request; `model` is the name under which the endpoint knows the model."""
    body: dict[str, Any] = {"model": model, "messages": [_with_content(message) for message in request.messages]}
    if request.tools:
        body["tools"] = request.tools
    return msgspec.json.encode(body | request.parameters)


def decode_request(body: bytes) -> ReceivedRequest:
    """Read a request's body; raises one of `UNREADABLE` when it is none."""
    return msgspec.json.decode(body, type=ReceivedRequest)


def _with_content(message: Message) -> Message:
    """Some servers reject null, or nothing, beside tool calls."""
    return message if message.get("content") is not None else {**message, "content": ""}


def encode_reply(reply: Reply, model: str) -> bytes:
    """Write the body of an answer as a server does; `decode_reply` is its inverse."""
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
    """Read the body of an answer, forgiving what servers do differently.

    `turn` keeps made-up call ids apart from those of other turns. Raises `AttemptFailedError` (malformed) when it is
    no chat completion.
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
    """Return what a body says, for people: an error object's message where there is one, on one printable line."""
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
    """Find the message in `{"error": {"message": ...}}`, in a list of one such, or in what others make of it."""
    answer = _as_dict(answer[0] if isinstance(answer, list) and answer else answer)
    error = answer.get("error") or answer
    said = error if isinstance(error, str) else _as_dict(error).get("message") or answer.get("detail")
    return said if isinstance(said, str) else ""


def _first(choices: Any) -> dict[str, Any]:
    return _as_dict(choices[0]) if isinstance(choices, list) and choices else {}


def _as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(content: Any) -> str:
    """Content is text, null, or a list of parts of which some are text."""
    if isinstance(content, list):
        return "".join(_text(part.get("text")) if isinstance(part, dict) else _text(part) for part in content)
    return content if isinstance(content, str) else ""


def _count(tokens: Any) -> int:
    return max(0, int(tokens)) if isinstance(tokens, int | float) else 0


def _calls(message: dict[str, Any]) -> Iterator[ToolCall]:
    """Yield the calls as they were made, also broken ones: those are evidence."""
    entries = message.get("tool_calls") or []
    for entry in entries if isinstance(entries, list) else [entries]:
        call = _as_dict(entry)
        call_id = call.get("id")
        yield _call(call_id if isinstance(call_id, str) else "", call.get("function") or call)
    if not entries and message.get("function_call"):  # the form before tools
        yield _call("", message["function_call"])


def _call(call_id: str, function: Any) -> ToolCall:
    name = _as_dict(function).get("name")
    return ToolCall(call_id, name if isinstance(name, str) else "", _arguments(_as_dict(function).get("arguments")))


def _arguments(arguments: Any) -> str:
    """Arguments are JSON in a string; some servers give the object itself, or nothing where there are none."""
    if isinstance(arguments, str):
        return arguments if arguments.strip() else "{}"
    return "{}" if arguments is None else msgspec.json.encode(arguments).decode()


def _distinct(calls: Iterator[ToolCall], turn: int) -> Iterator[ToolCall]:
    """Give an id to each call that has none, or that of an earlier one."""
    seen: set[str] = set()
    for number, call in enumerate(calls, start=1):
        named = msgspec.structs.replace(call, id=f"call_{turn}_{number}") if not call.id or call.id in seen else call
        seen.add(named.id)
        yield named
