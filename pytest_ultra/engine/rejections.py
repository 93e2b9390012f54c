"""What an endpoint rejects: native tools (for models whose protocol is `auto`), optional parameters."""

from __future__ import annotations

from pytest_ultra.core.axes import ToolProtocol
from pytest_ultra.core.chat_request import ChatRequest
from pytest_ultra.errors import AttemptFailedError, Verdict

_STATUSES = frozenset({400, 404, 422, 501})
"""Endpoints reject `tools` with these: the field is unknown, or no deployment or template supports it."""


def may_reject_tools(request: ChatRequest, status: int | None) -> bool:
    """Return whether the status may mean that `tools` is rejected: on the first request, with protocol `auto`."""
    is_first = request.turn == 1 and bool(request.tools)
    return is_first and request.case.tool_protocol is ToolProtocol.AUTO and status in _STATUSES


_PARAMETER_STATUSES = frozenset({400, 422})


def find_rejected_parameter(request: ChatRequest, failure: AttemptFailedError) -> str | None:
    """Return the optional parameter that the rejection names, None if it names none."""
    if failure.status not in _PARAMETER_STATUSES or failure.verdict is Verdict.MODEL_FAILURE:
        return None
    return next((name for name in request.parameters if name in failure.detail.lower()), None)
