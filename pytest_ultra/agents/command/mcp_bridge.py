"""Bridges MCP on stdio to an episode's server over HTTP.

Unlike the bridge before a real server (`real_tools/stdio_bridge.py`), it lists nothing before its client does: an agent
that never listed its tools must be found.
"""

from __future__ import annotations

import asyncio
from typing import Any

from mcp import Client
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.types import CallToolRequestParams, CallToolResult, ListToolsResult

READ_TIMEOUT_S = 60.0
"""How long the episode's server can take for an answer."""


def run_bridge(url: str) -> None:
    """Serve the tools of a URL until stdin is closed. Raises an error of the SDK if the server cannot be reached."""
    asyncio.run(_bridge(url))


async def _bridge(url: str) -> None:
    async with Client(url, read_timeout_seconds=READ_TIMEOUT_S) as client:

        async def list_tools(_context: Any, _params: Any) -> ListToolsResult:
            return ListToolsResult(tools=(await client.list_tools()).tools)

        async def call_tool(_context: Any, params: CallToolRequestParams) -> CallToolResult:
            result = await client.call_tool(params.name, params.arguments)
            return CallToolResult(content=result.content, is_error=result.is_error)

        name = client.server_info.name if client.server_info else ""
        server: Server[Any] = Server(name, on_list_tools=list_tools, on_call_tool=call_tool)
        async with stdio_server() as (received, sent):
            await server.run(received, sent, server.create_initialization_options())
