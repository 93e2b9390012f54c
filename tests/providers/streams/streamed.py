"""Streams for tests: the events of a completion, and streams in the shapes that providers send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pytest_ultra.core.transcript import Reply
from pytest_ultra.providers.streams.completion_stream import CompletionStream
from pytest_ultra.providers.wire import decode_reply

DONE = b"data: [DONE]\n\n"


def event(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def delta(finish_reason: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"object": "chat.completion.chunk", "choices": [choice(finish_reason, **fields)]}


def choice(finish_reason: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"index": 0, "delta": fields, "finish_reason": finish_reason}


def part(index: int | None = 0, name: str | None = None, arguments: Any = None, **more: Any) -> dict[str, Any]:
    """Return a delta with a part of one call."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    own = {} if index is None else {"index": index}
    return delta(tool_calls=[{**own, **more, "function": function}])


def stream(*events: Any, done: bool = True) -> bytes:
    return b"".join(map(event, events)) + (DONE if done else b"")


def assemble(content: bytes, chunk_bytes: int = 0) -> bytes:
    """Return the body that a stream adds up to, fed in chunks of this size; 0 is all at once."""
    completion = CompletionStream()
    for start in range(0, len(content), chunk_bytes or len(content) or 1):
        completion.feed(content[start : start + (chunk_bytes or len(content))])
    return completion.close()


def read(content: bytes, chunk_bytes: int = 0) -> Reply:
    return decode_reply(assemble(content, chunk_bytes), turn=1)


def events_of(completion: dict[str, Any], cut: int) -> Iterator[dict[str, Any]]:
    """Yield the events of a completion, with texts and arguments in parts of `cut` characters."""
    [whole] = completion["choices"]
    message = whole["message"]
    yield delta(role="assistant", content="")
    for name, value in message.items():
        if name == "tool_calls":
            yield from _call_events(value, cut)
        elif name in ("content", "refusal", "reasoning_content") and isinstance(value, str):
            yield from (delta(**{name: value[at : at + cut]}) for at in range(0, len(value), cut))
        elif name != "role":
            yield delta(**{name: value})
    yield delta(whole["finish_reason"])
    yield {"choices": [], "usage": completion["usage"]}


def _call_events(calls: list[dict[str, Any]], cut: int) -> Iterator[dict[str, Any]]:
    """Yield the calls side by side: a part of each in turn."""
    for index, call in enumerate(calls):
        function = {**call["function"], "arguments": ""}
        yield delta(tool_calls=[{**call, "index": index, "function": function}])
    longest = max((len(call["function"]["arguments"]) for call in calls), default=0)
    for at in range(0, longest, cut):
        parts = [(index, call["function"]["arguments"][at : at + cut]) for index, call in enumerate(calls)]
        yield delta(tool_calls=[{"index": index, "function": {"arguments": text}} for index, text in parts if text])
