"""Type aliases for JSON values, chat messages and tool schemas, and the bounds of numbers read from files."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Json = Any
Row = dict[str, Any]
Message = dict[str, Any]
"""A chat message in the form of OpenAI's chat completions."""
ToolSchema = dict[str, Any]
"""An entry of `tools` in OpenAI's chat completions."""

MAX_COUNT = 2**53
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
"""A number of things; within the bound, sums and means fit a float."""
Amount = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]
"""Seconds, dollars or a rate; negative seconds are possible where a clock was set back."""
UnixTime = Annotated[float, msgspec.Meta(ge=0, lt=253_402_300_800)]
"""Seconds since the epoch, up to the year 9999."""
