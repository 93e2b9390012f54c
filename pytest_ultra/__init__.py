"""Measure how well LLM agents do multi-step tool work when plans are flawed and tools are unreliable."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # an unused plugin must not import what these need
    from pytest_ultra.agents.agent_task import AgentTask, AsyncAgentTask
    from pytest_ultra.custom.episode_world import World
    from pytest_ultra.custom.suite_definition import Suite, checked_task, task
    from pytest_ultra.custom.tool_definition import ToolError, tool
    from pytest_ultra.errors import ToolFaultError
    from pytest_ultra.faults.result_mutation import mutator
    from pytest_ultra.flaws.own_plans.flaw_library import FlawedPlan, inject, lint
    from pytest_ultra.real_tools.injected_faults import ToolFaults
    from pytest_ultra.real_tools.wrap import wrap

__all__ = [
    "AgentTask",
    "AsyncAgentTask",
    "FlawedPlan",
    "Suite",
    "ToolError",
    "ToolFaultError",
    "ToolFaults",
    "World",
    "checked_task",
    "inject",
    "lint",
    "mutator",
    "task",
    "tool",
    "wrap",
]
__version__ = "0.1.0"

_MODULES = {
    "AgentTask": "agents.agent_task",
    "AsyncAgentTask": "agents.agent_task",
    "Suite": "custom.suite_definition",
    "ToolError": "custom.tool_definition",
    "World": "custom.episode_world",
    "checked_task": "custom.suite_definition",
    "task": "custom.suite_definition",
    "tool": "custom.tool_definition",
    "FlawedPlan": "flaws.own_plans.flaw_library",
    "inject": "flaws.own_plans.flaw_library",
    "lint": "flaws.own_plans.flaw_library",
    "ToolFaultError": "errors",
    "ToolFaults": "real_tools.injected_faults",
    "mutator": "faults.result_mutation",
    "wrap": "real_tools.wrap",
}
"""Where the public names are defined."""


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _MODULES:
        return getattr(import_module(f"pytest_ultra.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
