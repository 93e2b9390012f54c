"""A program as an agent: the client of fastmcp for the tools, and any model that speaks chat completions.

--ultra-agent-command 'mine@demo/follower=python fastmcp_program.py {mcp_config}'
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

from fastmcp import Client
from mcp.types import Tool


async def solve(config: dict[str, Any], job: str) -> str:
    """Ask the model and run its tool calls until it makes none."""
    messages = [{"role": "user", "content": job}]
    async with Client(config) as client:
        tools = [describe(tool) for tool in await client.list_tools()]
        while True:
            message = await asyncio.to_thread(ask, messages, tools)
            messages.append(message)
            if not message.get("tool_calls"):
                return str(message["content"])
            for call in message["tool_calls"]:
                name, arguments = call["function"]["name"], json.loads(call["function"]["arguments"])
                result = await client.call_tool(name, arguments, raise_on_error=False)
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": result.content[0].text})


def describe(tool: Tool) -> dict[str, Any]:
    """Return a tool as chat completions want it."""
    function = {"name": tool.name, "description": tool.description, "parameters": tool.input_schema}
    return {"type": "function", "function": function}


def ask(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the model's next message."""
    body = json.dumps({"model": os.environ["ULTRA_MODEL"], "messages": messages, "tools": tools}).encode()
    url = f"{os.environ['ULTRA_BASE_URL']}/chat/completions"
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return dict(json.load(response)["choices"][0]["message"])


if __name__ == "__main__":
    print(asyncio.run(solve(json.loads(Path(sys.argv[1]).read_text()), sys.stdin.read())))
