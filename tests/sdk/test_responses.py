"""OpenAI's Responses: the ends of its answers, errors in mid-stream, and what its requests contain."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Episode, FailureClass, Outcome
from pytest_ultra.core.model_api import ModelApi
from pytest_ultra.core.transcript import Attempted
from pytest_ultra.errors import AttemptFailedError
from pytest_ultra.providers.sdk.responses import read_response, render_body
from tests.providers.requests_made import make_request
from tests.sdk.protocol_server import Fault, protocol_server, write_events
from tests.sdk.responses_protocol import ResponsesProtocol, answer
from tests.sdk.sdk_episodes import attempt, run

SSE = "text/event-stream"


def says(text: str, kind: str = "output_text") -> list[dict[str, Any]]:
    part = {"type": kind, "refusal" if kind == "refusal" else "text": text, "annotations": []}
    return [{"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [part]}]


def run_to(reply: dict[str, Any], *, streams: bool) -> Episode:
    body = write_events(ResponsesProtocol().events(reply)) if streams else json.dumps(reply)
    fault = Fault(200, body, content_type=SSE if streams else "application/json")
    with protocol_server(ResponsesProtocol(), fault) as server:
        return run(ModelApi.RESPONSES, server.url, streams=streams)


def cut(reason: str) -> dict[str, Any]:
    return {"status": "incomplete", "incomplete_details": {"reason": reason}}


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(
    ("reply", "failure_class"),
    [
        (answer(says("I think"), **cut("max_output_tokens")), FailureClass.TRUNCATED),
        (answer([], **cut("max_output_tokens")), FailureClass.TRUNCATED),
        (answer([], **cut("content_filter")), FailureClass.REFUSED),
        (answer(says("No.", "refusal")), FailureClass.REFUSED),
        (answer([]), FailureClass.MALFORMED_GENERATION),
    ],
)
def test_what_ended_an_answer_is_the_models_failure(
    reply: dict[str, Any], failure_class: FailureClass, *, streams: bool
) -> None:
    assert run_to(reply, streams=streams).score.failure_class == failure_class


@pytest.mark.parametrize("streams", [False, True])
def test_an_answer_that_failed_is_an_error_with_its_words_and_is_retried(*, streams: bool) -> None:
    failed = answer([], status="failed", error={"code": "server_error", "message": "The model broke."})
    episode = run_to(failed, streams=streams)
    first = episode.transcript[0]
    assert isinstance(first, Attempted)
    assert "The model broke." in first.detail
    assert episode.outcome is Outcome.FULL


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([{"type": "error", "code": "server_error", "message": "Overloaded", "param": None}], "Overloaded"),
        ([], "ended before"),
    ],
)
def test_a_stream_without_an_answer_says_why(events: list[dict[str, Any]], words: str) -> None:
    created = next(ResponsesProtocol().events(answer([])))
    numbered = [{**event, "sequence_number": number} for number, event in enumerate([created, *events])]
    with (
        protocol_server(ResponsesProtocol(), Fault(200, write_events(iter(numbered)), content_type=SSE)) as server,
        pytest.raises(AttemptFailedError) as caught,
    ):
        attempt(ModelApi.RESPONSES, server.url, make_request("local"), streams=True)
    assert words in caught.value.detail


def test_a_model_without_reasoning_is_asked_without_include_from_then_on() -> None:
    error = {"message": "Encrypted content is not supported with this model.", "param": "include", "code": None}
    with protocol_server(ResponsesProtocol(), Fault(400, json.dumps({"error": error}))) as server:
        episode = run(ModelApi.RESPONSES, server.url)
    assert ["include" in request.body for request in server.requests][:2] == [True, False]
    assert isinstance(episode.transcript[0], Attempted)
    assert episode.transcript[0].problem == "parameter"


def test_a_conversation_from_elsewhere_is_written_in_items() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "no such!", "arguments": "{}"}}
    request = with_messages(
        {"role": "system", "content": "Be good."},
        {"role": "user", "content": "Do it."},
        {"role": "assistant", "content": "Hm", "tool_calls": [call], "reasoning_content": "Hm."},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
    )
    body = render_body(request, "gpt")
    assert body["instructions"] == "Be good."
    assert body["input"] == [
        {"role": "user", "content": "Do it."},
        {"role": "assistant", "content": "Hm"},
        {"type": "function_call", "call_id": "a", "name": "no_such_", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "1"},
    ]


def test_a_call_that_was_not_run_does_not_come_back() -> None:
    items = [{"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "e"}]
    items += [{"type": "function_call", "call_id": name, "name": "read", "arguments": "{}"} for name in "ab"]
    reply = read_response(answer(items), turn=1)
    call = {"id": "a", "type": "function", "function": {"name": "read", "arguments": "{}"}}
    assert isinstance(reply.extra, dict)
    message = {**reply.extra, "role": "assistant", "content": "", "tool_calls": [call]}
    assert render_body(with_messages(message), "gpt")["input"] == items[:2]


def with_messages(*messages: dict[str, Any]) -> ChatRequest:
    return msgspec.structs.replace(make_request("local"), messages=messages)
