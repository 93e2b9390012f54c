"""A program as an agent: the client of the official MCP SDK for the tools, and any model that speaks chat completions.

--ultra-agent-command 'mine@demo/follower=python mcp_sdk_program.py {mcp_url}'
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
from typing import Any

import aiohttp
from mcp import Client, StdioServerParameters
from mcp.types import Tool


async def solve(server: str | StdioServerParameters, job: str) -> str:
    """Ask the model and run its tool calls until it makes none."""
    messages = [{"role": "user", "content": job}]
    async with Client(server) as client, aiohttp.ClientSession() as http:
        tools = [describe(tool) for tool in (await client.list_tools()).tools]
        while True:
            body = {"model": os.environ["ULTRA_MODEL"], "messages": messages, "tools": tools}
            async with http.post(f"{os.environ['ULTRA_BASE_URL']}/chat/completions", json=body) as response:
                message = (await response.json())["choices"][0]["message"]
            messages.append(message)
            if not message.get("tool_calls"):
                return str(message["content"])
            for call in message["tool_calls"]:
                result = await client.call_tool(call["function"]["name"], json.loads(call["function"]["arguments"]))
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": result.content[0].text})


def describe(tool: Tool) -> dict[str, Any]:
    """Return a tool as chat completions want it."""
    function = {"name": tool.name, "description": tool.description, "parameters": tool.input_schema}
    return {"type": "function", "function": function}


if __name__ == "__main__":
    command, *args = shlex.split(sys.argv[1])  # {mcp_url}, or the command of a server on stdio: {mcp_stdio}
    server = StdioServerParameters(command=command, args=args) if args else command
    print(asyncio.run(solve(server, sys.stdin.read())))
