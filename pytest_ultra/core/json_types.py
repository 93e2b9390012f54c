"""Type aliases for JSON values, chat messages and tool schemas."""

from __future__ import annotations

from typing import Any

Json = Any
Row = dict[str, Any]
Message = dict[str, Any]
"""A chat message in the form of OpenAI's chat completions."""
ToolSchema = dict[str, Any]
"""An entry of `tools` in OpenAI's chat completions."""
