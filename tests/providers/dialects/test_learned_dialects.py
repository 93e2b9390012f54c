"""What rejections teach about an endpoint: once, for all its requests, and only if it helped."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.stream_mode import StreamMode
from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from pytest_ultra.providers.dialects.changes import find_change
from pytest_ultra.providers.dialects.dialect import Dialect
from pytest_ultra.providers.dialects.learned_dialects import LearnedDialects
from pytest_ultra.providers.dialects.provider_dialects import PROVIDER_DIALECTS
from pytest_ultra.providers.dialects.rejections import RejectedError, SpokenDialect, read_rejection
from pytest_ultra.providers.profiles import PROVIDERS, find_dialect
from tests.providers.requests_made import make_request

TOOL: dict[str, Any] = {"type": "function", "function": {"name": "read", "parameters": {}}}


def request() -> ChatRequest:
    messages = (
        {"role": "system", "content": "Be good."},
        {"role": "user", "content": "Do it."},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "a"}], "reasoning_content": "Hm."},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
    )
    return msgspec.structs.replace(make_request(temperature=0.5, tools=(TOOL,)), messages=messages)


def rejected(used: SpokenDialect, message: str) -> RejectedError:
    failure = AttemptFailedError(AttemptProblem.STATUS, message, status=400)
    return RejectedError(failure, used, read_rejection(400, json.dumps({"error": {"message": message}}).encode()))


def test_requests_on_their_way_get_the_same_change_and_it_stays_for_all() -> None:
    dialects = LearnedDialects({("demo", 0): Dialect()})
    used = dialects.of(request())
    for _ in range(2):
        assert dialects.adapt(request(), rejected(used, "bad temperature")) == "without temperature"
    assert dialects.of(request()).changes == {"without temperature"}


def test_a_change_that_did_not_help_is_taken_back_and_one_that_did_is_kept() -> None:
    dialects = LearnedDialects({("demo", 0): Dialect()})
    before = dialects.of(request())
    assert dialects.adapt(request(), rejected(before, "System role not supported"))
    assert dialects.adapt(request(), rejected(dialects.of(request()), "System role not supported")) is None
    assert dialects.of(request()) == before
    assert dialects.adapt(request(), rejected(before, "bad temperature"))
    dialects.observe_answer(request(), dialects.of(request()))
    assert dialects.adapt(request(), rejected(dialects.of(request()), "no idea")) is None
    assert dialects.of(request()).dialect.omitted == {"temperature"}


def test_a_failure_that_is_no_rejection_changes_nothing() -> None:
    dialects = LearnedDialects({("demo", 0): Dialect()})
    assert dialects.adapt(request(), AttemptFailedError(AttemptProblem.TIMEOUT, "system role")) is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"error": {"message": "System role not supported"}}),
        (500, {"error": {"message": "the system is busy"}}),
        (400, {"error": {"message": "This model's maximum context length is 4096 tokens, your prompt has 5000."}}),
        (400, {"error": {"message": "The system encountered an error while it read your message."}}),
        (400, {"detail": [{"loc": ["body", "model"], "msg": "no such model", "input": {"tool_choice": "auto"}}]}),
    ],
)
def test_other_failures_ask_for_no_change(status: int, body: Any) -> None:
    text = read_rejection(status, json.dumps(body).encode())
    assert find_change(request(), SpokenDialect(Dialect(tool_choice="auto")), text) is None


ONLY_STREAMED = [
    "This model only support stream mode, please enable the stream parameter to access the model. ",
    "This model supports stream mode only; set the stream parameter.",
    "Stream must be set to true",
    "'stream' must be true",
    "Streaming is required for this model",
    "Non-streaming requests are not supported",
    "parameter.enable_thinking must be set to false for non-streaming calls",
    "only streaming responses are supported",
]
NOT_STREAMED = [
    "Unsupported value: 'stream' is not supported with this model",
    "Streaming is not supported with tools",
    "Streaming completion is not support yet, please remove 'stream' key value in the request payload.",
    "Only non-streaming requests are supported",
]


def stream_changes(mode: StreamMode, message: str) -> list[str]:
    """Return the changes that the same rejection leads to, one after the other."""
    spoken, found = SpokenDialect(Dialect(stream=mode)), []
    while (change := find_change(make_request(), spoken, rejected(spoken, message).text)) is not None:
        spoken = SpokenDialect(change.apply(spoken.dialect), spoken.changes | {change.key})
        found.append(change.text)
    return found


@pytest.mark.parametrize("message", ONLY_STREAMED)
def test_an_endpoint_that_only_streams_is_asked_for_a_stream_unless_that_is_off(message: str) -> None:
    assert stream_changes(StreamMode.AUTO, message)[0] == "with streaming"
    assert "with streaming" not in stream_changes(StreamMode.OFF, message)


@pytest.mark.parametrize("message", NOT_STREAMED)
def test_an_endpoint_that_does_not_stream_is_not_asked_for_it(message: str) -> None:
    assert stream_changes(StreamMode.ON, message)[0] == "without streaming"


@pytest.mark.parametrize(
    "message",
    [
        "Unknown parameter: 'stream_options'.",
        "Extra inputs are not permitted, field: 'stream_options'",
        "Stream options can only be defined when `stream=True`.",
    ],
)
def test_stream_options_alone_are_left_out_where_they_are_rejected(message: str) -> None:
    assert stream_changes(StreamMode.ON, message) == ["without stream_options"]
    assert stream_changes(StreamMode.AUTO, message) == []


def test_every_rejection_ends_after_a_few_changes() -> None:
    text = (
        "system role, tool_call_id, max_tokens is too large, content null, schema, temperature, reasoning_content, name"
    )
    spoken, changes = SpokenDialect(Dialect()), 0
    while (change := find_change(request(), spoken, text)) is not None:
        spoken = SpokenDialect(change.apply(spoken.dialect), spoken.changes | {change.key})
        changes += 1
        assert changes < 30


def test_each_provider_has_a_dialect_and_an_unknown_server_the_generic_one() -> None:
    assert PROVIDER_DIALECTS.keys() == PROVIDERS.keys()
    assert all(source.url.startswith("https://") for spoken in PROVIDER_DIALECTS.values() for source in spoken.sources)
    assert find_dialect("openai", "https://api.openai.com/v1").limit_name == "max_completion_tokens"
    assert find_dialect("openai", "http://127.0.0.1:1/v1").limit_name == "max_tokens"
    assert find_dialect("mistral", "http://127.0.0.1:1/v1").has_short_ids
