"""The thirty simulated tools, in six categories of five."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_ultra.benchmark.tools import computation, data_processing, file_operations, integration, network, utility
from pytest_ultra.benchmark.tools.base import Tool

_MODULES = (file_operations, data_processing, network, computation, integration, utility)

TOOLS: Mapping[str, Tool] = {tool.name: tool for module in _MODULES for tool in module.TOOLS}
CATEGORIES: tuple[str, ...] = tuple(dict.fromkeys(tool.category for tool in TOOLS.values()))


def tool_schema(tool: Tool) -> dict[str, Any]:
    """Return the tool as an entry of `tools` in OpenAI's chat completions."""
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}
