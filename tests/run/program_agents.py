"""Programs as agents for tests: copied into a project, and started as `python program_agents.py NAME`."""

# ruff: noqa: T201 - what an agent prints is its output

from __future__ import annotations

import json
import os
import signal
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any


class RawClient:
    """An MCP client without a package, so that it starts fast."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = ""
        client = {"name": "raw", "version": "1"}
        self._send("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=client)
        self._send("notifications/initialized", is_notification=True)

    def list_tools(self) -> list[dict[str, Any]]:
        return [describe(t["name"], t.get("description"), t["inputSchema"]) for t in self._send("tools/list")["tools"]]

    def call_tool(self, name: str, arguments: dict[str, Any]) -> str:
        return str(self._send("tools/call", name=name, arguments=arguments)["content"][0]["text"])

    def _send(self, method: str, *, is_notification: bool = False, **params: Any) -> dict[str, Any]:
        body = {"jsonrpc": "2.0", "method": method, "params": params} | ({} if is_notification else {"id": 1})
        headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        headers |= {"mcp-session-id": self._session} if self._session else {}
        request = urllib.request.Request(self._url, json.dumps(body).encode(), headers)  # noqa: S310 - the run's own
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - see above
            self._session = response.headers.get("mcp-session-id", self._session)
            return {} if is_notification else dict(json.load(response)["result"])


def describe(name: str, description: str | None, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def ask(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> dict[str, Any]:
    body = {"model": os.environ["ULTRA_MODEL"], "messages": messages, "tools": tools}
    url = os.environ["ULTRA_BASE_URL"] + "/chat/completions"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - the run's own endpoint
        message: dict[str, Any] = json.load(response)["choices"][0]["message"]
        return message


def loop() -> str:
    """Ask the model behind the agent until it calls no more tools, which a client of our own runs."""
    client = RawClient(os.environ["ULTRA_MCP_URL"])
    messages, tools = [{"role": "user", "content": sys.stdin.read()}], client.list_tools()
    while True:
        reply = ask(messages, tools)
        messages.append(reply)
        if not reply.get("tool_calls"):
            return str(reply["content"])
        for call in reply["tool_calls"]:
            content = client.call_tool(call["function"]["name"], json.loads(call["function"]["arguments"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": content})


def hang() -> str:
    RawClient(os.environ["ULTRA_MCP_URL"]).list_tools()
    Path("hanging").touch()
    time.sleep(1000)
    return "Done."


def hang_once() -> str:
    if not Path("hanging").exists():
        return hang()
    RawClient(os.environ["ULTRA_MCP_URL"]).list_tools()
    return "NOT DONE: I hung before."


def hang_in_children() -> str:
    """Leave children, one in a session of its own, that ignore SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    RawClient(os.environ["ULTRA_MCP_URL"]).list_tools()
    if os.fork() == 0:
        os.setsid()
    os.fork()
    time.sleep(1000)
    return "Done."


def never_connect() -> str:
    time.sleep(1000)
    return "Done."


def connect_and_wait() -> str:
    """Connect, and list no tools."""
    RawClient(os.environ["ULTRA_MCP_URL"])
    return never_connect()


def do_without() -> str:
    return "I have no tools."


def flood() -> str:
    while True:
        print("x" * 10_000)


def crash() -> str:
    raise ValueError("I cannot do this")


def exit_with_code() -> str:
    print("half done, my key is", os.environ["OPENAI_API_KEY"], file=sys.stderr)
    sys.exit(3)


def note() -> str:
    """Write down what the program was given."""
    RawClient(sys.argv[2]).list_tools()
    given = {"args": sys.argv[3:], "stdin": sys.stdin.read(), "folder": str(Path.cwd())}
    with Path("notes.jsonl").open("a") as file:
        print(json.dumps(given), file=file)
    return "NOT DONE: I only took notes.\n"


if __name__ == "__main__":
    print(globals()[sys.argv[1]]())
