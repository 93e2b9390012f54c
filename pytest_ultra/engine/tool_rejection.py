"""Whether an endpoint rejects native tools, for models whose protocol is `auto`."""

from __future__ import annotations

from pytest_ultra.core.axes import ToolProtocol
from pytest_ultra.core.chat_request import ChatRequest

REJECTS_TOOLS = frozenset({400, 404, 422, 501})
"""Endpoints reject `tools` with these: the field is unknown, or no deployment or template supports it."""


def may_reject_tools(request: ChatRequest, status: int | None) -> bool:
    """Return whether the status may mean that `tools` is rejected: on the first request, with protocol `auto`."""
    is_first = request.turn == 1 and bool(request.tools)
    return is_first and request.case.tool_protocol is ToolProtocol.AUTO and status in REJECTS_TOOLS
