"""Requests of Gemini's own API: contents, with the parts of earlier answers as they came, and the configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.json_types import Json, Message
from pytest_ultra.providers.dialects.dialect import Dialect
from pytest_ultra.providers.dialects.schemas import simplify
from pytest_ultra.providers.sdk.adapter import (
    NO_TEXT,
    NOTHING,
    call_arguments,
    call_name,
    extra_body,
    native_items,
    system_text,
    turns,
)

API = "gemini"
DIALECT = Dialect(limit_name="max_output_tokens")


def render_body(
    request: ChatRequest, dialect: Dialect = DIALECT, neutral: Mapping[str, Any] = NOTHING
) -> dict[str, Any]:
    """Return the contents of a request as JSON values, and its configuration for the SDK's method."""
    config: dict[str, Any] = {"max_output_tokens": dialect.max_tokens, "automatic_function_calling": {"disable": True}}
    if system := system_text(request):
        config["system_instruction"] = system
    if request.tools:
        config["tools"] = [{"function_declarations": [_tool(tool["function"], dialect) for tool in request.tools]}]
    return {
        "contents": list(_contents(request)),
        "config": config | extra_body(request, dialect, neutral).get("extra_body", {}),
    }


def _tool(function: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    schema = simplify(function["parameters"], dialect.schemas)
    return {"name": function["name"], "description": function.get("description", ""), "parameters_json_schema": schema}


def _contents(request: ChatRequest) -> Iterator[Message]:
    """Yield the contents: all results of a turn are in one."""
    names: dict[str, dict[str, Any]] = {}
    last: Message | None = None
    for message in turns(request):
        role = "model" if message["role"] == "assistant" else "user"
        parts = list(_model_parts(message, request, names)) if role == "model" else [_user_part(message, names)]
        if last is not None and last["role"] == role:
            last["parts"] += parts
            continue
        if last is not None:
            yield last
        last = {"role": role, "parts": parts}
    if last is not None:
        yield last


def _user_part(message: Message, names: dict[str, dict[str, Any]]) -> dict[str, Any]:
    if message["role"] != "tool":
        return {"text": message["content"] or NO_TEXT}
    result = _decode(message["content"])
    named = names.get(message["tool_call_id"], {"name": "unnamed"})
    return {"functionResponse": {**named, "response": result if isinstance(result, dict) else {"result": result}}}


def _decode(text: str) -> Json:
    """Return a tool's result, which is JSON if the tools are ours."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text


def _model_parts(message: Message, request: ChatRequest, names: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the parts of an answer as they came, and note what the results of its calls have to name."""
    left = list(message.get("tool_calls") or ())
    kept = native_items(message, API)
    for part in kept:
        called = part.get("functionCall")
        if not isinstance(called, dict):
            yield part
        elif left:
            names[left.pop(0)["id"]] = {key: called[key] for key in ("id", "name") if key in called}
            yield part
    if not kept and (message.get("content") or not left):
        yield {"text": message.get("content") or NO_TEXT}
    for call in left:
        names[call["id"]] = {"name": call_name(call, request)}
        yield {"functionCall": {**names[call["id"]], "args": call_arguments(call)}}
