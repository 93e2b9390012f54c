"""Each episode's tools are an MCP server of their own, for clients of all protocol versions, and for nobody else."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import mcp
import pytest

from pytest_ultra.agents.command.mcp_server import EpisodeTools
from pytest_ultra.agents.command.mcp_thread import McpThread
from pytest_ultra.core.case import Case
from pytest_ultra.core.json_types import Message, ToolSchema
from pytest_ultra.core.transcript import ToolCall
from pytest_ultra.errors import EpisodeEndedError
from tests.results_factory import make_case

PARAMETERS = {"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": False}
RESULT = '{"result": [1, "é"], "error": null}'
EARNED = '{"error": "UNKNOWN_HANDLE", "transient": false, "message": "no"}'


class Session:
    """An episode whose tool `read` works, and ends it with `n` 9. It notes which calls were made at once."""

    case: Case = make_case()
    messages: tuple[Message, ...] = ()
    left_s = None
    tools: tuple[ToolSchema, ...] = (
        {"type": "function", "function": {"name": "read", "description": "Reads.", "parameters": PARAMETERS}},
        {"type": "function", "function": {"name": "wait"}},
    )

    def __init__(self) -> None:
        self.made: list[list[tuple[str, Any]]] = []

    def call(self, calls: Sequence[ToolCall]) -> list[Future[str]]:
        self.made.append([(call.name, json.loads(call.arguments)) for call in calls])
        return [self._answer(call) for call in calls]

    def report(self, prompt: int | None, completion: int | None, cost: float | None) -> None: ...

    def open_mcp(self) -> str:
        return ""

    def open_model(self) -> str:
        return ""

    def _answer(self, call: ToolCall) -> Future[str]:
        result: Future[str] = Future()
        if json.loads(call.arguments) == {"n": 9}:
            result.set_exception(EpisodeEndedError("the episode has ended: max_turns"))
        else:
            result.set_result(RESULT if call.name == "read" else EARNED)
        return result


@contextmanager
def served() -> Iterator[tuple[Session, EpisodeTools]]:
    thread, session = McpThread(together_s=0.5), Session()
    try:
        with thread.serve(session) as tools:
            yield session, tools
    finally:
        thread.close()


def request(url: str, **headers: str) -> int:
    """Return the status of a request to list the tools."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()
    common = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, common | headers)) as response:  # noqa: S310 - ours
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_client_lists_the_tools_and_calls_them(mode: str) -> None:
    async def use(url: str) -> None:
        async with mcp.Client(url, mode=mode) as client:
            listed = {tool.name: (tool.description, tool.input_schema) for tool in (await client.list_tools()).tools}
            assert listed == {"read": ("Reads.", PARAMETERS), "wait": (None, {"type": "object", "properties": {}})}
            results = await asyncio.gather(
                client.call_tool("read", {"n": 10**30}), client.call_tool("wait", {"m": "é"}), client.call_tool("wait")
            )
            assert [(result.content[0].text, result.is_error) for result in results] == [
                (RESULT, False),
                (EARNED, True),
                (EARNED, True),
            ]
            ended = await client.call_tool("read", {"n": 9})
            assert (ended.content[0].text, ended.is_error) == ("the episode has ended: max_turns", True)

    with served() as (session, tools):
        assert not tools.is_used
        asyncio.run(use(tools.url))
        assert tools.is_used
    assert session.made == [[("read", {"n": 10**30}), ("wait", {"m": "é"}), ("wait", {})], [("read", {"n": 9})]]


def test_only_who_has_the_url_of_an_episode_in_progress_is_served() -> None:
    with served() as (_, tools):
        port = tools.url.split(":")[2].partition("/")[0]
        assert request(tools.url, host="localhost:" + port) not in (403, 410, 421)
        assert request(tools.url, origin="http://localhost:3000") not in (403, 410, 421)
        assert request(tools.url, origin="http://attacker.example") == 403
        assert request(tools.url, host="attacker.example") == 421
        assert request(tools.url + "/other") == 404
        assert request(f"http://127.0.0.1:{port}/{'x' * 22}/mcp") == 410
        assert not tools.is_used
    with pytest.raises(urllib.error.URLError):
        request(tools.url)


def test_an_episode_that_has_ended_is_no_longer_served() -> None:
    thread = McpThread()
    try:
        with thread.serve(Session()) as tools, thread.serve(Session()) as other:
            assert tools.url != other.url
        assert request(tools.url) == 410
    finally:
        thread.close()
