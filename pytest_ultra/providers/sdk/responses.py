"""OpenAI's Responses, by the `openai` package: https://pypi.org/project/openai/3.57.0/ has the types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import aclosing
from typing import Any

from pytest_ultra.core.bounds import bound_tokens
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.generation_end import REFUSAL
from pytest_ultra.core.json_types import Message
from pytest_ultra.core.transcript import Reply, ToolCall
from pytest_ultra.providers.dialects.dialect import Dialect
from pytest_ultra.providers.dialects.schemas import simplify
from pytest_ultra.providers.model_spec import ModelSpec
from pytest_ultra.providers.sdk.adapter import (
    NOTHING,
    StreamError,
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

API = "responses"
DIALECT = Dialect(limit_name="max_output_tokens", optional=frozenset({"include"}))
"""Nothing is stored there, so `include` asks for reasoning in a form to send back. Other models may reject it."""
_ENDS = {"max_output_tokens": "length", "content_filter": "content_filter"}
_LAST_EVENTS = frozenset({"response.completed", "response.incomplete", "response.failed"})


class ResponsesAdapter:
    """One endpoint. With `streams`, answers are requested as a stream."""

    dialect = DIALECT

    def __init__(self, spec: ModelSpec, http_client: Any, *, streams: bool) -> None:
        from openai import AsyncOpenAI  # noqa: PLC0415 - heavy, and an extra

        self._name, self._neutral = spec.name, spec.neutral
        self._streams = streams
        key = spec.key.reveal() or "none"
        self._client = AsyncOpenAI(
            api_key=key, base_url=spec.base_url, max_retries=0, timeout=None, http_client=http_client
        )

    async def send(self, request: ChatRequest, dialect: Dialect) -> Any:
        body = render_body(request, self._name, dialect, self._neutral)
        if not self._streams:
            return (await self._client.responses.create(**body)).to_dict(mode="json")
        event = None
        stream = await self._client.responses.create(**body, stream=True)
        async with stream, aclosing(aiter(stream)) as events:  # or the collector would end them, at any time
            async for event in events:  # the last one holds the whole answer
                if event.type in _LAST_EVENTS:
                    return event.response.to_dict(mode="json")
                if event.type == "error":
                    raise StreamError(event.to_dict(mode="json"))
        if event is None:
            raise ValueError("not a stream of events")
        raise ConnectionResetError("the stream ended before the answer was complete")

    def read(self, answer: Any, turn: int) -> Reply:
        return read_response(answer, turn)

    async def aclose(self) -> None:
        await self._client.close()


def render_body(
    request: ChatRequest, name: str, dialect: Dialect = DIALECT, neutral: Mapping[str, Any] = NOTHING
) -> dict[str, Any]:
    """Return the arguments of the SDK's method for a request."""
    body: dict[str, Any] = {
        "model": name,
        "input": [item for message in turns(request) for item in _items(message, request)],
        "max_output_tokens": dialect.max_tokens,
        "store": False,
        "include": ["reasoning.encrypted_content"],
    }
    if system := system_text(request):
        body["instructions"] = system
    if request.tools:
        body["tools"] = [_tool(tool["function"], dialect) for tool in request.tools]
    kept = {key: value for key, value in body.items() if key not in dialect.omitted}
    return kept | extra_body(request, dialect, neutral)


def _tool(function: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    schema = simplify(function["parameters"], dialect.schemas)
    named = {"type": "function", "name": function["name"], "description": function.get("description", "")}
    return {**named, "parameters": schema, "strict": False}


def _items(message: Message, request: ChatRequest) -> Iterator[dict[str, Any]]:
    """Yield the items of a message: those of an answer in this protocol as they came, in their order."""
    if message["role"] == "tool":
        yield {"type": "function_call_output", "call_id": message["tool_call_id"], "output": message["content"]}
        return
    left = {call["id"]: call for call in message.get("tool_calls") or ()}
    kept = native_items(message, API)
    for item in kept:
        if item.get("type") != "function_call" or left.pop(item.get("call_id"), None):
            yield item
    if not kept and (message.get("content") or not left):
        yield {"role": message["role"], "content": message.get("content") or ""}
    for call_id, call in left.items():
        arguments = call["function"]["arguments"]
        yield {"type": "function_call", "call_id": call_id, "name": call_name(call, request), "arguments": arguments}


def read_response(answer: Any, turn: int) -> Reply:
    """Read an answer. Raises ValueError if it failed, with the error as its `body`."""
    if answer.get("status") == "failed" or answer.get("error"):
        raise StreamError(answer.get("error"))
    items = objects(answer["output"])
    usage = fields_of(answer.get("usage"))
    details, reasoning = (fields_of(usage.get(f"{side}_tokens_details")) for side in ("input", "output"))
    parts = [part for item in items if item.get("type") == "message" for part in objects(item["content"])]
    refusal = "".join(text_of(part.get("refusal")) for part in parts)
    text = "".join(text_of(part.get("text")) for part in parts)
    calls = tuple(distinct_calls(_calls(items), turn))
    cut = text_of(fields_of(answer.get("incomplete_details")).get("reason"))
    return Reply(
        text=text or refusal,
        tool_calls=calls,
        prompt_tokens=bound_tokens(usage.get("input_tokens")),
        completion_tokens=bound_tokens(usage.get("output_tokens")),
        cached_tokens=bound_tokens(details.get("cached_tokens")),
        cache_written_tokens=bound_tokens(details.get("cache_write_tokens")),
        reasoning_tokens=bound_tokens(reasoning.get("reasoning_tokens")),
        finish_reason=_ENDS.get(cut, cut) or (REFUSAL if refusal and not text else "tool_calls" if calls else "stop"),
        model=text_of(answer.get("model")),
        extra=keep_native(API, items),
    )


def _calls(items: list[dict[str, Any]]) -> Iterator[ToolCall]:
    for item in items:
        if item.get("type") == "function_call":
            arguments = encode_arguments(item.get("arguments"))
            yield ToolCall(text_of(item.get("call_id")), text_of(item.get("name")), arguments or "{}")
