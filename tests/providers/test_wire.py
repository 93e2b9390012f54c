"""Requests and replies in the wire format, including the variants that servers send."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.core.stream_mode import StreamMode
from pytest_ultra.core.transcript import Reply, ToolCall
from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from pytest_ultra.providers.dialects.dialect import Dialect
from pytest_ultra.providers.error_body import excerpt
from pytest_ultra.providers.wire import decode_reply, decode_request, encode_reply, encode_request
from tests.providers.requests_made import make_request

_texts = st.text(st.characters(exclude_categories=["Cs"]))
_calls = st.builds(ToolCall, id=_texts.filter(bool), name=_texts, arguments=_texts.filter(str.strip))
_tokens = st.integers(0, 10**9)


@st.composite
def _replies(draw: st.DrawFn) -> Reply:
    cached, written, reasoning = draw(_tokens), draw(_tokens), draw(_tokens)
    return Reply(
        text=draw(_texts),
        tool_calls=tuple(draw(st.lists(_calls, unique_by=lambda call: call.id, max_size=3))),
        prompt_tokens=cached + written + draw(_tokens),
        completion_tokens=reasoning + draw(_tokens),
        finish_reason=draw(_texts),
        cached_tokens=cached,
        cache_written_tokens=written,
        reasoning_tokens=reasoning,
        model="m",
        fingerprint=draw(_texts)[:200],
    )


@given(_replies())
def test_a_reply_survives_encoding_and_decoding(reply: Reply) -> None:
    assert decode_reply(encode_reply(reply, "m"), turn=1) == reply


def test_a_request_contains_only_what_is_needed() -> None:
    body = json.loads(encode_request(make_request(), "gpt-4o-mini"))
    assert body == {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "Do it."}],
        "max_tokens": 8192,
        "stream": False,
    }


def test_a_stream_and_its_usage_are_asked_for_where_the_dialect_says_so() -> None:
    body = json.loads(encode_request(make_request(), "m", Dialect(stream=StreamMode.ON)))
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})
    bare = Dialect(stream=StreamMode.ON, omitted=frozenset({"stream_options"}))
    assert "stream_options" not in json.loads(encode_request(make_request(), "m", bare))
    off = json.loads(encode_request(make_request(), "m", Dialect(stream=StreamMode.OFF)))
    assert off["stream"] is False
    assert "stream_options" not in off


def test_tools_and_temperature_are_sent_if_given() -> None:
    tool = {"type": "function", "function": {"name": "utility_logger", "parameters": {}}}
    request = msgspec.structs.replace(make_request(temperature=0.0), tools=(tool,))
    body = json.loads(encode_request(request, "m"))
    assert (body["tools"], body["temperature"]) == ([tool], 0.0)


@pytest.mark.parametrize("content", [{"content": None}, {}])
def test_null_in_place_of_text_is_sent_as_empty_text(content: dict[str, Any]) -> None:
    message = {"role": "assistant", **content}
    request = msgspec.structs.replace(make_request(), messages=(message,))
    assert decode_request(encode_request(request, "m")).messages == [{**message, "content": ""}]


def test_unknown_fields_of_a_message_and_its_calls_are_kept_as_they_came() -> None:
    call = {"id": "a", "function": {"name": "f"}, "index": 0, "extra_content": {"google": {"thought_signature": "x=="}}}
    reply = decode(
        {"content": None, "tool_calls": [call], "reasoning_content": "Hm.", "refusal": None, "annotations": []}
    )
    assert reply.extra == {"reasoning_content": "Hm."}
    assert reply.tool_calls[0].extra == {"extra_content": {"google": {"thought_signature": "x=="}}}


def test_unknown_fields_beyond_all_bounds_are_dropped() -> None:
    deep: Any = "x"
    for _ in range(300):
        deep = [deep]
    reply = decode({"content": "Hi", "long": "x" * 600_000, "deep": deep, "kept": [1.0, {"a": None}]})
    assert reply == Reply(text="Hi", extra={"kept": [1.0, {"a": None}]})


def decode(message: Any, **more: Any) -> Reply:
    body = {"choices": [{"message": message, **more.pop("choice", {})}], **more}
    return decode_reply(json.dumps(body).encode(), turn=3)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "Hi"}, "Hi"),
        ({"content": None}, ""),
        ({}, ""),
        ({"content": [{"type": "text", "text": "a"}, {"type": "image"}, "b"]}, "ab"),
        ({"content": "Hi", "refusal": "I will not."}, "Hi"),
    ],
)
def test_content_may_be_text_null_missing_or_parts(message: dict[str, Any], text: str) -> None:
    assert decode(message) == Reply(text=text)


def test_a_refusal_in_a_field_of_its_own_is_a_refusal() -> None:
    refused = Reply(text="I will not.", finish_reason="refusal")
    assert decode({"content": None, "refusal": "I will not."}) == refused


@pytest.mark.parametrize(
    "choice",
    [
        {"finish_reason": "error", "message": {"content": "So far"}},
        {"finish_reason": "network_error", "message": {"content": ""}},
        {"finish_reason": "stop", "message": {"content": "So far"}, "error": {"code": 502, "message": "lost"}},
    ],
)
def test_an_error_inside_a_choice_is_no_reply(choice: dict[str, Any]) -> None:
    with pytest.raises(AttemptFailedError, match="an error instead of a chat completion"):
        decode_reply(json.dumps({"choices": [choice]}).encode(), turn=1)


def test_a_model_that_was_stopped_before_it_said_anything_has_replied() -> None:
    body = b'{"choices":[{"finish_reason":"function_call_filter: MALFORMED_FUNCTION_CALL"}]}'
    assert decode_reply(body, turn=1).finish_reason == "function_call_filter: MALFORMED_FUNCTION_CALL"


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([{"id": "a", "function": {"name": "f", "arguments": '{"x": 1}'}}], [("a", "f", '{"x": 1}')]),
        ([{"id": "a", "function": {"name": "f", "arguments": {"x": 1}}}], [("a", "f", '{"x":1}')]),
        ([{"id": "a", "function": {"name": "f", "arguments": "{broken"}}], [("a", "f", "{broken")]),
        ([{"id": "a", "function": {"name": "f", "arguments": ""}}], [("a", "f", "{}")]),
        ([{"id": "a", "function": {"name": "f"}}], [("a", "f", "{}")]),
        ([{"id": "a", "function": {"arguments": "{}"}}], [("a", "", "{}")]),
        ([{"id": "a", "name": "f", "arguments": "{}"}], [("a", "f", "{}")]),
        ({"id": "a", "function": {"name": "f", "arguments": "{}"}}, [("a", "f", "{}")]),
        (
            [{"function": {"name": "f"}}, {"id": None, "name": "g"}],
            [("t0003c001", "f", "{}"), ("t0003c002", "g", "{}")],
        ),
        ([{"id": "a", "name": "f"}, {"id": "a", "name": "g"}], [("a", "f", "{}"), ("t0003c002", "g", "{}")]),
        (["rubbish"], [("t0003c001", "", "{}")]),
        (None, []),
    ],
)
def test_tool_calls_are_kept_whatever_their_form(calls: Any, expected: list[tuple[str, str, str]]) -> None:
    assert decode({"content": "", "tool_calls": calls}).tool_calls == tuple(ToolCall(*call) for call in expected)


def test_the_older_function_call_is_read() -> None:
    reply = decode({"content": None, "function_call": {"name": "f", "arguments": "{}"}})
    assert reply.tool_calls == (ToolCall("t0003c001", "f", "{}"),)


@pytest.mark.parametrize(
    ("choice", "calls", "expected"),
    [
        ({"finish_reason": "length"}, [], "length"),
        ({"finish_reason": None}, [], "stop"),
        ({}, [{"id": "a", "function": {"name": "f"}}], "tool_calls"),
    ],
)
def test_a_missing_finish_reason_is_filled_in(choice: dict[str, Any], calls: list[Any], expected: str) -> None:
    assert decode({"content": "", "tool_calls": calls}, choice=choice).finish_reason == expected


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 12, "completion_tokens": 3.0}, (12, 3)),
        ({"prompt_tokens": None, "completion_tokens": -1}, (0, 0)),
        ({}, (0, 0)),
        (None, (0, 0)),
        ("none", (0, 0)),
    ],
)
def test_usage_may_be_missing(usage: Any, tokens: tuple[int, int]) -> None:
    reply = decode({"content": "Hi"}, usage=usage)
    assert (reply.prompt_tokens, reply.completion_tokens) == tokens


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "not JSON, so not a chat completion: empty body"),
        (b"<html>\n<h1>Bad gateway</h1>", "not JSON, so not a chat completion: <html> <h1>Bad gateway</h1>"),
        (b'{"choices":[{"mess', 'not JSON, so not a chat completion: {"choices":[{"mess'),
        (b'{"choices":' + b"[" * 100_000, "not JSON, so not a chat completion: "),
        (b'"\xff"', "not JSON, so not a chat completion: "),
        (b"[]", "JSON, but not a chat completion: []"),
        (b'{"choices":[]}', 'JSON, but not a chat completion: {"choices":[]}'),
        (b'{"choices":[{"text":"x"}]}', "JSON, but not a chat completion: "),
        (b'{"error":{"message":"overloaded"}}', "an error instead of a chat completion: overloaded"),
        (b'{"error":"model not loaded"}', "an error instead of a chat completion: model not loaded"),
    ],
)
def test_a_body_that_is_not_a_chat_completion_is_malformed(body: bytes, detail: str) -> None:
    with pytest.raises(AttemptFailedError) as caught:
        decode_reply(body, turn=1)
    assert caught.value.problem is AttemptProblem.MALFORMED
    assert caught.value.detail.startswith(detail)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error":{"message":"No such model","code":404}}', "No such model"),
        (b'[{"error":{"message":"API key not valid"}}]', "API key not valid"),
        (b'{"detail":"Not Found"}', "Not Found"),
        (b'{"message":"Unauthorized"}', "Unauthorized"),
        (b"\x1b[31mred\x1b[0m\r\n  text\x00", "[31mred [0m text"),
        (b"{}", "{}"),
    ],
)
def test_an_excerpt_is_one_printable_line_with_the_message_if_there_is_one(body: bytes, expected: str) -> None:
    assert excerpt(body) == expected
