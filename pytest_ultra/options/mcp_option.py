"""The values of `--ultra-mcp`: real MCP servers, by the name that tests call them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

_NAME = re.compile(r"[\w.-]+")
_EXAMPLE = "give NAME='COMMAND or URL', as in files='npx -y @modelcontextprotocol/server-filesystem .'"


def read_servers(texts: Sequence[str]) -> Mapping[str, str]:
    """Return commands and URLs by name. Raises ValueError."""
    servers: dict[str, str] = {}
    for text in filter(str.strip, texts):
        name, _, target = (part.strip() for part in text.partition("="))
        if not _NAME.fullmatch(name) or not _has_words(target):
            raise ValueError(f"{text!r} is not an MCP server; {_EXAMPLE}")
        if servers.setdefault(name, target) != target:
            raise ValueError(f"{name!r} names two MCP servers; give each a name of its own")
    return servers


def _has_words(target: str) -> bool:
    try:
        return bool(shlex.split(target))
    except ValueError:  # a quotation mark that is not closed
        return False
