"""Finding out that an endpoint takes no native tools, for models whose protocol is `auto`."""

from __future__ import annotations

from pytest_ultra.benchmark.axes import ToolProtocol
from pytest_ultra.benchmark.chat import ChatRequest

_STATUSES = frozenset({400, 404, 422, 501})
"""With these, endpoints reject `tools`: a field they do not know, or no deployment or template that takes it."""


def may_reject_tools(request: ChatRequest, status: int | None) -> bool:
    """Tell whether this status may be about the tools of an episode's first request, and text is allowed instead."""
    is_first = request.turn == 1 and bool(request.tools)
    return is_first and request.case.tool_protocol is ToolProtocol.AUTO and status in _STATUSES
