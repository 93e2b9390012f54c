"""Measure how well LLM agents do multi-step tool work when plans are flawed and tools are unreliable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # an unused plugin must not import what this needs
    from pytest_ultra.agents.agent_task import AgentTask, AsyncAgentTask

__all__ = ["AgentTask", "AsyncAgentTask"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the public classes when they are first used."""
    if name in __all__:
        from pytest_ultra.agents import agent_task  # noqa: PLC0415 - an unused plugin must not import it

        return getattr(agent_task, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
