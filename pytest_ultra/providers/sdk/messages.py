"""Anthropic's Messages, by the `anthropic` package.

https://pypi.org/project/anthropic/2.14.0/ has the types; thinking blocks go back as they came:
https://platform.claude.com/docs/en/build-with-claude/extended-thinking
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pytest_ultra.core.bounds import bound_tokens
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.json_types import Message
from pytest_ultra.core.transcript import Reply, ToolCall
from pytest_ultra.providers.dialects.dialect import Dialect
from pytest_ultra.providers.dialects.schemas import simplify
from pytest_ultra.providers.model_spec import ModelSpec
from pytest_ultra.providers.sdk.adapter import (
    NO_TEXT,
    NOTHING,
    call_arguments,
    call_name,
    encode_arguments,
    extra_body,
    fields_of,
    keep_native,
    native_items,
    objects,
    system_text,
    text_of,
    turns,
)
from pytest_ultra.providers.wire import distinct_calls

API = "messages"
DIALECT = Dialect(limit_name="max_tokens")
_PLAIN_BLOCKS = frozenset({"text", "tool_use"})


class MessagesAdapter:
    """One endpoint. With `streams`, answers are requested as a stream."""

    dialect = DIALECT

    def __init__(self, spec: ModelSpec, http_client: Any, *, streams: bool) -> None:
        from anthropic import AsyncAnthropic  # noqa: PLC0415 - heavy, and an extra

        self._name, self._neutral = spec.name, spec.neutral
        self._streams = streams
        self._client = AsyncAnthropic(
            api_key=spec.key.reveal() or "none",
            base_url=spec.base_url.removesuffix("/v1"),
            max_retries=0,
            timeout=None,
            http_client=http_client,
        )

    async def send(self, request: ChatRequest, dialect: Dialect) -> Any:
        body = render_body(request, self._name, dialect, self._neutral)
        if not self._streams:
            return (await self._client.messages.create(**body)).to_dict(mode="json")
        async with self._client.messages.stream(**body) as stream:
            return (await stream.get_final_message()).to_dict(mode="json")

    def read(self, answer: Any, turn: int) -> Reply:
        return read_message(answer, turn)

    async def aclose(self) -> None:
        await self._client.close()


def render_body(
    request: ChatRequest, name: str, dialect: Dialect = DIALECT, neutral: Mapping[str, Any] = NOTHING
) -> dict[str, Any]:
    """Return the arguments of the SDK's method for a request."""
    body: dict[str, Any] = {"model": name, "max_tokens": dialect.max_tokens, "messages": list(_messages(request))}
    if system := system_text(request):
        body["system"] = system
    if request.tools:
        body["tools"] = [_tool(tool["function"], dialect) for tool in request.tools]
    return body | extra_body(request, dialect, neutral)


def _tool(function: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    schema = simplify(function["parameters"], dialect.schemas)
    return {"name": function["name"], "description": function.get("description", ""), "input_schema": schema}


def _messages(request: ChatRequest) -> Iterator[Message]:
    """Yield the messages: all results of a turn are in one, as the protocol wants them."""
    last: Message | None = None
    for message in turns(request):
        role = "assistant" if message["role"] == "assistant" else "user"
        blocks = list(_assistant_blocks(message, request)) if role == "assistant" else [_user_block(message)]
        if last is not None and last["role"] == role:
            last["content"] += blocks
        else:
            if last is not None:
                yield last
            last = {"role": role, "content": blocks}
    if last is not None:
        yield last


def _user_block(message: Message) -> dict[str, Any]:
    if message["role"] == "tool":
        return {"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": message["content"]}
    return {"type": "text", "text": message["content"] or NO_TEXT}


def _assistant_blocks(message: Message, request: ChatRequest) -> Iterator[dict[str, Any]]:
    """Yield the blocks of an answer: those that came from this protocol as they came, in their order."""
    left = {call["id"]: call for call in message.get("tool_calls") or ()}
    kept = native_items(message, API)
    for block in kept:
        if block.get("type") != "tool_use" or left.pop(block.get("id"), None):
            yield block
    if not kept and (message.get("content") or not left):
        yield {"type": "text", "text": message.get("content") or NO_TEXT}
    for call_id, call in left.items():
        yield {"type": "tool_use", "id": call_id, "name": call_name(call, request), "input": call_arguments(call)}


def read_message(answer: Any, turn: int) -> Reply:
    """Read an answer; thinking is kept with all blocks, since their order counts."""
    blocks = objects(answer["content"])
    usage = fields_of(answer.get("usage"))
    read, written = (bound_tokens(usage.get(f"cache_{which}_input_tokens")) for which in ("read", "creation"))
    calls = (
        ToolCall(text_of(block.get("id")), text_of(block.get("name")), encode_arguments(block.get("input")))
        for block in blocks
        if block.get("type") == "tool_use"
    )
    is_plain = all(block.get("type") in _PLAIN_BLOCKS for block in blocks)
    return Reply(
        text="".join(text_of(block.get("text")) for block in blocks if block.get("type") == "text"),
        tool_calls=tuple(distinct_calls(calls, turn)),
        prompt_tokens=bound_tokens(usage.get("input_tokens")) + read + written,
        completion_tokens=bound_tokens(usage.get("output_tokens")),
        cached_tokens=read,
        cache_written_tokens=written,
        reasoning_tokens=bound_tokens(fields_of(usage.get("output_tokens_details")).get("thinking_tokens")),
        finish_reason=text_of(answer.get("stop_reason")) or "stop",
        model=text_of(answer.get("model")),
        extra=msgspec.UNSET if is_plain else keep_native(API, blocks),
    )
