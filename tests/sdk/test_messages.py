"""Anthropic's Messages: the ends of its answers, errors in mid-stream, and what its requests contain."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.episode import Episode, FailureClass
from pytest_ultra.core.model_api import ModelApi
from pytest_ultra.errors import AttemptFailedError, Verdict
from pytest_ultra.providers.sdk.messages import DIALECT, read_message, render_body
from tests.providers.requests_made import make_request
from tests.sdk.messages_protocol import MessagesProtocol, answer
from tests.sdk.protocol_server import Fault, protocol_server, write_events
from tests.sdk.sdk_episodes import attempt, run

TEXT = [{"type": "text", "text": "I think"}]


def run_to(end: str, blocks: list[dict[str, Any]], *, streams: bool) -> Episode:
    protocol = MessagesProtocol()
    reply = answer(blocks, stop_reason=end)
    body = write_events(protocol.events(reply)) if streams else json.dumps(reply)
    fault = Fault(200, body, content_type="text/event-stream" if streams else "application/json")
    with protocol_server(protocol, fault) as server:
        return run(ModelApi.MESSAGES, server.url, streams=streams)


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(
    ("end", "blocks", "failure_class"),
    [
        ("max_tokens", TEXT, FailureClass.TRUNCATED),
        ("refusal", TEXT, FailureClass.REFUSED),
        ("refusal", [], FailureClass.REFUSED),
        ("model_context_window_exceeded", TEXT, FailureClass.CONTEXT_OVERFLOW),
        ("end_turn", [], FailureClass.MALFORMED_GENERATION),
    ],
)
def test_what_ended_an_answer_is_the_models_failure(
    end: str, blocks: list[dict[str, Any]], failure_class: FailureClass, *, streams: bool
) -> None:
    assert run_to(end, blocks, streams=streams).score.failure_class == failure_class


def test_an_error_in_mid_stream_is_judged_like_any_other() -> None:
    events = list(MessagesProtocol().events(answer(TEXT, stop_reason="end_turn")))[:4]
    events.append({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
    fault = Fault(200, write_events(iter(events)), content_type="text/event-stream")
    with protocol_server(MessagesProtocol(), fault) as server, pytest.raises(AttemptFailedError) as caught:
        attempt(ModelApi.MESSAGES, server.url, make_request("local"), streams=True)
    assert caught.value.verdict in (None, Verdict.RETRY, Verdict.WAIT)
    assert "Overloaded" in caught.value.detail


def test_a_stream_that_ends_early_is_no_answer() -> None:
    events = list(MessagesProtocol().events(answer(TEXT, stop_reason="end_turn")))[:1]
    fault = Fault(200, write_events(iter(events)), content_type="text/event-stream", drops=True)
    with protocol_server(MessagesProtocol(), fault) as server, pytest.raises(AttemptFailedError) as caught:
        attempt(ModelApi.MESSAGES, server.url, make_request("local"), streams=True)
    assert caught.value.problem == "dropped"


def test_a_conversation_from_elsewhere_is_written_in_blocks() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "no such!", "arguments": "not json"}}
    messages = (
        {"role": "system", "content": "Be good."},
        {"role": "user", "content": "Do it."},
        {"role": "assistant", "content": "", "tool_calls": [call, {**call, "id": "b"}], "reasoning_content": "Hm."},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "content": "2"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "Go on."},
    )
    body = render_body(with_messages(*messages), "claude")
    assert body["system"] == "Be good."
    use = {"type": "tool_use", "name": "no_such_", "input": {"malformed_arguments": "not json"}}
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Do it."}]},
        {"role": "assistant", "content": [{**use, "id": "a"}, {**use, "id": "b"}]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "1"},
                {"type": "tool_result", "tool_use_id": "b", "content": "2"},
            ],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "(no text)"}]},
        {"role": "user", "content": [{"type": "text", "text": "Go on."}]},
    ]


def test_a_call_that_was_not_run_does_not_come_back_and_one_with_a_new_id_does() -> None:
    use: dict[str, Any] = {"type": "tool_use", "id": "a", "name": "read", "input": {}}
    blocks: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
        use,
        use,
        {**use, "id": "c"},
    ]
    reply = read_message(answer(blocks, stop_reason="tool_use"), turn=1)
    first, second, _ = reply.tool_calls
    assert second.id not in ("a", "c")
    calls = [
        {"id": each.id, "type": "function", "function": {"name": "read", "arguments": "{}"}} for each in (first, second)
    ]
    assert isinstance(reply.extra, dict)
    message = {**reply.extra, "role": "assistant", "content": "", "tool_calls": calls}
    sent = render_body(with_messages(message), "claude", DIALECT)["messages"][0]["content"]
    assert [block.get("id") for block in sent] == [None, "a", second.id]


def with_messages(*messages: dict[str, Any]) -> ChatRequest:
    return msgspec.structs.replace(make_request("local"), messages=messages)
