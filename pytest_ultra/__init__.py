"""Measure how well LLM agents do multi-step tool work when plans are flawed and tools are unreliable."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # an unused plugin must not import what this needs
    from pytest_ultra.agents.agent_task import AgentTask, AsyncAgentTask
    from pytest_ultra.errors import ToolFaultError
    from pytest_ultra.faults.result_mutation import mutator
    from pytest_ultra.real_tools.injected_faults import ToolFaults
    from pytest_ultra.real_tools.wrap import wrap

__all__ = ["AgentTask", "AsyncAgentTask", "ToolFaultError", "ToolFaults", "mutator", "wrap"]
__version__ = "0.1.0"

_MODULES = {
    "AgentTask": "agents.agent_task",
    "AsyncAgentTask": "agents.agent_task",
    "ToolFaultError": "errors",
    "ToolFaults": "real_tools.injected_faults",
    "mutator": "faults.result_mutation",
    "wrap": "real_tools.wrap",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in _MODULES:
        return getattr(import_module(f"pytest_ultra.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
