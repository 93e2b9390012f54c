"""Anthropic's Messages as a server speaks it: https://pypi.org/project/anthropic/2.14.0/ has the types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Fields = dict[str, Any]
USAGE = {
    "input_tokens": 7,
    "cache_read_input_tokens": 40,
    "cache_creation_input_tokens": 2,
    "output_tokens": 9,
    "output_tokens_details": {"thinking_tokens": 5},
}


class MessagesProtocol:
    """Thinks before each answer, and insists on getting each answer back as it was, as Anthropic does of thinking."""

    path = "/v1/messages"

    def __init__(self) -> None:
        self._sent: dict[str, list[Fields]] = {}

    def read(self, body: Fields, path: str) -> Fields:
        assert path == self.path
        assert body["max_tokens"] in (777, 8192)
        assert {"name", "description", "input_schema"} == body["tools"][0].keys()
        messages: list[Fields] = [{"role": "system", "content": body["system"]}] if "system" in body else []
        roles = [message["role"] for message in body["messages"]]
        assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"], "roles alternate"
        for message in body["messages"]:
            messages += self._read_message(message)
        return {"messages": messages}

    def _read_message(self, message: Fields) -> Iterator[Fields]:
        blocks = message["content"]
        if message["role"] == "assistant":
            assert blocks == self._sent[blocks[0]["signature"]], "thinking comes back as it was"
            yield {"role": "assistant"}
            return
        for block in blocks:
            if block["type"] == "tool_result":
                yield {"role": "tool", "tool_call_id": block["tool_use_id"], "content": block["content"]}
            else:
                yield {"role": "user", "content": block["text"]}

    def write(self, message: Fields, number: int) -> Fields:
        signature = f"c2ln{number}=="
        blocks: list[Fields] = [{"type": "thinking", "thinking": "Hm.", "signature": signature}]
        blocks += [{"type": "redacted_thinking", "data": f"b64{number}"}]
        if message.get("content"):
            blocks.append({"type": "text", "text": message["content"]})
        for call in message.get("tool_calls", ()):
            function = call["function"]
            arguments = json.loads(function["arguments"])
            blocks.append({"type": "tool_use", "id": call["id"], "name": function["name"], "input": arguments})
        self._sent[signature] = blocks
        stop = "tool_use" if message.get("tool_calls") else "end_turn"
        return answer(blocks, stop_reason=stop)

    def events(self, answer: Fields) -> Iterator[Fields]:
        start = {**answer, "content": [], "stop_reason": None, "usage": {**USAGE, "output_tokens": 1}}
        yield {"type": "message_start", "message": start}
        yield {"type": "ping"}
        for index, block in enumerate(answer["content"]):
            yield from _block_events(index, block)
        delta = {"stop_reason": answer["stop_reason"], "stop_sequence": None}
        yield {"type": "message_delta", "delta": delta, "usage": answer["usage"]}
        yield {"type": "message_stop"}


def answer(blocks: list[Fields], *, stop_reason: str) -> Fields:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-test-1",
        "content": blocks,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": USAGE,
    }


_EMPTY: dict[str, Fields] = {
    "thinking": {"thinking": "", "signature": ""},
    "text": {"text": ""},
    "tool_use": {"input": {}},
    "redacted_thinking": {},
}


def _block_events(index: int, block: Fields) -> Iterator[Fields]:
    kind = block["type"]
    yield {"type": "content_block_start", "index": index, "content_block": {**block, **_EMPTY[kind]}}
    for delta in _deltas(block):
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _deltas(block: Fields) -> Iterator[Fields]:
    match block["type"]:
        case "thinking":
            yield {"type": "thinking_delta", "thinking": block["thinking"]}
            yield {"type": "signature_delta", "signature": block["signature"]}
        case "text":
            half = len(block["text"]) // 2
            yield {"type": "text_delta", "text": block["text"][:half]}
            yield {"type": "text_delta", "text": block["text"][half:]}
        case "tool_use":
            text = json.dumps(block["input"])
            yield {"type": "input_json_delta", "partial_json": text[:3]}
            yield {"type": "input_json_delta", "partial_json": text[3:]}
