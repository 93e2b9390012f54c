"""What an episode puts into the command of its agent, and into its environment."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from pytest_ultra.agents.agent_task import AgentTask
from pytest_ultra.agents.command.mcp_server import SERVER_NAME, EpisodeTools
from pytest_ultra.agents.command.placeholders import find_placeholders


class EpisodeValues:
    """The values of placeholders. Files are made when they are first needed; `close` removes them."""

    def __init__(self, command: str, task: AgentTask, tools: EpisodeTools) -> None:
        self._used = find_placeholders(command)
        self._task = task
        self._tools = tools

    def find(self, name: str) -> str:
        """Return the value of a placeholder. Raises `errors.ConfigurationError` if it needs a model and has none."""
        value: str = getattr(self, f"_{name}")
        return value

    @property
    def input(self) -> str:
        """What the program gets on stdin."""
        return "" if "prompt" in self._used else self._prompt

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables for programs that read no arguments."""
        of_model = {"ULTRA_MODEL": self._model, "ULTRA_BASE_URL": self._base_url} if self._task.model else {}
        return {"ULTRA_MCP_URL": self._mcp_url, **of_model}

    def close(self) -> None:
        if "_folder" in self.__dict__:
            shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _prompt(self) -> str:
        return self._task.prompt if "system" in self._used else f"{self._task.system}\n\n{self._task.prompt}"

    @property
    def _system(self) -> str:
        return self._task.system

    @property
    def _mcp_url(self) -> str:
        return self._tools.url

    @property
    def _mcp_stdio(self) -> str:
        return shlex.join(self._stdio_command)

    @cached_property
    def _mcp_config(self) -> str:
        return self._write("mcp.json", {"type": "http", "url": self._mcp_url})

    @cached_property
    def _mcp_stdio_config(self) -> str:
        command, *args = self._stdio_command
        return self._write("mcp-stdio.json", {"command": command, "args": args})

    @cached_property
    def _base_url(self) -> str:
        return self._task.base_url

    @property
    def _model(self) -> str:
        return self._task.model

    @cached_property
    def _work_dir(self) -> str:
        folder = self._folder / "work"
        folder.mkdir()
        return str(folder)

    @property
    def _stdio_command(self) -> tuple[str, ...]:
        return (sys.executable, "-m", "pytest_ultra", "mcp", self._mcp_url)

    @cached_property
    def _folder(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="ultra-agent-"))

    def _write(self, name: str, server: Mapping[str, object]) -> str:
        path = self._folder / name
        path.write_text(json.dumps({"mcpServers": {SERVER_NAME: server}}), encoding="utf-8")
        return str(path)
