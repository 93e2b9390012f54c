"""Streamed chat completions: the reply is that of the completion which is not streamed, however the stream is cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.core.bounds import MAX_CALLS, MAX_EXTRA_CHARS, MAX_REPLY_CHARS, reply_chars
from pytest_ultra.core.transcript import Reply
from pytest_ultra.errors import AttemptFailedError, AttemptProblem, Verdict
from pytest_ultra.providers.streams.completion_stream import CompletionStream
from pytest_ultra.providers.transport import HttpResponse
from pytest_ultra.providers.verdicts import failure_inside
from pytest_ultra.providers.wire import decode_reply
from tests.fuzzing import check_linear_time, damage, fuzz
from tests.providers.streams.recorded_shapes import ANTHROPIC_ERROR, OPENAI, OPENROUTER, SHAPES
from tests.providers.streams.streamed import DONE, assemble, delta, event, events_of, part, read, stream


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("chunk_bytes", [0, 1, 7, 100])
def test_each_providers_stream_gives_its_reply(shape: str, chunk_bytes: int) -> None:
    content, expected = SHAPES[shape]
    assert read(content, chunk_bytes) == expected


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_texts.filter(lambda n: n != "index"), inner, max_size=3)
    ),
    max_leaves=6,
)
_unknown = st.dictionaries(st.sampled_from(["x", "annotations", "audio", "reasoning_details", "name"]), _values)
_calls = st.builds(
    lambda id_, name, arguments, extra: {
        "id": id_,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
        **extra,
    },
    _texts.filter(bool),
    _texts.filter(bool),
    _texts.filter(lambda text: not text.startswith("{}{")) | st.just('{"a": [1, "ü"]}'),
    st.dictionaries(st.sampled_from(["extra_content", "caller"]), _values),
)
_messages = st.builds(
    lambda known, extra: {"role": "assistant", **known, **extra},
    st.fixed_dictionaries(
        {"content": st.none() | _texts},
        optional={
            "refusal": _texts,
            "reasoning_content": _texts,
            "tool_calls": st.lists(_calls, max_size=4, unique_by=lambda call: call["id"]),
        },
    ),
    _unknown,
)
_completions = st.builds(
    lambda message, finish, prompt, completion: {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion},
    },
    _messages,
    st.sampled_from(["stop", "tool_calls", "length", "content_filter"]),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
)


@fuzz(200)
@given(_completions, st.data())
def test_any_completion_is_read_alike_streamed_and_not(completion: dict[str, Any], data: st.DataObject) -> None:
    expected = decode_reply(json.dumps(completion).encode(), turn=1)
    is_ascii, line_end = data.draw(st.booleans()), data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    texts = [json.dumps(one, ensure_ascii=is_ascii) for one in events_of(completion, data.draw(st.integers(1, 9)))]
    comment = data.draw(st.sampled_from(["", f": ping{line_end}", f": ping{line_end}{line_end}"]))
    content = "".join(f"{comment}data: {text}{line_end}{line_end}" for text in [*texts, "[DONE]"]).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=12)))
    stream_read = CompletionStream()
    for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
        stream_read.feed(content[start:end])
    assert decode_reply(stream_read.close(), turn=1) == expected


@fuzz(300)
@given(st.sampled_from([content for content, _ in SHAPES.values()] + [ANTHROPIC_ERROR]), st.data())
def test_a_damaged_stream_gives_a_bounded_reply_or_a_failed_attempt(content: bytes, data: st.DataObject) -> None:
    try:
        reply = read(damage(content, data), data.draw(st.sampled_from([0, 1, 5, 64])))
    except AttemptFailedError as failure:
        assert failure.problem in (AttemptProblem.MALFORMED, AttemptProblem.DROPPED)  # noqa: PT017 - either is fine
    else:
        assert isinstance(reply, Reply)
        assert reply_chars(reply) <= MAX_REPLY_CHARS + len("length")
        str(reply).encode()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (rb'data: {"choices":[{"delta":{"content":"\ud83d"}}]}' + b"\n\n"
         rb'data: {"choices":[{"delta":{"content":"\ude00!"}}]}' + b"\n\n" + DONE, "\U0001f600!"),
        (b'data: {"choices":[{"delta":{"content":"\xf0\x9f"}}]}\n\n'
         b'data: {"choices":[{"delta":{"content":"\x98\x80!"}}]}\n\n' + DONE, "\U0001f600!"),
        (b'data: {"choices":[{"delta":{"content":"a\xff"}}]}\n\n' + DONE, "a\ufffd"),
        (rb'data: {"choices":[{"delta":{"content":"\ud83d"}}]}' + b"\n\n" + DONE, "\ufffd"),
    ],
    ids=["halves", "bytes", "no character", "one half"],
)  # fmt: skip
def test_a_character_that_the_server_cut_is_joined(content: bytes, text: str) -> None:
    assert read(content).text == text


@pytest.mark.parametrize("content", [OPENAI, OPENROUTER])
def test_a_stream_that_ends_before_the_reply_is_a_dropped_attempt(content: bytes) -> None:
    end = content.index(b'"finish_reason": "tool_calls"')
    for cut in range(end):
        with pytest.raises(AttemptFailedError, match="the event stream ended before the reply did") as caught:
            read(content[:cut])
        assert caught.value.problem is AttemptProblem.DROPPED


def test_what_the_stream_said_instead_is_named() -> None:
    with pytest.raises(AttemptFailedError, match="ended before the reply did: upstream went away"):
        read(b"data: upstream went away\n\n")


ERRORS = {
    "event": ANTHROPIC_ERROR,
    "object": stream(delta(content="Do"), {"error": {"message": "Overloaded", "code": 529}}),
    "with a finish reason": event({"error": {"code": 502, "message": "Overloaded"}, **delta("error", content="")}),
    "vllm": stream({"object": "error", "message": "Overloaded", "type": "InternalServerError", "code": 500}),
    "llama.cpp": b'error: {"code":503,"message":"Overloaded","type":"unavailable_error"}\n\n' + DONE,
    "gemini": stream([{"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}]),
    "dashscope": stream({"code": "ServiceUnavailable", "message": "Overloaded", "request_id": "x"}),
    "choice": stream({"choices": [{"finish_reason": "error", "error": {"code": 502, "message": "Overloaded"}}]}),
}  # fmt: skip


@pytest.mark.parametrize("form", ERRORS)
def test_an_error_in_mid_stream_takes_the_place_of_the_reply(form: str) -> None:
    body = assemble(ERRORS[form], 9)
    with pytest.raises(AttemptFailedError, match="Overloaded") as caught:
        decode_reply(body, turn=1)
    failure = failure_inside(HttpResponse(200, {}, body), caught.value, "", now=float)
    assert failure.verdict in (None, Verdict.RETRY, Verdict.WAIT)


def test_an_error_ends_the_stream() -> None:
    completion = CompletionStream()
    completion.feed(ERRORS["object"] + event(delta("stop", content="x")))
    assert completion.is_done
    assert b"Overloaded" in completion.close()


def test_an_event_that_is_not_json_is_malformed() -> None:
    with pytest.raises(AttemptFailedError, match="an event of the stream is not JSON") as caught:
        read(b'data: {"choices":[{"del\n\n' + stream(delta("stop")))
    assert caught.value.problem is AttemptProblem.MALFORMED


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([delta(role="assistant", content="")], False),
        ([{"choices": [], "usage": {"prompt_tokens": 1}}], False),
        ([delta(content="D")], True),
        ([delta(reasoning_content="H")], True),
        ([part(0, "f", "", id="a")], True),
    ],
)
def test_the_first_text_thought_or_call_is_noticed(events: list[Any], *, expected: bool) -> None:
    completion = CompletionStream()
    completion.feed(b": ping\n\n" + stream(*events, done=False))
    assert completion.has_token is expected


def test_the_end_is_noticed() -> None:
    completion = CompletionStream()
    completion.feed(stream(delta(content="D"), done=False))
    assert not completion.has_ended
    completion.feed(event(delta("stop")))
    assert (completion.has_ended, completion.is_done) == (True, False)
    completion.feed(b"data: [DONE]\n")
    assert completion.is_done


def test_the_model_and_its_fingerprint_are_kept() -> None:
    first = {**delta(content="Hi"), "id": "c1", "model": "m-2026", "system_fingerprint": ""}
    body = json.loads(assemble(stream(first, {**delta("stop"), "model": "x", "system_fingerprint": "fp"})))
    assert (body["id"], body["model"], body["system_fingerprint"]) == ("c1", "m-2026", "fp")


def test_a_reply_beyond_the_limit_is_cut_and_says_so() -> None:
    text = "x" * 1000
    reply = read(stream(*[delta(content=text)] * 1500, delta("stop")))
    assert (reply.text, reply.finish_reason) == ("x" * MAX_REPLY_CHARS, "length")
    thoughts = [delta(reasoning=text)] * (MAX_EXTRA_CHARS // 1000 + 1)
    assert read(stream(*thoughts, delta("stop", content="Done."))) == Reply("Done.")
    assert len(read(stream(*(part(n, "f", "{}") for n in range(500)), delta("stop"))).tool_calls) == MAX_CALLS + 1


def test_unknown_fields_without_bound_are_not_kept() -> None:
    fields = [delta(None, **dict[str, Any]({f"x{number}": [[], {}, "", 1]})) for number in range(6000)]
    assert read(stream(*fields, delta("stop", content="Done."))) == Reply("Done.")
    deep: Any = "x"
    for _ in range(300):
        deep = [deep]
    assert read(stream(delta(x=deep), delta(x="y"), delta("stop", content="Done."))) == Reply("Done.")


HOSTILE = {
    "arguments": part(0, arguments="x"),
    "names": part(0, name="x"),
    "ids": part(None, name="f", arguments="{}", id="x"),
    "text": delta(content="x"),
    "thoughts": delta(reasoning="x"),
    "details": delta(reasoning_details=[{"index": 0, "text": "x"}]),
    "items": delta(annotations=[{"text": "x"}]),
    "blocks": delta(thinking_blocks=[{"type": "thinking", "thinking": "x"}]),
    "objects": delta(audio={"data": "x", "id": "y"}),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_time_is_in_proportion_to_the_number_of_events(kind: str) -> None:
    unit = event(HOSTILE[kind])
    check_linear_time(lambda size: read(unit * (size // len(unit)) + DONE, 4096), 200_000)


def test_arguments_in_twenty_thousand_parts_are_joined() -> None:
    arguments = '{"a": "' + "x" * 20_000 + '"}'
    content = stream(part(0, "f", "", id="a"), *(part(0, arguments=char) for char in arguments), delta("tool_calls"))
    assert read(content, 1400).tool_calls[0].arguments == arguments
