"""Requested parameters are sent in each dialect, and none of them is left out because an endpoint rejects it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.request_parameters import encode_identity
from pytest_ultra.errors import AttemptFailedError, Verdict
from pytest_ultra.providers.dialects.dialect import DEFAULT, Dialect
from pytest_ultra.providers.dialects.requested import find_named
from pytest_ultra.providers.endpoint_lookup import resolve
from pytest_ultra.providers.http_endpoint import HttpEndpoint, open_endpoint
from pytest_ultra.providers.model_spec import ModelSpec
from pytest_ultra.providers.wire import encode_request
from tests.providers.http_stand_in import COMPLETION, StandIn, response, says, stand_in
from tests.providers.requests_made import make_request

TOOL: dict[str, Any] = {"type": "function", "function": {"name": "read", "parameters": {}}}
OPENAI = Dialect(limit_name="max_completion_tokens", tool_choice="auto")


def asking(parameters: dict[str, Any], *, has_tools: bool = True) -> ChatRequest:
    request = make_request("gpt", tools=(TOOL,) if has_tools else ())
    case = msgspec.structs.replace(request.case, request_parameters=encode_identity(parameters))
    return msgspec.structs.replace(request, case=case)


def sent(parameters: dict[str, Any], dialect: Dialect = DEFAULT, *, has_tools: bool = True) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(encode_request(asking(parameters, has_tools=has_tools), "gpt", dialect))
    return {name: value for name, value in body.items() if name not in ("model", "messages", "tools", "stream")}


@pytest.mark.parametrize(
    ("parameters", "dialect", "expected"),
    [
        ({}, DEFAULT, {"max_tokens": 8192}),
        (
            {"seed": 7, "provider": {"order": ["a"]}},
            DEFAULT,
            {"max_tokens": 8192, "seed": 7, "provider": {"order": ["a"]}},
        ),
        ({"max_tokens": 100}, DEFAULT, {"max_tokens": 100}),
        ({"max_tokens": 100}, OPENAI, {"max_completion_tokens": 100, "tool_choice": "auto"}),
        ({"max_tokens": 100}, Dialect(limit_name=""), {"max_tokens": 100}),
        ({"max_tokens": None, "tool_choice": None}, OPENAI, {}),
        ({"tool_choice": "required"}, OPENAI, {"max_completion_tokens": 8192, "tool_choice": "required"}),
        ({"seed": 7}, Dialect(omitted=frozenset({"seed"})), {"max_tokens": 8192, "seed": 7}),
        ({"seed": None}, DEFAULT, {"max_tokens": 8192}),
    ],
)
def test_requested_parameters_replace_those_of_the_dialect(
    parameters: dict[str, Any], dialect: Dialect, expected: dict[str, Any]
) -> None:
    assert sent(parameters, dialect) == expected


def test_parameters_about_tools_are_sent_only_with_tools() -> None:
    parameters = {"tool_choice": "required", "parallel_tool_calls": False}
    assert sent(parameters) == {"max_tokens": 8192, **parameters}
    assert sent(parameters, has_tools=False) == {"max_tokens": 8192}


@pytest.mark.parametrize(
    ("text", "name", "is_named"),
    [
        ("unsupported parameter: 'seed' is not supported with this model.", "seed", True),
        ("unrecognized request argument supplied: seed", "seed", True),
        ("extra inputs are not permitted\nbody.seed", "seed", True),
        ("bad request\nseed", "seed", True),
        ('json: unknown field "seed"', "seed", True),
        ("invalid reasoning_effort lo", "reasoning_effort", True),
        ("we seed nothing", "seed", False),
        ("conversation roles must alternate user/assistant/user", "user", False),
        ("'reasoning_effort' is unknown", "reasoning", False),
        ("max_completion_tokens is too large", "max_tokens", True),
        ("you requested 9000 tokens (1000 in the messages, 8000 in the completion)", "max_tokens", True),
    ],
)
def test_a_rejection_names_a_parameter_as_such(text: str, name: str, *, is_named: bool) -> None:
    assert find_named(text, ["x", name]) == (name if is_named else None)


def rejection(message: str, status: str = "400 Bad Request") -> bytes:
    return response(json.dumps({"error": {"message": message}}).encode(), status=status)


def specs_at(server: StandIn, neutral: dict[str, Any]) -> dict[str, ModelSpec]:
    spec = resolve("gpt", base_url=server.url, environ={})
    return {"gpt": msgspec.structs.replace(spec, neutral=neutral)}


async def fail(endpoint: HttpEndpoint, request: ChatRequest) -> AttemptFailedError:
    with pytest.raises(AttemptFailedError) as caught:
        await endpoint.attempt(request)
    return caught.value


def exchange(
    parameters: dict[str, Any], answer: bytes, neutral: dict[str, Any] | None = None
) -> tuple[AttemptFailedError, str | None, dict[str, Any]]:
    """Return the failure of the first request, the change that it leads to, and the body of the request after it."""

    async def run() -> tuple[AttemptFailedError, str | None, dict[str, Any]]:
        async with stand_in(says(answer)) as server:
            endpoint = open_endpoint(specs_at(server, neutral or {}), environ={})
            failure = await fail(endpoint, asking(parameters))
            change = endpoint.adapt(asking(parameters), failure)
            await fail(endpoint, asking(parameters))
            await endpoint.aclose()
            return failure, change, json.loads(server.requests[-1].body)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"seed": 7}, "Unsupported parameter: 'seed' is not supported with this model."),
        ({"tool_choice": "required"}, "tool_choice is not supported"),
        ({"max_tokens": 100_000}, "max_tokens is too large: 100000. This model supports at most 16384 tokens."),
    ],
)
def test_a_rejected_parameter_is_not_left_out_and_ends_the_model(parameters: dict[str, Any], message: str) -> None:
    failure, change, again = exchange(parameters, rejection(message))
    assert (failure.verdict, change) == (Verdict.MODEL_END, None)
    [name] = parameters
    assert failure.advice == f"it names {name!r}, which --ultra-request sets; give another value, or leave it out"
    assert again[name] == parameters[name]


def test_a_rejected_parameter_outside_the_identity_ends_the_model_too() -> None:
    failure, change, again = exchange({}, rejection("Unknown parameter: 'user'"), {"user": "me"})
    assert (failure.verdict, change, again["user"]) == (Verdict.MODEL_END, None, "me")


def test_the_limit_of_a_reply_is_still_renamed() -> None:
    _, change, again = exchange({"max_tokens": 100}, rejection("Unsupported parameter: 'max_tokens'"))
    assert change == "with max_completion_tokens in place of max_tokens"
    assert again["max_completion_tokens"] == 100
    assert "max_tokens" not in again


def test_other_parts_are_still_learned_beside_a_requested_parameter() -> None:
    failure, change, again = exchange({"seed": 7}, rejection("'temperature' and schema: minLength is not supported"))
    assert (failure.verdict, change) == (None, "with plain tool schemas")
    assert again["seed"] == 7


@pytest.mark.parametrize("status", ["500 Internal Server Error", "429 Too Many Requests"])
def test_a_failure_that_may_pass_ends_nothing(status: str) -> None:
    failure, _, _ = exchange({"seed": 7}, rejection("template: 'seed'", status))
    assert failure.verdict is not Verdict.MODEL_END


def test_after_an_answer_a_rejection_is_about_its_own_request() -> None:
    async def run() -> AttemptFailedError:
        answers = iter([response(COMPLETION), rejection("bad 'seed'")])

        async def answer(writer: asyncio.StreamWriter) -> None:
            await says(next(answers))(writer)

        async with stand_in(answer) as server:
            endpoint = open_endpoint(specs_at(server, {}), environ={})
            await endpoint.attempt(asking({"seed": 7}))
            failure = await fail(endpoint, asking({"seed": 7}))
            await endpoint.aclose()
            return failure

    assert asyncio.run(run()).verdict is None
