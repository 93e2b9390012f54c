"""`python -m pytest_ultra.real_tools.stdio_bridge URL`: an MCP server of streamable HTTP, as one of standard input."""

from __future__ import annotations

import asyncio
import sys

from mcp import Client, stdio_server

from pytest_ultra.real_tools.mcp_forwarder import make_forwarder, pass_call_on
from pytest_ultra.real_tools.mcp_listing import read_listing


async def serve(url: str) -> None:
    """Pass on requests until standard input ends."""
    async with Client(url) as client:

        async def connect() -> Client:
            return client

        forwarder = make_forwarder(
            await read_listing(client), connect, lambda params, progress: pass_call_on(client, params, progress)
        )
        async with stdio_server() as (reading, writing):
            await forwarder.run(reading, writing, forwarder.create_initialization_options())


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
