"""An attempt at a model over real HTTP on loopback: the request, the reply, and the messages of failures."""

from __future__ import annotations

import asyncio
import json
from email.utils import formatdate

import msgspec
import pytest

from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.core.guidance import Guidance
from pytest_ultra.core.reference_agent import Knowledge, knowledge_of
from pytest_ultra.core.transcript import Reply, ToolCall
from pytest_ultra.core.workflow import Call, Step, Workflow
from pytest_ultra.errors import AttemptFailedError, AttemptProblem
from pytest_ultra.providers.endpoint_lookup import resolve
from pytest_ultra.providers.http_endpoint import open_endpoint
from pytest_ultra.providers.quota import read_retry_after
from tests.providers.http_stand_in import COMPLETION, Answer, StandIn, hangs, response, says, stand_in
from tests.providers.requests_made import make_request

KEY = "sk-very-secret"


async def attempt(server: StandIn, request: ChatRequest, *, timeout_s: float = 5.0) -> Reply:
    environ = {"OPENAI_API_KEY": KEY}
    base_url = server.url + "/v1"
    specs = {model: resolve(model, base_url=base_url, environ=environ) for model in ("gpt", "local/llama", "demo/null")}
    endpoint = open_endpoint(specs, environ=environ, demo_url=server.url + "/demo/v1", request_timeout_s=timeout_s)
    try:
        return await endpoint.attempt(request)
    finally:
        await endpoint.aclose()


def ask(answer: Answer, request: ChatRequest | None = None, *, timeout_s: float = 5.0) -> tuple[Reply, StandIn]:
    async def run() -> tuple[Reply, StandIn]:
        async with stand_in(answer) as server:
            return await attempt(server, request or make_request("gpt"), timeout_s=timeout_s), server

    return asyncio.run(run())


def fail(answer: Answer, *, timeout_s: float = 5.0) -> AttemptFailedError:
    with pytest.raises(AttemptFailedError) as caught:
        ask(answer, timeout_s=timeout_s)
    return caught.value


@pytest.mark.parametrize(
    ("model", "path", "name"),
    [
        ("gpt", "/v1/chat/completions", "gpt"),
        ("local/llama", "/v1/chat/completions", "local/llama"),
        ("demo/null", "/demo/v1/chat/completions", "null"),
    ],
)
def test_each_request_goes_to_the_models_own_address_with_its_own_name(model: str, path: str, name: str) -> None:
    reply, server = ask(says(response(COMPLETION)), make_request(model))
    assert reply == Reply(text="Done.", prompt_tokens=reply.prompt_tokens, completion_tokens=1, is_estimated=True)
    assert server.requests[0].target == path
    assert json.loads(server.requests[0].body)["model"] == name


def test_a_key_goes_only_to_its_provider_and_knowledge_only_to_the_demo_endpoint() -> None:
    _, real = ask(says(response(COMPLETION)), make_request("gpt"))
    _, demo = ask(says(response(COMPLETION)), make_request("demo/null"))
    assert real.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert not [name for name in real.requests[0].headers if name.startswith("x-ultra")]
    assert "authorization" not in demo.requests[0].headers
    knowledge = demo.requests[0].headers["x-ultra-knowledge"]
    assert msgspec.json.decode(knowledge, type=Knowledge) == knowledge_of(make_request("demo/null"))


def test_knowledge_is_sent_as_ascii_whatever_the_plan_contains() -> None:
    request = make_request("demo/null")
    plan = Workflow((Step(Call("utility_logger", {"message": "größer als ≥ 3\n"})),))
    with_plan = msgspec.structs.replace(request, guidance=Guidance(request.guidance.task, plan))
    _, server = ask(says(response(COMPLETION)), with_plan)
    knowledge = server.requests[0].headers["x-ultra-knowledge"]
    assert knowledge.isascii()
    assert msgspec.json.decode(knowledge, type=Knowledge).reference == plan


