"""An MCP server that passes requests on to another one, whatever version of the protocol each side speaks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from mcp import Client
from mcp.server import Server
from mcp.types import (
    CallToolRequestParams,
    CompleteRequestParams,
    GetPromptRequestParams,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
)

from pytest_ultra.real_tools.mcp_listing import Listing

CallTool = Callable[[CallToolRequestParams, Callable[..., Awaitable[None]]], Awaitable[Any]]
"""Calls a tool, given the request and what reports its progress."""

Connect = Callable[[], Awaitable[Client]]
"""Returns a client that is connected to the real server."""


def make_forwarder(listing: Listing, connect: Connect, call_tool: CallTool) -> Server[Any]:
    """Return a server with the name, tools, resources and prompts of another one.

    Requests that a server sends to its client (sampling, roots, elicitation) are not passed on.
    """

    async def list_tools(_context: Any, _params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=list(listing.tools.values()))

    async def call(context: Any, params: CallToolRequestParams) -> Any:
        return await call_tool(params, context.session.report_progress)

    return Server(
        listing.info.name,
        version=listing.info.version or "",
        title=listing.info.title,
        description=listing.info.description,
        instructions=listing.instructions,
        on_list_tools=list_tools,
        on_call_tool=call,
        **_other_handlers(listing, connect),
    )


def _other_handlers(listing: Listing, connect: Connect) -> dict[str, Any]:
    handlers = {"resources": _resource_handlers, "prompts": _prompt_handlers, "completions": _completion_handlers}
    return {name: each for offer in sorted(listing.offers) for name, each in handlers[offer](connect).items()}


def _resource_handlers(connect: Connect) -> dict[str, Any]:
    async def list_resources(_context: Any, params: PaginatedRequestParams | None) -> ListResourcesResult:
        return await (await connect()).list_resources(cursor=_cursor(params))

    async def list_templates(_context: Any, params: PaginatedRequestParams | None) -> ListResourceTemplatesResult:
        return await (await connect()).list_resource_templates(cursor=_cursor(params))

    async def read_resource(_context: Any, params: ReadResourceRequestParams) -> Any:
        return await (await connect()).session.read_resource(
            params.uri,
            input_responses=params.input_responses,
            request_state=params.request_state,
            allow_input_required=True,
        )

    return {
        "on_list_resources": list_resources,
        "on_list_resource_templates": list_templates,
        "on_read_resource": read_resource,
    }


def _prompt_handlers(connect: Connect) -> dict[str, Any]:
    async def list_prompts(_context: Any, params: PaginatedRequestParams | None) -> ListPromptsResult:
        return await (await connect()).list_prompts(cursor=_cursor(params))

    async def get_prompt(_context: Any, params: GetPromptRequestParams) -> Any:
        return await (await connect()).session.get_prompt(
            params.name,
            params.arguments,
            input_responses=params.input_responses,
            request_state=params.request_state,
            allow_input_required=True,
        )

    return {"on_list_prompts": list_prompts, "on_get_prompt": get_prompt}


def _completion_handlers(connect: Connect) -> dict[str, Any]:
    async def complete(_context: Any, params: CompleteRequestParams) -> Any:
        arguments = None if params.context is None else params.context.arguments
        argument = {"name": params.argument.name, "value": params.argument.value}
        return await (await connect()).complete(params.ref, argument, arguments)

    return {"on_completion": complete}


def _cursor(params: PaginatedRequestParams | None) -> str | None:
    return None if params is None else params.cursor


async def pass_call_on(client: Client, params: CallToolRequestParams, progress: Callable[..., Awaitable[None]]) -> Any:
    """Call a tool of the real server, and return what it returns: a result, or a question to the client."""
    return await client.session.call_tool(
        params.name,
        params.arguments,
        progress_callback=progress,
        input_responses=params.input_responses,
        request_state=params.request_state,
        allow_input_required=True,
    )
