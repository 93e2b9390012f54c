"""Each SDK adapter in whole episodes with a perfect agent, streamed and not, and with faults in between."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
import pytest

from pytest_ultra.core.chat_request import ChatRequest, MeteredReply
from pytest_ultra.core.episode import Episode, Outcome
from pytest_ultra.core.model_api import ModelApi
from pytest_ultra.core.transcript import Attempted, EndReason
from pytest_ultra.errors import AttemptFailedError, AttemptProblem, Verdict
from pytest_ultra.providers.transport import MAX_BODY_BYTES
from tests.providers.requests_made import make_request
from tests.sdk.gemini_protocol import GeminiProtocol
from tests.sdk.messages_protocol import MessagesProtocol
from tests.sdk.protocol_server import DROP, Fault, SpokenProtocol, protocol_server
from tests.sdk.responses_protocol import ResponsesProtocol
from tests.sdk.sdk_episodes import KEY, attempt, run

PROTOCOLS: dict[ModelApi, Callable[[], SpokenProtocol]] = {
    ModelApi.MESSAGES: MessagesProtocol,
    ModelApi.RESPONSES: ResponsesProtocol,
    ModelApi.GEMINI: GeminiProtocol,
}
SSE = "text/event-stream"

both = pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
each = pytest.mark.parametrize("api", PROTOCOLS)


def error(kind: str, message: str = "no") -> str:
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}})


def make_sdk_request(**changes: object) -> ChatRequest:
    return msgspec.structs.replace(make_request("local"), **changes)


def problems(episode: Episode) -> list[tuple[str | None, int | None]]:
    attempts = [event for event in episode.transcript if isinstance(event, Attempted)]
    return [(attempt.problem, attempt.status) for attempt in attempts if attempt.problem]


def fail(api: ModelApi, *faults: Fault, streams: bool = False) -> AttemptFailedError:
    with protocol_server(PROTOCOLS[api](), *faults) as server, pytest.raises(AttemptFailedError) as caught:
        attempt(api, server.url, make_sdk_request(), streams=streams)
    assert len(server.requests) == 1, "the SDK does not retry"
    return caught.value


@each
@both
def test_a_perfect_agent_comes_out_full_and_gets_back_what_the_provider_wants(api: ModelApi, *, streams: bool) -> None:
    with protocol_server(PROTOCOLS[api]()) as server:
        episode = run(api, server.url, streams=streams)
    assert (episode.outcome, episode.error, server.rejected) == (Outcome.FULL, None, [])
    assert len(server.requests) == episode.usage.requests >= 3
    assert (episode.usage.prompt_tokens, episode.usage.completion_tokens) == (
        49 * len(server.requests),
        9 * len(server.requests),
    )


@each
@both
def test_an_episode_survives_every_transient_fault(api: ModelApi, *, streams: bool) -> None:
    faults = [
        Fault(429, error("rate_limit_error"), {"retry-after": "0"}),
        Fault(500, error("api_error")),
        Fault(529, error("overloaded_error")),
        DROP,
        Fault(200, '{"id": "m', drops=True),
        Fault(200, "<html>busy</html>", content_type="text/html"),
    ]
    with protocol_server(PROTOCOLS[api](), *faults[:3]) as server:
        first = run(api, server.url, streams=streams)
    with protocol_server(PROTOCOLS[api](), *faults[3:]) as server:
        second = run(api, server.url, streams=streams)
    assert (first.outcome, second.outcome) == (Outcome.FULL, Outcome.FULL)
    assert problems(first) == [("status", 429), ("status", 500), ("status", 529)]
    assert [problem for problem, _ in problems(second)] == ["dropped", "dropped", "malformed"]


@each
@both
def test_a_reply_is_read_with_its_usage_and_the_model_that_answered(api: ModelApi, *, streams: bool) -> None:
    quota = {"anthropic-ratelimit-requests-limit": "10", "anthropic-ratelimit-requests-remaining": "4"}
    tools = ({"type": "function", "function": {"name": "read", "description": "Read.", "parameters": {}}},)
    with protocol_server(PROTOCOLS[api](), headers=quota) as server:
        request = make_sdk_request(tools=tools, messages=({"role": "user", "content": '1. Call read with {"a": 1}'},))
        reply = attempt(api, server.url, request, streams=streams)
    assert [(call.name, json.loads(call.arguments)) for call in reply.tool_calls] == [("read", {"a": 1})]
    assert (reply.prompt_tokens, reply.cached_tokens, reply.completion_tokens, reply.reasoning_tokens) == (49, 40, 9, 5)
    assert reply.model.endswith("test-1")
    assert isinstance(reply, MeteredReply)
    assert reply.quota is not None
    assert reply.quota.left == 0.4


@each
@pytest.mark.parametrize("content_type", ["application/json", SSE])
def test_an_answer_is_read_no_further_than_its_bound(api: ModelApi, content_type: str) -> None:
    endless = ("data: " if content_type == SSE else "") + '"' + "x" * MAX_BODY_BYTES
    failure = fail(api, Fault(200, endless, content_type=content_type), streams=content_type == SSE)
    assert str(failure) == f"malformed 200: the answer is longer than {MAX_BODY_BYTES} bytes"


@each
def test_a_wait_that_the_endpoint_asks_for_is_kept(api: ModelApi) -> None:
    failure = fail(api, Fault(429, error("rate_limit_error"), {"retry-after": "7"}))
    assert (failure.status, failure.retry_after_s) == (429, 7.0)


@each
@both
def test_a_key_in_an_error_is_redacted_and_a_rejection_says_the_providers_words(
    api: ModelApi, *, streams: bool
) -> None:
    failure = fail(api, Fault(400, error("invalid_request_error", f"bad {KEY} here")), streams=streams)
    assert str(failure) == "status 400: bad *** here"


@each
def test_a_port_without_a_server_is_a_refused_connection(api: ModelApi) -> None:
    with protocol_server(PROTOCOLS[api]()) as server:
        url = server.url
    with pytest.raises(AttemptFailedError) as caught:
        attempt(api, url, make_sdk_request())
    assert caught.value.problem is AttemptProblem.REFUSED


@each
@pytest.mark.parametrize("body", ["", "[]", "{}", "null", "7", '{"content": 3}', '{"content": {}, "output": 1}'])
def test_an_answer_of_another_form_is_malformed(api: ModelApi, body: str) -> None:
    assert fail(api, Fault(200, body)).problem is AttemptProblem.MALFORMED


@each
def test_an_exceeded_context_is_the_models_end(api: ModelApi) -> None:
    text = "prompt is too long: 213462 tokens > 200000 maximum"
    failure = fail(api, Fault(400, error("invalid_request_error", text)))
    assert (failure.verdict, failure.end_reason) == (Verdict.MODEL_FAILURE, EndReason.CONTEXT_OVERFLOW)


@each
def test_a_rejected_temperature_is_left_out_from_then_on(api: ModelApi) -> None:
    rejection = error("invalid_request_error", "temperature is not supported with this model")
    with protocol_server(PROTOCOLS[api](), Fault(400, rejection)) as server:
        episode = run(api, server.url, temperature=0.5)
    assert episode.outcome is Outcome.FULL
    assert problems(episode) == [("parameter", 400)]
    assert [has_temperature(request.body) for request in server.requests][:2] == [True, False]


def has_temperature(body: dict[str, object]) -> bool:
    return '"temperature"' in json.dumps(body)
