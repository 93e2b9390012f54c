"""A real MCP server, by the official SDK: notes in a folder, and which of them have a star. Tests run it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mcp.server import MCPServer
from mcp.types import ToolAnnotations

LOOKS = ToolAnnotations(read_only_hint=True)
folder = Path(sys.argv[1])
stars = folder / ".stars"
server = MCPServer("notes")


@server.tool(annotations=LOOKS)  # type: ignore[untyped-decorator]
def find(word: str) -> list[dict[str, str]]:
    """List the notes with a word in their text."""
    found = [path for path in sorted(folder.glob("*.txt")) if word in path.read_text()]
    if not found:
        raise ValueError(f"no note has the word {word!r}")
    return [{"path": str(path), "text": path.read_text()} for path in found]


@server.tool(annotations=LOOKS)  # type: ignore[untyped-decorator]
def search(text: str) -> list[dict[str, str]]:
    """Search the notes by a text."""
    found: list[dict[str, str]] = find(text)
    return found


@server.tool(annotations=LOOKS)  # type: ignore[untyped-decorator]
def starred() -> list[str]:
    """List the notes that have a star."""
    return stars.read_text().split() if stars.exists() else []


@server.tool()  # type: ignore[untyped-decorator]
def write(path: str, text: str) -> str:
    """Write a note, in place of an older one."""
    Path(path).write_text(text)
    return "written"


@server.tool()  # type: ignore[untyped-decorator]
def append(path: str, line: str) -> str:
    """Add a line to the end of a note."""
    if not Path(path).exists():
        raise ValueError(f"there is no note {path}")
    with Path(path).open("a") as file:
        file.write(f"{line}\n")
    return "added"


@server.tool()  # type: ignore[untyped-decorator]
def star(path: str) -> str:
    """Give a note a star."""
    stars.write_text(" ".join(sorted({*starred(), path})))
    return "starred"


@server.tool()  # type: ignore[untyped-decorator]
def crash() -> str:
    """End the server."""
    os._exit(3)


server.run("stdio")
