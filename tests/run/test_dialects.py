"""Endpoints that take one form of a request only, with a perfect model behind: every episode must be full."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.run.plan_model import follow_plan
from tests.run.project import NO_XDIST, Project
from tests.run.scripted_server import ReceivedRequest, Script, ScriptedServer

StartServer = Callable[[Script], ScriptedServer]
Body = dict[str, Any]
Quirk = Callable[[Body], str | None]
"""Returns the body of a rejection, None if the request is accepted."""


def error(message: str, **more: Any) -> str:
    return json.dumps({"error": {"message": message, "type": "invalid_request_error", "param": None, **more}})


def assistants(body: Body) -> list[tuple[int, Body]]:
    return [(number, message) for number, message in enumerate(body["messages"]) if message["role"] == "assistant"]


def results(body: Body) -> list[tuple[int, Body]]:
    return [(number, message) for number, message in enumerate(body["messages"]) if message["role"] == "tool"]


def wants_nine_characters(body: Body) -> str | None:
    for _, message in results(body):
        if not re.fullmatch(r"[a-zA-Z0-9]{9}", message["tool_call_id"]):
            return error(f"Tool call id was {message['tool_call_id']} but must be a-z, A-Z, 0-9, with a length of 9.")
    return None


def wants_reasoning_back(body: Body) -> str | None:
    for _, message in assistants(body):
        if message.get("reasoning_content") != "Next step.":
            return error("The reasoning_content in the thinking mode must be passed back to the API.")
    return None


def refuses_reasoning(body: Body) -> str | None:
    for number, message in assistants(body):
        if "reasoning_content" in message:
            loc = ["body", "messages", number, "assistant", "reasoning_content"]
            return json.dumps(
                {"detail": [{"type": "extra_forbidden", "loc": loc, "msg": "Extra inputs are not permitted"}]}
            )
    return None


def wants_signatures(body: Body) -> str | None:
    for number, message in assistants(body):
        for call in message["tool_calls"]:
            if call.get("extra_content") != {"google": {"thought_signature": "c2ln=="}}:
                return json.dumps([{"error": {"code": 400, "message": f"content {number} misses a thought_signature"}}])
    return None


def refuses_system(body: Body) -> str | None:
    if any(message["role"] == "system" for message in body["messages"]):
        return json.dumps({"object": "error", "message": "System role not supported", "param": None, "code": 400})
    return None


def refuses_system_in_a_list(body: Body) -> str | None:
    if body["messages"][0]["role"] == "system":
        loc = ["body", "messages", 0, "role"]
        return json.dumps({"detail": [{"type": "enum", "loc": loc, "msg": "Input should be 'user' or 'assistant'"}]})
    return None


def lists_in(schema: Any) -> bool:
    if isinstance(schema, dict):
        return isinstance(schema.get("type"), list) or any(map(lists_in, schema.values()))
    return False


def refuses_type_lists(body: Body) -> str | None:
    for number, tool in enumerate(body.get("tools", ())):
        if lists_in(tool["function"]["parameters"]):
            place = f"tools[0].function_declarations[{number}].parameters.properties[0].value"
            message = f"Unknown name \"type\" at '{place}': Proto field is not repeating, cannot start list."
            return json.dumps([{"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": message}}])
    return None


def refuses_any_of(body: Body) -> str | None:
    text = json.dumps(body.get("tools", ()))
    if "anyOf" in text or '"type": [' in text:
        return error("Invalid schema for function 'x': only one type", param="tools[0].function.parameters")
    return None


def refuses_lengths(body: Body) -> str | None:
    if "maxLength" in json.dumps(body.get("tools", ())):
        return error("maxLength is not permitted", code="wrong_api_format")
    return None


def wants_names(body: Body) -> str | None:
    for number, message in results(body):
        if not message.get("name"):
            return error(f"'messages.{number}' : property 'name' is missing", param=f"messages.{number}.name")
    return None


def refuses_null_content(body: Body) -> str | None:
    for number, message in assistants(body):
        if message.get("content") is None:
            return error(f"messages[{number}].content: expected a string, got null")
    return None


def refuses_empty_content(body: Body) -> str | None:
    for number, message in assistants(body):
        if message.get("content") == "":
            return error(f"messages.{number}: text content must be non-empty")
    return None


def refuses_empty_and_null_content(body: Body) -> str | None:
    for number, message in assistants(body):
        if "content" in message and not message["content"]:
            return error(f"messages.{number}.content: must be a non-empty string")
    return None


def refuses_tool_choice(body: Body) -> str | None:
    return error("Unsupported parameter: tool_choice", param="tool_choice") if "tool_choice" in body else None


def wants_max_completion_tokens(body: Body) -> str | None:
    if "max_tokens" in body:
        message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'."
        return error(message, param="max_tokens", code="unsupported_parameter")
    return None


def wants_fewer_tokens(body: Body) -> str | None:
    if body.get("max_tokens", 0) > 4096:
        return error("max_tokens is too large: 8192. This model supports at most 4096 completion tokens.")
    return None


def has_a_small_window(body: Body) -> str | None:
    if "max_tokens" in body:
        return error(
            "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens "
            "(808 in the messages, 8192 in the completion). Please reduce the length of the messages or completion."
        )
    return None


def refuses_stream(body: Body) -> str | None:
    return error("Unrecognized request argument supplied: stream") if "stream" in body else None


def streams_unless_told_not_to(body: Body) -> str | None:
    return None if body.get("stream") is False else "data: {}\n\n"


def drops_tools_without_tool_choice(body: Body) -> str | None:
    return None if body.get("tool_choice") == "auto" else error("this server would drop the tools")


TWO_CASES = (
    "--ultra-prompt-type=optimal",
    "--ultra-task-type=simple_task,data_pipeline",
    "--ultra-tool-success-rate=1",
)
SILENT = [wants_reasoning_back, wants_signatures, streams_unless_told_not_to, drops_tools_without_tool_choice]
"""What the first request already does right."""
LEARNED: list[tuple[Quirk, str]] = [
    (wants_nine_characters, "with call ids of nine letters and digits"),
    (refuses_reasoning, "without reasoning_content in earlier turns"),
    (refuses_system, "with the system message inside the first user message"),
    (refuses_system_in_a_list, "with the system message inside the first user message"),
    (refuses_type_lists, "with plain tool schemas"),
    (refuses_any_of, "with bare tool schemas"),
    (refuses_lengths, "with plain tool schemas"),
    (wants_names, "with names in tool messages"),
    (refuses_empty_content, "with null content beside tool calls"),
    (refuses_empty_and_null_content, "with absent content beside tool calls"),
    (refuses_tool_choice, "without tool_choice"),
    (wants_max_completion_tokens, "with max_completion_tokens in place of max_tokens"),
    (wants_fewer_tokens, "with max_tokens 4096"),
    (has_a_small_window, "without max_tokens"),
    (refuses_stream, "without stream"),
]


def script(quirk: Quirk) -> Script:
    def answer(request: ReceivedRequest) -> tuple[int, str]:
        rejection = quirk(request.body)
        return (200, follow_plan(request.body)) if rejection is None else (400, rejection)

    return answer


@pytest.mark.parametrize("quirk", SILENT, ids=lambda quirk: quirk.__name__)
def test_what_many_endpoints_want_is_sent_at_once(project: Project, start_server: StartServer, quirk: Quirk) -> None:
    server = start_server(script(quirk))
    args = (f"--ultra-base-url={server.url}", "--ultra-model=m", *TWO_CASES)
    result = project.run(*NO_XDIST, *args)
    result.assert_outcomes(passed=2)
    assert "asked again" not in result.stdout.str()


@pytest.mark.parametrize(
    ("quirk", "change", "protocol"),
    [
        *((quirk, change, "native") for quirk, change in LEARNED),
        (refuses_system, "with the system message inside the first user message", "auto"),
        (refuses_any_of, "with bare tool schemas", "auto"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_rejected_trait_is_changed_once_for_all_turns_and_reported_once(
    project: Project, start_server: StartServer, quirk: Quirk, change: str, protocol: str
) -> None:
    server = start_server(script(quirk))
    args = (f"--ultra-base-url={server.url}", "--ultra-model=m", *TWO_CASES)
    result = project.run(*NO_XDIST, *args, f"--ultra-tool-protocol={protocol}", "--ultra-concurrency=1")
    result.assert_outcomes(passed=2)
    lines = [line for line in result.stdout.str().splitlines() if "was asked again" in line]
    assert len([line for line in lines if f"model m was asked again {change}: " in line]) == 1, lines
    assert len(lines) <= 2
    assert len([request for request in server.requests if quirk(request.body) is not None]) == len(lines)
