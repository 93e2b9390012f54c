"""The programs of a run that are agents: what they need is checked before the run, and opened in each process."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ultra.agents.command.placeholders import split_command
from pytest_ultra.engine.clock import SYSTEM_CLOCK
from pytest_ultra.engine.main_thread_imports import import_all
from pytest_ultra.options.agent_option import AgentChoice
from pytest_ultra.options.settings import Settings
from pytest_ultra.providers.endpoint_lookup import find_redactor

if TYPE_CHECKING:  # needs the extra `mcp`
    from pytest_ultra.agents.command.command_agents import CommandAgents

_LEAST_MCP = 2
_IMPORTS = ("anyio._backends._asyncio", "pytest_ultra.agents.command.command_agents")
"""What the threads of the programs need. The first is imported when it is first used."""


def has_commands(agents: Iterable[AgentChoice]) -> bool:
    return any(agent.is_command for agent in agents)


def check_commands(config: pytest.Config, settings: Settings) -> None:
    """Raise `pytest.UsageError` for a program that does not exist, holds a key, or if the MCP SDK is missing."""
    commands = [agent for agent in settings.agent if agent.is_command]
    if commands:
        problem = find_sdk_problem()
        if problem is not None:
            raise pytest.UsageError(f"--ultra-agent-command: {problem}")
    redact = find_redactor(settings)
    for agent in commands:
        if redact(agent.target) != agent.target:
            raise pytest.UsageError(
                f"--ultra-agent-command: the command of {agent.name!r} holds a key, which the run's files would keep; "
                "let the program read it from its environment variable"
            )
        _check_program(agent, config.invocation_params.dir)


def open_commands(agents: Iterable[AgentChoice], folder: Path) -> CommandAgents | None:
    """Return what starts the programs, None if there are none."""
    commands = {agent.name: agent.target for agent in agents if agent.is_command}
    if not commands:
        return None
    import_all(_IMPORTS)
    from pytest_ultra.agents.command.command_agents import CommandAgents  # noqa: PLC0415 - needs the extra `mcp`

    return CommandAgents(commands, folder=folder, new_loop=SYSTEM_CLOCK.new_loop)


def _find_sdk() -> str:
    try:
        return importlib.metadata.version("mcp")
    except importlib.metadata.PackageNotFoundError:
        return ""


def find_sdk_problem() -> str | None:
    """Return why the MCP SDK cannot be used, in words; None if it can."""
    return describe_sdk_problem(_find_sdk())


def describe_sdk_problem(version: str) -> str | None:
    """Return why an MCP SDK of this version cannot be used; None if it can. Empty means that there is none."""
    if version and int(version.partition(".")[0]) >= _LEAST_MCP:
        return None
    found = f"mcp {version} is installed" if version else "mcp is not installed"
    return f"{found}, but mcp {_LEAST_MCP} or later is needed; install the extra: pip install 'pytest-ultra[mcp]'"


def _check_program(agent: AgentChoice, folder: Path) -> None:
    program = split_command(agent.target)[0]
    if "{" not in program and shutil.which(folder / program if "/" in program else program) is None:
        raise pytest.UsageError(
            f"--ultra-agent-command: there is no program {program!r}; give one that is on the PATH, or its path from "
            f"{folder}"
        )
