"""Gemini's own API: the ends of its answers, and what its requests contain."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Episode, FailureClass
from pytest_ultra.core.model_api import ModelApi
from pytest_ultra.errors import AttemptFailedError
from pytest_ultra.providers.sdk.gemini import read_answer
from pytest_ultra.providers.sdk.gemini_contents import render_body
from tests.providers.requests_made import make_request
from tests.sdk.gemini_protocol import GeminiProtocol, answer
from tests.sdk.protocol_server import Fault, protocol_server, write_events
from tests.sdk.sdk_episodes import attempt, run

TEXT = [{"text": "I think"}]
BLOCKED = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 3}}


def run_to(reply: dict[str, Any], *, streams: bool) -> Episode:
    events = GeminiProtocol().events(reply) if "candidates" in reply else iter([reply])
    body = write_events(events) if streams else json.dumps(reply)
    fault = Fault(200, body, content_type="text/event-stream" if streams else "application/json")
    with protocol_server(GeminiProtocol(), fault) as server:
        return run(ModelApi.GEMINI, server.url, streams=streams)


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(
    ("reply", "failure_class"),
    [
        (answer(TEXT, "MAX_TOKENS"), FailureClass.TRUNCATED),
        (answer([], "SAFETY"), FailureClass.REFUSED),
        (BLOCKED, FailureClass.REFUSED),
        (answer([], "MALFORMED_FUNCTION_CALL"), FailureClass.MALFORMED_GENERATION),
        (answer([]), FailureClass.MALFORMED_GENERATION),
    ],
)
def test_what_ended_an_answer_is_the_models_failure(
    reply: dict[str, Any], failure_class: FailureClass, *, streams: bool
) -> None:
    assert run_to(reply, streams=streams).score.failure_class == failure_class


def test_a_named_delay_is_kept() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s"}]
    error = {"error": {"code": 429, "message": "Slow down", "status": "RESOURCE_EXHAUSTED", "details": details}}
    fault = Fault(429, json.dumps(error))
    with protocol_server(GeminiProtocol(), fault) as server, pytest.raises(AttemptFailedError) as caught:
        attempt(ModelApi.GEMINI, server.url, make_request("local"))
    assert (caught.value.status, caught.value.retry_after_s, caught.value.detail) == (429, 3.0, "Slow down")


def test_a_conversation_from_elsewhere_is_written_in_parts() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "no such!", "arguments": '{"x": 1}'}}
    request = with_messages(
        {"role": "user", "content": "Do it."},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "[1]"},
        {"role": "user", "content": "Go on."},
    )
    response = {"name": "no_such_", "response": {"result": [1]}}
    assert render_body(request)["contents"] == [
        {"role": "user", "parts": [{"text": "Do it."}]},
        {"role": "model", "parts": [{"functionCall": {"name": "no_such_", "args": {"x": 1}}}]},
        {"role": "user", "parts": [{"functionResponse": response}, {"text": "Go on."}]},
    ]


def test_a_result_names_its_call_with_the_id_that_came_with_it() -> None:
    parts = [{"functionCall": {"id": "f1", "name": "read", "args": {}}, "thoughtSignature": "c2ln"}]
    reply = read_answer(answer(parts), turn=1)
    call = {"id": reply.tool_calls[0].id, "type": "function", "function": {"name": "read", "arguments": "{}"}}
    assert isinstance(reply.extra, dict)
    message = {**reply.extra, "role": "assistant", "content": "", "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": "f1", "content": "{}"}
    first, second = render_body(with_messages(message, result))["contents"]
    assert first["parts"] == parts
    assert second["parts"] == [{"functionResponse": {"id": "f1", "name": "read", "response": {}}}]


def with_messages(*messages: dict[str, Any]) -> ChatRequest:
    return msgspec.structs.replace(make_request("local"), messages=messages)
