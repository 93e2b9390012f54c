"""What stands in braces in the command of an agent, and what an episode puts there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping

PLACEHOLDERS: Mapping[str, str] = {
    "mcp_url": "URL of the episode's MCP server (streamable HTTP)",
    "mcp_stdio": "command of an MCP server on stdio, as one argument",
    "mcp_config": "path of a JSON file with the server by its URL, under `mcpServers`",
    "mcp_stdio_config": "path of the same file with the command",
    "prompt": "the job, with the plan if the case has one; stdin is then empty",
    "system": "the system message, which is then not in the prompt",
    "base_url": "base URL of chat completions of the model behind the agent",
    "model": "name of that model",
    "work_dir": "path of an empty folder of the episode",
}

OF_MODEL = ("base_url", "model")
"""Those that need a model behind the agent."""

_PLACE = re.compile(r"\{([a-z]+(?:_[a-z]+)*)\}")


def split_command(command: str) -> list[str]:
    """Return the words of a command, as a POSIX shell splits them. Raises ValueError."""
    return shlex.split(command)


def find_placeholders(command: str) -> list[str]:
    """Return all names in braces, known or not."""
    return _PLACE.findall(command)


def fill_command(command: str, value: Callable[[str], str]) -> list[str]:
    """Return the words of a command with the values of its placeholders, whatever is in those."""

    def fill(match: re.Match[str]) -> str:
        return value(match[1]) if match[1] in PLACEHOLDERS else match[0]

    return [_PLACE.sub(fill, word) for word in split_command(command)]
