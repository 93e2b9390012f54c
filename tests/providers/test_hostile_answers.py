"""The wire reader against hostile answers: bounded values, one documented error, and time in proportion to the size."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.core.bounds import MAX_CALLS, MAX_DEPTH, MAX_REPLY_CHARS, MAX_TOKENS, reply_chars
from pytest_ultra.core.transcript import Reply, ToolCall
from pytest_ultra.errors import AttemptFailedError
from pytest_ultra.providers.dialects.rejections import read_rejection
from pytest_ultra.providers.error_body import read_error
from pytest_ultra.providers.sdk.adapter import call_arguments
from pytest_ultra.providers.streams.completion_stream import CompletionStream
from pytest_ultra.providers.wire import decode_reply
from tests.fuzzing import check_linear_time, damage, fuzz

CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
MEGABYTES_31 = 31_000_000


def body_of(message: Any, **more: Any) -> bytes:
    return json.dumps({"choices": [{"message": message}], **more}).encode()


def read(message: Any, **more: Any) -> Reply:
    return decode_reply(body_of(message, **more), turn=1)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ("0", 0),
        ("7", 7),
        ("7.0", 7),
        ("1000000000000", MAX_TOKENS),
        ("1000000000001", 0),
        ("-1", 0),
        ("2.5", 0),
        ("1e308", 0),
        ("1e999", 0),
        ("9" * 5000, 0),
        ("true", 0),
        ('"7"', 0),
        ("[7]", 0),
    ],
)
def test_tokens_that_cannot_be_are_treated_as_missing(tokens: str, expected: int) -> None:
    usage = f'{{"prompt_tokens": {tokens}, "completion_tokens": {tokens}}}'
    reply = decode_reply(f'{{"choices": [{{"message": {{}}}}], "usage": {usage}}}'.encode(), turn=1)
    assert (reply.prompt_tokens, reply.completion_tokens) == (expected, expected)


def nest(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("levels", [MAX_DEPTH - 1, MAX_DEPTH, 300])
def test_arguments_sent_as_an_object_are_kept_as_text_however_deep_they_are(levels: int) -> None:
    arguments = {"x": nest(levels)}
    (call,) = read({"tool_calls": [{"id": "a", "name": "f", "arguments": arguments}]}).tool_calls
    assert call.arguments.replace(" ", "") == json.dumps(arguments, separators=(",", ":"))


def test_an_answer_nested_beyond_any_stack_is_malformed() -> None:
    body = b'{"choices":[{"message":{"content":"x","y":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}}]}"
    with pytest.raises(AttemptFailedError, match=r"^malformed: not JSON"):
        decode_reply(body, turn=1)


PLACES = {
    "the body": "{}",
    "an error": '{"error": {}}',
    "a message": '{"message": {}}',
    "choices": '{"choices": {}}',
    "content": '{"choices": [{"delta": {"content": {}}}]}',
    "arguments": '{"choices": [{"delta": {"tool_calls": [{"index": 0, "name": "f", "arguments": {}}]}}]}',
    "an unknown field": '{"choices": [{"delta": {"x": {}}}]}',
}


@pytest.mark.parametrize("levels", [MAX_DEPTH - 20, MAX_DEPTH + 20, 900, 3_000, 50_000])
@pytest.mark.parametrize("place", PLACES)
def test_nothing_nested_raises_anything_but_the_documented_error(place: str, levels: int) -> None:
    """How deep the decoder can read depends on the version of Python."""
    nested = "[" * levels + '{"text": "x", "message": "x", "error": "x"}' + "]" * levels
    event = PLACES[place].replace("{}", nested).encode()
    body = event.replace(b"delta", b"message")
    check(body)
    assert read_error(body).message
    assert read_rejection(400, body)
    stream = CompletionStream()
    with suppress(AttemptFailedError):
        stream.feed(b"data: " + event + b"\n\ndata: [DONE]\n\n")
        check(stream.close())


@pytest.mark.parametrize("levels", [MAX_DEPTH, 3_000, 50_000])
def test_arguments_that_nothing_can_follow_go_back_to_an_sdk_as_text(levels: int) -> None:
    text = '{"x": ' + "[" * levels + "]" * levels + "}"
    assert call_arguments({"function": {"arguments": text}}) == {"malformed_arguments": text}


def test_calls_are_read_up_to_the_first_one_beyond_the_limit() -> None:
    assert len(read({"tool_calls": [CALL] * MAX_CALLS}).tool_calls) == MAX_CALLS
    reply = read({"tool_calls": [CALL] * 10_000})
    assert len(reply.tool_calls) == MAX_CALLS + 1
    assert len({call.id for call in reply.tool_calls}) == MAX_CALLS + 1


def test_a_reply_is_cut_to_the_limit_and_says_so() -> None:
    reply = read({"content": "x" * (MAX_REPLY_CHARS + 1), "tool_calls": [CALL]})
    assert (reply.text, reply.tool_calls, reply.finish_reason) == ("x" * MAX_REPLY_CHARS, (), "length")
    long_call = {"id": "a", "name": "f", "arguments": "x" * MAX_REPLY_CHARS}
    reply = read({"content": "Hi", "tool_calls": [long_call, CALL]})
    assert reply.tool_calls == (ToolCall("a", "f", "x" * (MAX_REPLY_CHARS - 4)),)
    assert reply.finish_reason == "length"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (rb"cut \ud83d", "cut \ufffd"),
        (rb"\udc00\ud800 x", "\ufffd\ufffd x"),
        (rb"whole \ud83d\ude00", "whole \U0001f600"),
        (rb"\\ud83d", r"\ud83d"),
    ],
)
def test_half_a_character_is_replaced(content: bytes, text: str) -> None:
    assert decode_reply(b'{"choices":[{"message":{"content":"%s"}}]}' % content, turn=1).text == text


HOSTILE = {
    "text": (b'{"choices":[{"message":{"content":"', b"x", b'"}}]}'),
    "escapes": (b'{"choices":[{"message":{"content":"', b"\\n", b'"}}]}'),
    "parts": (b'{"choices":[{"message":{"content":[', b"[],", b"1]}}]}"),
    "choices": (b'{"choices":[{"message":{"content":"x"}},', b"{},", b"1]}"),
    "calls": (b'{"choices":[{"message":{"tool_calls":[', json.dumps(CALL).encode() + b",", b"1]}}]}"),
    "empty calls": (b'{"choices":[{"message":{"tool_calls":[', b"{},", b"1]}}]}"),
    "arguments": (b'{"choices":[{"message":{"tool_calls":[{"name":"f","arguments":[', b"[],", b"1]}]}}]}"),
    "unknown field": (b'{"choices":[{"message":{"content":"x"}}],"x":[', b"[],", b"1]}"),
    "usage": (b'{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":[', b"{},", b"1]}}"),
    "error": (b'{"error":[', b"[],", b"1]}"),
    "list": (b"[", b"[],", b"1]"),
    "rubbish": (b"", b"<p>", b""),
    "half characters": (b'{"choices":[{"message":{"content":"', b"\\ud83d", b'"}}]}'),
}
"""Beginning, repeated unit and end of each body."""


def reading_time_s(kind: str, size: int, enough_s: float = 0.0) -> float:
    """Return the least time of three readings, or of fewer if one takes less than `enough_s`."""
    start, unit, end = HOSTILE[kind]
    body = start + unit * (size // len(unit)) + end
    times = []
    for _ in range(3):
        started = time.thread_time()
        try:
            reply = decode_reply(body, turn=1)
        except AttemptFailedError as error:
            assert len(error.detail) < 5000  # noqa: PT017 - either is fine
        else:
            assert reply_chars(reply) <= MAX_REPLY_CHARS + len("length")
        times.append(time.thread_time() - started)
        if times[-1] < enough_s:
            break
    return min(times)


@pytest.mark.parametrize("kind", HOSTILE)
def test_an_answer_of_31_megabytes_is_read_within_seconds(kind: str) -> None:
    assert reading_time_s(kind, MEGABYTES_31, enough_s=3) < 3  # it takes half a second; quadratic time would be hours


@pytest.mark.parametrize("kind", HOSTILE)
def test_time_is_in_proportion_to_the_size(kind: str) -> None:
    most_s = 24 * reading_time_s(kind, 900_000) + 0.05
    assert reading_time_s(kind, 7_200_000, enough_s=most_s) < most_s  # linear: 8 times; quadratic: 64 times


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
NAMES = st.sampled_from(
    ["choices", "message", "content", "tool_calls", "function", "arguments", "name", "id", "text", "usage", "error"]
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=20
)
CALLS = st.fixed_dictionaries({}, optional={"id": VALUES, "function": VALUES, "name": VALUES, "arguments": VALUES})
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "content": VALUES,
        "refusal": VALUES,
        "tool_calls": st.lists(CALLS | VALUES, max_size=4) | VALUES,
        "function_call": CALLS | VALUES,
    },
)
CHOICES = st.fixed_dictionaries({"message": MESSAGES | VALUES}, optional={"finish_reason": VALUES})
USAGES = st.fixed_dictionaries({"prompt_tokens": VALUES, "completion_tokens": VALUES})
ANSWERS = st.fixed_dictionaries({"choices": st.lists(CHOICES | VALUES, max_size=2)}, optional={"usage": USAGES})


def check(body: bytes) -> None:
    """Read a body: either the one documented error, or a reply within its bounds that can be encoded."""
    try:
        reply = decode_reply(body, turn=1)
    except AttemptFailedError:
        return
    assert 0 <= reply.prompt_tokens <= MAX_TOKENS
    assert 0 <= reply.completion_tokens <= MAX_TOKENS
    assert len({call.id for call in reply.tool_calls}) == len(reply.tool_calls)
    assert repr(reply).isprintable()
    assert reply.with_texts(lambda text: text.encode().decode()) == reply


@fuzz(300)
@given(ANSWERS | VALUES)
def test_no_json_raises_anything_but_the_documented_error(answer: Any) -> None:
    check(json.dumps(answer).encode())


@fuzz(200)
@given(ANSWERS, st.data())
def test_no_damaged_answer_raises_anything_but_the_documented_error(answer: Any, data: st.DataObject) -> None:
    check(damage(json.dumps(answer).encode(), data))


@fuzz(50)
@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_but_the_documented_error(body: bytes) -> None:
    check(body)


UNITS = [*(unit for _, unit, _ in HOSTILE.values()), b"[", b'{"a":', b'"', b"\\u", b"1", b" ", b"\xff", b"\xed\xa0\x80"]


@fuzz(20)
@given(st.sampled_from(list(HOSTILE.values())), st.lists(st.sampled_from(UNITS) | st.binary(max_size=5), min_size=1))
def test_no_repeated_bytes_take_more_than_linear_time(frame: tuple[bytes, bytes, bytes], units: list[bytes]) -> None:
    unit = b"".join(units) or b"[]"
    check_linear_time(lambda size: check(frame[0] + unit * (size // len(unit)) + frame[2]))
