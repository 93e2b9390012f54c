"""The wire format of chat completions: encoders and decoders of requests and replies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from pytest_ultra.core.bounds import bound_reply
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.generation_end import ERROR_FINISHES, REFUSAL, is_models_end, normalize_finish
from pytest_ultra.core.json_types import Message
from pytest_ultra.core.stream_mode import StreamMode
from pytest_ultra.core.transcript import Extra, Reply, ToolCall
from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from pytest_ultra.providers.dialects.call_ids import make_call_id
from pytest_ultra.providers.dialects.dialect import DEFAULT, Dialect
from pytest_ultra.providers.dialects.render import CALL_FIELDS, MESSAGE_FIELDS, render_messages, render_tools
from pytest_ultra.providers.dialects.requested import apply_requested
from pytest_ultra.providers.error_body import excerpt
from pytest_ultra.providers.usage_fields import read_usage
from pytest_ultra.providers.wire_fields import (
    UNREADABLE,
    Answer,
    Call,
    Choice,
    FirstItem,
    ReplyMessage,
    is_filled,
    read_answer,
    read_arguments,
    read_extra,
    read_fields,
    read_list,
    read_string,
    read_text,
)

KNOWLEDGE_HEADER = "x-ultra-knowledge"  # only to the embedded endpoint: the reference agent's knowledge as ASCII JSON


class ReceivedRequest(msgspec.Struct, frozen=True):
    """The fields of a request that the embedded endpoint needs."""

    model: str
    messages: list[Message]
    tools: list[dict[str, Any]] = []


def encode_request(
    request: ChatRequest, model: str, dialect: Dialect = DEFAULT, neutral: Mapping[str, Any] = MappingProxyType({})
) -> bytes:
    """Encode the body of a request for a dialect. `model` is the endpoint's own name for the model.

    `neutral` are further parameters that the user asked for. What the user asked for replaces what we send, and is
    sent even if the dialect omits it.
    """
    body: dict[str, Any] = {"model": model, "messages": render_messages(request, dialect)}
    if request.tools:
        body["tools"] = render_tools(request.tools, dialect.schemas)
        if dialect.tool_choice:
            body["tool_choice"] = dialect.tool_choice
    if dialect.limit_name and dialect.max_tokens:
        body[dialect.limit_name] = dialect.max_tokens
    body |= _stream_parameters(dialect)
    if request.case.temperature is not None:
        body["temperature"] = request.case.temperature
    body = {name: value for name, value in body.items() if name not in dialect.omitted}
    if request.requested or neutral:
        apply_requested(body, {**request.requested, **neutral}, dialect)
    return msgspec.json.encode(body)


def _stream_parameters(dialect: Dialect) -> dict[str, Any]:
    if dialect.stream is StreamMode.ON:
        return {"stream": True, "stream_options": {"include_usage": True}}
    return {"stream": False}


def decode_request(body: bytes) -> ReceivedRequest:
    """Decode the body of a request. Raises one of `UNREADABLE` if it is not one."""
    return msgspec.json.decode(body, type=ReceivedRequest)


def encode_reply(reply: Reply, model: str) -> bytes:
    """Encode the body of an answer as a server does; `decode_reply` is its inverse."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.tool_calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in reply.tool_calls
        ]
    choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
    body = {"object": "chat.completion", "model": model, "choices": [choice], "usage": _encode_usage(reply)}
    return msgspec.json.encode(body | ({"system_fingerprint": reply.fingerprint} if reply.fingerprint else {}))


def _encode_usage(reply: Reply) -> dict[str, Any]:
    usage: dict[str, Any] = {
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "total_tokens": reply.prompt_tokens + reply.completion_tokens,
    }
    if reply.cached_tokens or reply.cache_written_tokens:
        cache = {"cached_tokens": reply.cached_tokens, "cache_write_tokens": reply.cache_written_tokens}
        usage["prompt_tokens_details"] = cache
    if reply.reasoning_tokens:
        usage["completion_tokens_details"] = {"reasoning_tokens": reply.reasoning_tokens}
    return usage


def decode_reply(body: bytes, *, turn: int) -> Reply:
    """Decode the body of an answer, and accept the variants that servers send.

    `turn` makes generated call ids differ between turns. Raises `AttemptFailedError` (malformed) if the body is not a
    chat completion.
    """
    try:
        answer = read_answer(body)
        choice = _read_first_choice(answer)
        finish = normalize_finish(read_string(choice.finish_reason) or "")
        if is_filled(choice.error) or is_filled(answer.error) or finish in ERROR_FINISHES:
            raise _malformed("an error instead of", body)
        message = read_fields(choice.message, ReplyMessage)
        if message is None and is_models_end(finish):  # the model was stopped before it said anything
            message = ReplyMessage()
        if message is None:
            raise _malformed("JSON, but not", body)
        return bound_reply(_read_reply(message, choice, answer, turn))
    except UNREADABLE:
        raise _malformed("not JSON, so not", body) from None


def _read_first_choice(answer: Answer) -> Choice:
    first = read_fields(answer.choices, FirstItem) or FirstItem()
    return read_fields(first.item, Choice) or Choice()


def _read_reply(message: ReplyMessage, choice: Choice, answer: Answer, turn: int) -> Reply:
    calls = tuple(distinct_calls(_calls(message), turn))
    finish_reason = read_string(choice.finish_reason)
    usage = read_usage(answer.usage)
    text = read_text(message.content)
    if not text and not calls and is_filled(message.refusal) and finish_reason in (None, "stop"):
        finish_reason = REFUSAL
    return Reply(
        text=text or read_text(message.refusal),
        tool_calls=calls,
        prompt_tokens=usage.prompt,
        completion_tokens=usage.completion,
        finish_reason=("tool_calls" if calls else "stop") if finish_reason is None else finish_reason,
        extra=read_extra(choice.message, MESSAGE_FIELDS),
        cached_tokens=usage.cached,
        cache_written_tokens=usage.cache_written,
        reasoning_tokens=usage.reasoning,
        model=read_string(answer.model) or "",
        fingerprint=read_string(answer.system_fingerprint) or "",
    )


def _malformed(what: str, body: bytes) -> AttemptFailedError:
    return AttemptFailedError(AttemptProblem.MALFORMED, f"{what} a chat completion: {excerpt(body) or 'empty body'}")


def _calls(message: ReplyMessage) -> Iterator[ToolCall]:
    """Yield the calls as the model made them, including malformed ones, which count as evidence."""
    for entry in read_list(message.tool_calls):
        call = read_fields(entry, Call) or Call()
        inner = (read_fields(call.function, Call) or Call()) if is_filled(call.function) else call
        yield _call(read_string(call.id) or "", inner, read_extra(entry, CALL_FIELDS))
    if not is_filled(message.tool_calls) and is_filled(message.function_call):  # the older form
        yield _call("", read_fields(message.function_call, Call) or Call())


def _call(call_id: str, function: Call, extra: Extra = msgspec.UNSET) -> ToolCall:
    return ToolCall(call_id, read_string(function.name) or "", read_arguments(function.arguments), extra)


def distinct_calls(calls: Iterator[ToolCall], turn: int) -> Iterator[ToolCall]:
    """Give a new id to each call without one, or with that of an earlier call."""
    seen: set[str] = set()
    for number, call in enumerate(calls, start=1):
        named = call
        if not call.id or call.id in seen:
            named = msgspec.structs.replace(call, id=make_call_id(turn, number))
        seen.add(named.id)
        yield named
