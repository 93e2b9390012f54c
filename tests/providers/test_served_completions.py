"""Requests of any client are read, and answers are written so that our own reader of endpoints understands them."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.core.transcript import Reply, ToolCall
from pytest_ultra.providers.served_completions import encode_answer, encode_stream, read_request
from pytest_ultra.providers.streams.completion_stream import CompletionStream
from pytest_ultra.providers.wire import decode_reply

TEXT = st.text(max_size=30)
ARGUMENTS = st.dictionaries(TEXT, st.integers() | TEXT, max_size=3).map(json.dumps)
CALLS = st.lists(
    st.builds(ToolCall, st.uuids().map(str), st.from_regex(r"[a-z_]{1,20}", fullmatch=True), ARGUMENTS), max_size=4
)
REPLIES = st.builds(
    lambda text, calls, prompt, completion: Reply(
        text,
        tuple(calls),
        prompt,
        completion,
        finish_reason="tool_calls" if calls else "stop",
        model="m",
    ),
    TEXT,
    CALLS,
    st.integers(1, 1000),
    st.integers(1, 1000),
)


@given(REPLIES)
def test_a_whole_answer_is_read_back(reply: Reply) -> None:
    assert decode_reply(encode_answer(reply, "m", 1), turn=1) == reply


@given(REPLIES)
def test_a_streamed_answer_adds_up_to_the_whole_one(reply: Reply) -> None:
    stream = CompletionStream()
    for event in encode_stream(reply, "m", 1, has_usage=True):
        stream.feed(event)
    assert decode_reply(stream.close(), turn=1) == reply


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hello."}], **fields}).encode()


def test_a_request_is_read_with_all_its_parameters() -> None:
    tools = [{"type": "function", "function": {"name": "act", "parameters": {}}}]
    read = read_request(
        body(tools=tools, temperature=0.5, max_completion_tokens=9, stream=True, stream_options={"include_usage": True})
    )
    assert (read.model, read.tools, read.is_streamed, read.has_stream_usage) == ("m", tuple(tools), True, True)
    assert read.parameters == {"temperature": 0.5, "max_tokens": 9}


def test_messages_are_made_plain() -> None:
    parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo."}]
    image = [{"type": "image_url", "image_url": {"url": "data:"}}]
    messages = [
        {"role": "developer", "content": parts},
        {"role": "user", "content": image},
        {"role": "assistant", "content": None, "tool_calls": None},
    ]
    assert read_request(body(messages=messages)).messages == (
        {"role": "system", "content": "Hello."},
        {"role": "user", "content": image},
        {"role": "assistant", "content": None},
    )


@pytest.mark.parametrize(
    ("request_body", "message"),
    [
        (b"", "no request for a chat completion"),
        (b"[]", "no request for a chat completion"),
        (b"{}", "no request for a chat completion"),
        (body(messages=[{}]), "missing required field `role`"),
        (body(messages=[{"role": "tool", "content": "x"}]), "has no 'tool_call_id'"),
        (body(messages=[{"role": "assistant", "tool_calls": [{"id": 1}]}]), "Expected `str`, got `int`"),
        (body(tools=[{"type": "function"}]), "missing required field `function`"),
        (body(model=1), "Expected `str`, got `int`"),
        (body(n=2), "a request gets one answer: leave out 'n'"),
        (b'{"model": "\xff"}', "no request for a chat completion"),
    ],
)
def test_what_is_no_request_is_refused_with_the_reason(request_body: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_request(request_body)


NAMES = st.sampled_from(
    ["model", "messages", "tools", "role", "content", "n", "stream_options", "function", "name", "tool_calls"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)


@given(VALUES)
def test_no_json_breaks_the_reader(value: Any) -> None:
    with suppress(ValueError):
        read_request(json.dumps(value).encode())