def test_a_status_is_reported_with_the_endpoints_message_and_its_wait() -> None:
    body = b'{"error": {"message": "Rate limit reached for gpt"}}'
    error = fail(says(response(body, "Retry-After: 1.5", status="429 Too Many Requests")))
    assert str(error) == "status 429: Rate limit reached for gpt"
    assert (error.problem, error.status, error.retry_after_s) == (AttemptProblem.STATUS, 429, 1.5)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (response(b"", status="500 Internal Server Error"), "status 500: no body"),
        (response(b"<h1>Bad\ngateway</h1>", status="502 Bad Gateway"), "status 502: <h1>Bad gateway</h1>"),
        (
            response(b"", "Location: https://h/v2/chat/completions", status="308 Permanent Redirect"),
            "status 308: the endpoint has moved to https://h/v2/chat/completions; use that address as the base URL",
        ),
        (response(b"<html>Welcome</html>"), "malformed: not JSON, so not a chat completion: <html>Welcome</html>"),
        (response(COMPLETION[:30]), f"malformed: not JSON, so not a chat completion: {COMPLETION[:30].decode()}"),
        (
            response(b'{"error":{"message":"overloaded"}}'),
            "malformed: an error instead of a chat completion: overloaded",
        ),
    ],
    ids=["500", "502", "redirect", "HTML", "truncated JSON", "error object"],
)
def test_a_failure_describes_the_answer(answer: bytes, message: str) -> None:
    assert str(fail(says(answer))) == message


def test_a_wrong_content_type_does_no_harm() -> None:
    reply, _ = ask(says(response(COMPLETION, "Content-Type: text/html")))
    assert reply.text == "Done."


def test_a_silent_endpoint_is_a_timeout() -> None:
    assert fail(hangs, timeout_s=0.2).problem is AttemptProblem.TIMEOUT


@pytest.mark.parametrize("padding", [0, 250, 295, 2000])
def test_the_detail_of_a_failure_is_short_and_contains_no_part_of_a_key(padding: int) -> None:
    body = "x" * padding + f"Incorrect API key provided: {KEY}. " * 20
    error = fail(says(response(body.encode(), status="401 Unauthorized")))
    assert KEY[:6] not in str(error)
    assert len(error.detail) == 300


def test_a_key_in_a_reply_is_redacted() -> None:
    arguments = json.dumps({"key": KEY})
    call = {"id": KEY, "function": {"name": KEY, "arguments": arguments}}
    message = {"content": f"It is {KEY}.", "tool_calls": [call]}
    body = json.dumps({"choices": [{"message": message, "finish_reason": KEY}]}).encode()
    reply, _ = ask(says(response(body)))
    assert (reply.text, reply.finish_reason) == ("It is ***.", "***")
    assert reply.tool_calls == (ToolCall("***", "***", '{"key": "***"}'),)


def test_tokens_that_are_not_reported_are_estimated_from_what_was_sent_and_received() -> None:
    text = "x" * 400
    body = json.dumps({"choices": [{"message": {"content": text}}], "usage": None}).encode()

    reply, server = ask(says(response(body)))

    sent = len(server.requests[0].body)
    assert (reply.prompt_tokens, reply.completion_tokens, reply.is_estimated) == (sent // 4, 100, True)


def test_tokens_that_are_reported_stay_and_are_no_estimate() -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8}
    body = json.dumps({"choices": [{"message": {"content": "x" * 400}}], "usage": usage}).encode()

    reply, _ = ask(says(response(body)))

    assert (reply.prompt_tokens, reply.completion_tokens, reply.is_estimated) == (7, 1, False)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": "-1"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after-ms": "1500", "retry-after": "3"}, 1.5),
        ({"retry-after": formatdate(1_000_030, usegmt=True)}, 30.0),
        ({"retry-after": formatdate(999_000, usegmt=True)}, 0.0),
        ({"retry-after": formatdate(1_000_030, usegmt=True), "date": formatdate(1_000_020, usegmt=True)}, 10.0),
    ],
)
def test_retry_after_is_seconds_milliseconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert read_retry_after(headers, now=lambda: 1_000_000.0) == seconds
