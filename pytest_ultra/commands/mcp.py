"""`pytest-ultra mcp`: bridges an agent's MCP client on stdio to the tools of its episode."""

from __future__ import annotations

import argparse

from pytest_ultra.commands.arguments import DONE, Commands, add_command
from pytest_ultra.errors import ConfigurationError

DESCRIPTION = """\
Serve the tools of an episode on stdio, for agents whose MCP client takes a command instead of a URL.

  pytest-ultra mcp {mcp_url}               inside --ultra-agent-command, where {mcp_stdio} writes the same

The URL is that of an episode in progress, and ends with it."""
EPILOG = """\
exit codes:
  0  the client has closed stdin
  2  the command failed; the message says why"""


def add_mcp(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "mcp", run_mcp, description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("url", metavar="URL", help="{mcp_url} of the episode")


def run_mcp(args: argparse.Namespace) -> int:
    try:
        from pytest_ultra.agents.command.mcp_bridge import run_bridge  # noqa: PLC0415 - needs the extra `mcp`
    except ImportError as error:
        raise ConfigurationError(f"{error}; install the extra: pip install 'pytest-ultra[mcp]'") from None
    try:
        run_bridge(args.url)
    except Exception as error:
        raise ConfigurationError(f"no episode is served at {args.url!r}: {_describe(error)}") from error
    return DONE


def _describe(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
