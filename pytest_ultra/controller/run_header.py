"""The lines about a run in pytest's header."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_ultra.core.axes import ToolProtocol
from pytest_ultra.options.settings import Settings
from pytest_ultra.reporting.header_lines import header, selection_line
from pytest_ultra.reporting.text import neutralise
from pytest_ultra.storage.run_directory import RunDirectory


def header_lines(settings: Settings, *, cases: int, workers: int) -> list[str]:
    lines = header(
        cases=cases,
        models=settings.tested,
        workers=workers,
        seed=settings.seed,
        preset=settings.preset,
        overrides=settings.overrides,
    )
    if not settings.cassette:
        return lines
    return [*lines, f"ultra: --ultra-cassette={settings.cassette}, answers in {_relative(settings.cassette_dir)}"]


def selected_line(run: RunDirectory, *, selected: int, planned: int) -> str:
    return selection_line(selected, planned, _relative(run.path))


def agent_lines(settings: Settings) -> list[str]:
    """Say which options apply to models alone, if they were given for a run with own agents too."""
    flags = ["--ultra-tool-discovery"] if settings.tool_discovery else []
    if settings.tool_protocol is not ToolProtocol.NATIVE:
        flags.append(f"--ultra-tool-protocol={settings.tool_protocol}")
    names = ", ".join(neutralise(agent.name) for agent in settings.agent)
    return [f"ultra: {flag} is for models alone: {names} gets all tools as functions" for flag in flags if names]


def _relative(path: Path) -> str:
    return neutralise(os.path.relpath(path))
