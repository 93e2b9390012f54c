"""What an MCP server says about itself: stored in recordings, and repeated by the proxy before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp import Client
from mcp.types import Implementation, Tool

from pytest_ultra.core.json_types import Json
from pytest_ultra.real_tools.mcp_results import make_validator

_MOST_PAGES = 100


@dataclass(frozen=True, slots=True)
class Listing:
    """A server's name and version, instructions and tools. `offers` names what else it has: resources, prompts."""

    info: Implementation
    instructions: str | None
    tools: Mapping[str, Tool]
    offers: frozenset[str] = frozenset()
    _validators: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def accepts(self, name: str, arguments: Mapping[str, Json]) -> bool:
        """Return whether there is such a tool, and the arguments fit its schema."""
        tool = self.tools.get(name)
        if tool is None:
            return False
        if name not in self._validators:
            self._validators[name] = make_validator(tool.input_schema)
        validator = self._validators[name]
        return validator is None or bool(validator.is_valid(dict(arguments)))

    def store(self) -> Json:
        return {
            "info": self.info.model_dump(mode="json", by_alias=True, exclude_none=True),
            "instructions": self.instructions,
            "tools": [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in self.tools.values()],
        }


def load_listing(stored: Json) -> Listing:
    """Return a listing that was stored. It offers tools alone."""
    tools = [Tool.model_validate(tool) for tool in stored["tools"]]
    return Listing(
        Implementation.model_validate(stored["info"]), stored["instructions"], {tool.name: tool for tool in tools}
    )


async def read_listing(client: Client) -> Listing:
    """Ask a connected server for its listing."""
    tools: dict[str, Tool] = {}
    cursor: str | None = None
    capabilities = client.server_capabilities
    for _ in range(_MOST_PAGES if capabilities.tools is not None else 0):
        page = await client.list_tools(cursor=cursor)
        tools |= {tool.name: tool for tool in page.tools}
        cursor = page.next_cursor
        if cursor is None:
            break
    offers = {name for name in ("resources", "prompts", "completions") if getattr(capabilities, name) is not None}
    info = client.server_info or Implementation(name="unnamed", version="")
    return Listing(info, client.instructions, tools, frozenset(offers))
