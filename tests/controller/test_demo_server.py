"""The embedded endpoint over real HTTP in this process, with an agent defined in the test."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest

from pytest_ultra.controller.demo.server import open_server
from pytest_ultra.core.json_types import Message
from pytest_ultra.core.reference_agent import Knowledge, ReferenceAgent
from pytest_ultra.core.transcript import Reply, ToolCall
from pytest_ultra.errors import AttemptFailedError
from pytest_ultra.providers.endpoint_lookup import resolve
from pytest_ultra.providers.http_endpoint import HttpEndpoint, open_endpoint
from tests.providers.requests_made import make_request


def echo(agent: str, messages: Sequence[Message], knowledge: Knowledge) -> Reply:
    call = ToolCall("call_1", agent, messages[-1]["content"])
    return Reply(text=f"turn {knowledge.turn}", tool_calls=(call,), finish_reason="tool_calls")


@asynccontextmanager
async def open_demo(*models: str) -> AsyncIterator[tuple[HttpEndpoint, str]]:
    server = await open_server(echo)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    specs = {model: resolve(model, base_url=None, environ={}) for model in models}
    endpoint = open_endpoint(specs, environ={}, demo_url=url)
    try:
        yield endpoint, url
    finally:
        await endpoint.aclose()
        server.close()
        await server.wait_closed()


async def count_failures(endpoint: HttpEndpoint, model: str, repeat: int) -> int:
    for failures in range(1000):
        try:
            await endpoint.attempt(make_request(model, repeat=repeat))
        except AttemptFailedError as error:
            assert str(error) == "status 500: This answer fails on purpose: error_rate=0.3."  # noqa: PT017 - each one
        else:
            return failures
    raise AssertionError("it fails forever")


def test_the_agent_named_answers_from_messages_and_knowledge() -> None:
    async def run() -> Reply:
        async with open_demo("demo/one-call") as (endpoint, _):
            return await endpoint.attempt(make_request("demo/one-call", tools=({"type": "function"},)))

    reply = asyncio.run(run())
    assert reply.text == "turn 1"
    assert reply.tool_calls == (ToolCall("call_1", "one-call", "Do it."),)
    assert (reply.prompt_tokens, reply.completion_tokens) == (24, 5)


def test_without_tools_in_the_request_agents_call_them_in_text() -> None:
    async def run() -> Reply:
        async with open_demo("demo/one-call") as (endpoint, _):
            return await endpoint.attempt(make_request("demo/one-call"))

    reply = asyncio.run(run())
    assert reply.text == 'turn 1\n<tool_call>{"name": "one-call", "arguments": Do it.}</tool_call>'
    assert (reply.tool_calls, reply.finish_reason) == ((), "stop")


def test_an_agent_that_fails_is_named_and_not_retried() -> None:
    async def run() -> None:
        async with open_demo("demo/null") as (endpoint, _):
            await endpoint.attempt(msgspec.structs.replace(make_request("demo/null"), messages=()))

    with pytest.raises(AttemptFailedError) as caught:
        asyncio.run(run())
    assert str(caught.value) == "status 400: The demo agent null failed: IndexError: list index out of range"


def test_concurrent_calls_do_not_add_up_their_latency() -> None:
    async def run() -> float:
        model = "demo/null?latency=0.2"
        async with open_demo(model) as (endpoint, _):
            started = time.monotonic()
            await asyncio.gather(*(endpoint.attempt(make_request(model, repeat=n)) for n in range(50)))
            return time.monotonic() - started

    assert 0.2 <= asyncio.run(run()) < 1.0


def test_failures_are_the_same_in_every_run_and_episode_at_any_concurrency() -> None:
    model = "demo?error_rate=0.3"

    async def one_by_one() -> list[int]:
        async with open_demo(model) as (endpoint, _):
            return [await count_failures(endpoint, model, n) for n in range(200)]

    async def together() -> tuple[list[int], list[int]]:
        async with open_demo(model) as (endpoint, _):
            first = await asyncio.gather(*(count_failures(endpoint, model, n) for n in range(200)))
            again = await asyncio.gather(*(count_failures(endpoint, model, n) for n in range(200)))
            return first, again

    alone = asyncio.run(one_by_one())
    assert asyncio.run(together()) == (alone, alone)
    assert 0.2 < sum(alone) / (sum(alone) + 200) < 0.4


async def speak(method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
    async with (
        open_demo() as (_, url),
        aiohttp.request(method, url.removesuffix("/v1") + path, data=data, headers=headers) as response,
    ):
        return response.status, await response.json()


def test_models_are_listed() -> None:
    status, answer = asyncio.run(speak("GET", "/v1/models"))
    agents = list(ReferenceAgent)
    assert (status, [model["id"] for model in answer["data"]]) == (200, agents)
    assert {"perfect", "follower", "linter"} < set(agents)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "/", None, 404, "There is no GET /. Valid: POST /v1/chat/completions, GET /v1/models."),
        (
            "POST",
            "/v1/chat/completions",
            b"{",
            400,
            "The body is not a chat completions request: Input data was truncated.",
        ),
        ("POST", "/v1/chat/completions", b'"\xff"', 400, "The body is not a chat completions request: "),
        (
            "POST",
            "/v1/chat/completions",
            {"model": "gpt", "messages": []},
            404,
            "There is no demo agent 'gpt'. Valid: ",
        ),
        (
            "POST",
            "/v1/chat/completions",
            {"model": "perfect", "messages": []},
            400,
            "The demo agent perfect needs more than the conversation: use it in a run, as by --ultra-model demo or ",
        ),
    ],
)
def test_an_invalid_request_is_rejected_with_a_reason(
    method: str, path: str, body: Any, status: int, message: str
) -> None:
    got, answer = asyncio.run(speak(method, path, body))
    assert got == status
    assert answer["error"]["message"].startswith(message)


def test_a_client_without_our_header_gets_an_answer_from_the_conversation() -> None:
    messages = [{"role": "user", "content": "Do it."}, {"role": "assistant", "content": "What?"}]
    body = {"model": "null", "messages": [*messages, {"role": "user", "content": "That."}]}
    status, answer = asyncio.run(speak("POST", "/v1/chat/completions", body))
    assert (status, answer["choices"][0]["message"]["content"].partition("\n")[0]) == (200, "turn 2")


def test_long_knowledge_is_accepted() -> None:
    knowledge = {"case_id": "c" * 500_000, "prompt_type": "optimal", "turn": 1, "reference": {"steps": []}}
    body = {"model": "null", "messages": [{"role": "user", "content": "x" * 2_000_000}]}
    headers = {"x-ultra-knowledge": json.dumps(knowledge)}
    status, _ = asyncio.run(speak("POST", "/v1/chat/completions", body, **headers))
    assert status == 200
