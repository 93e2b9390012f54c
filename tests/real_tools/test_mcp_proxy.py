"""Faults before MCP servers, as clients of the official SDK see them."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, TextContent

import pytest_ultra as ultra
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.real_tools.mcp_proxy import McpProxy
from pytest_ultra.real_tools.recording import Recording
from tests.real_tools import shop_server

NEVER = 1.0
Open = Callable[..., McpProxy]


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.txt"
    path.touch()
    return path


@pytest.fixture
def shop(orders: Path) -> Iterator[Open]:
    """Put a proxy before a server in this process; what the faults are is up to the test."""
    opened: list[McpProxy] = []

    def open_proxy(kinds: Any = "all", **settings: Any) -> McpProxy:
        faults = ultra.ToolFaults(kinds, **{"success_rate": NEVER, **settings})
        opened.append(faults.wrap(shop_server.make_server(orders)))
        return opened[-1]

    yield open_proxy
    for proxy in opened:
        proxy.close()


def text(result: CallToolResult) -> str:
    (block,) = result.content
    assert isinstance(block, TextContent)
    return str(block.text)


def error(result: CallToolResult) -> dict[str, Any]:
    assert result.is_error
    found: dict[str, Any] = json.loads(text(result))
    return found


def test_explicit_faults_are_results_that_say_what_is_known(shop: Open, orders: Path) -> None:
    proxy = shop()
    for k, (kind, is_made) in enumerate([("transient", None), ("lost_reply", True), ("lost_reply", False)], 1):
        proxy.faults.force("order", kind, k=k, is_made=is_made)
    proxy.faults.force("order", "permanent", k=5)
    results = [proxy.call("order", {"article": f"tea {k}"}) for k in range(1, 7)]
    assert [error(results[k])["error"] for k in (0, 1, 2, 4, 5)] == [
        "UNAVAILABLE",
        "NO_REPLY",
        "NO_REPLY",
        "OUT_OF_SERVICE",
        "OUT_OF_SERVICE",
    ]
    assert [error(results[k])["transient"] for k in (0, 1, 4)] == [True, False, False]
    assert results[3].structured_content == {"article": "tea 4", "number": 2}
    assert orders.read_text().split("\n") == ["tea 2", "tea 4", ""]


def test_implicit_faults_fit_the_schema_and_text_agrees_with_structured_content(shop: Open) -> None:
    proxy = shop("implicit", success_rate=0)
    right = {"article": "tea", "cents": 1250, "pieces": 3}
    for _ in range(10):
        result = proxy.call("price", {"article": "tea"})  # the client checks the output schema
        assert result.structured_content != right
        assert json.loads(text(result)) == result.structured_content
        articles = proxy.call("articles")
        assert [block.text for block in articles.content if isinstance(block, TextContent)] == (
            articles.structured_content["result"]
        )
        assert text(proxy.call("report")) != "article,pieces\n" + "".join(f"A{n},{n * 7}\n" for n in range(1, 9))
    assert all(call.fault is not None for call in proxy.faults.calls)


def test_errors_of_the_server_come_before_any_fault(shop: Open) -> None:
    proxy = shop(["transient", "permanent"], success_rate=0)
    assert "order" in text(proxy.call("order", {"pieces": 2}))
    assert "nowhere" in text(proxy.call("nowhere"))
    implicit = shop("implicit", success_rate=0)
    assert "order" in text(implicit.call("order", {"article": "tea", "pieces": 0}))
    assert implicit.faults.drawn == ()


def test_the_user_says_how_errors_look(shop: Open) -> None:
    proxy = shop("transient", success_rate=0, codes={"order": ["429"]}, error=lambda fault: f"HTTP {fault.code}")
    result = proxy.call("order", {"article": "tea"})
    assert (result.is_error, text(result)) == (True, "HTTP 429")


def test_all_else_of_the_server_is_passed_on(shop: Open) -> None:
    async def look(proxy: McpProxy, mode: str) -> list[Any]:
        async with proxy.client(mode=mode) as client:
            tools = await client.list_tools()
            hours = await client.read_resource("shop://hours")
            prompt = await client.get_prompt("greet", {"name": "Ann"})
            return [
                client.server_info and client.server_info.name,
                client.instructions,
                [tool.name for tool in tools.tools],
                hours.contents[0].model_dump()["text"],
                prompt.messages[0].content.model_dump()["text"],
            ]

    proxy = shop()
    expected = ["shop", "Sells tea.", ["order", "price", "articles", "report"], "9 to 5", "Greet Ann."]
    assert [asyncio.run(look(proxy, mode)) for mode in ("auto", "legacy")] == [expected, expected]
    assert [tool.name for tool in proxy.tools()] == expected[2]


def test_a_command_is_put_behind_url_and_command(orders: Path) -> None:
    faults = ultra.ToolFaults("all", success_rate=NEVER)
    faults.force("order", "lost_reply", is_made=True)
    command = f"{sys.executable} {shop_server.__file__} {orders}"

    async def order(server: Any) -> CallToolResult:
        async with Client(server) as client:
            return await client.call_tool("order", {"article": "tea"})

    with ultra.wrap(command, faults=faults) as proxy:
        program, *args = proxy.command
        assert proxy.config == {"command": program, "args": args}
        assert error(asyncio.run(order(proxy.url)))["error"] == "NO_REPLY"
        result = asyncio.run(order(StdioServerParameters(command=program, args=args)))
    assert result.structured_content == {"article": "tea", "number": 2}
    assert [call.k for call in faults.calls] == [1, 2]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ultra-mcp")]


def test_a_recording_stands_for_the_server_until_the_divergence(shop: Open, orders: Path) -> None:
    first = shop(())
    assert first.call("order", {"article": "tea"}).structured_content == {"article": "tea", "number": 1}
    assert first.call("order", {"article": "tea", "pieces": 0}).is_error
    orders.write_text("")
    calls, servers = first.faults.calls, first.faults.servers

    again = shop((), recording=Recording(calls, is_strict=False, servers=servers))
    assert again.call("order", {"article": "tea"}).structured_content == {"article": "tea", "number": 1}
    assert "order" in text(again.call("order", {"article": "tea", "pieces": 0}))
    assert orders.read_text() == ""
    assert again.call("order", {"article": "milk"}).structured_content == {"article": "milk", "number": 2}
    assert orders.read_text() == "tea\nmilk\n"

    replayed = ultra.ToolFaults((), recording=Recording(calls, is_strict=True, servers=servers))
    with ultra.wrap("no-such-command", faults=replayed) as strict:
        assert [tool.name for tool in strict.tools()] == ["order", "price", "articles", "report"]
        assert strict.call("order", {"article": "tea"}).structured_content == {"article": "tea", "number": 1}
        assert "is not in the recording" in text(strict.call("order", {"article": "milk"}))


@pytest.mark.parametrize(
    ("server", "message"),
    [
        ("sh -c 'echo oh >&2'", r"\"sh -c 'echo oh >&2'\" is no MCP .*: MCPError(.|\n)*standard error ends with:\noh"),
        ("no-such-command --port 1", "'no-such-command --port 1' is no MCP server .* No such file or directory"),
        ("http://user:secret@127.0.0.1:9/mcp?key=secret", "'http://127.0.0.1:9/mcp' is no MCP server .* give the URL"),
        (" ", "' ' names no MCP server; give its URL or command"),
        (Client("http://127.0.0.1:9/mcp"), "Client is no MCP server; give its URL, its command, or the server object"),
    ],
)  # fmt: skip
def test_a_server_that_does_not_start_is_named(server: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        _ = ultra.wrap(server).url
    assert "secret" not in str(caught.value)


def test_a_server_that_does_not_answer_is_not_waited_for() -> None:
    proxy = McpProxy(f"{sys.executable} -c 'import time; time.sleep(60)'", ultra.ToolFaults(), start_timeout_s=0.3)
    with pytest.raises(ConfigurationError, match=r"it did not answer within 0.3 seconds"):
        _ = proxy.url
