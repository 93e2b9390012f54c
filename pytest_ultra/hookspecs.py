"""Hooks with which a user replaces parts of pytest-ultra."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # an unused plugin must not import what these need
    from pytest_ultra.agents.agent_threads import AgentFunction
    from pytest_ultra.benchmark.task import Task
    from pytest_ultra.core.workflow import Workflow
    from pytest_ultra.engine.endpoint import OwnEndpoint
    from pytest_ultra.options.settings import Settings


@pytest.hookspec(firstresult=True)
def pytest_ultra_agent(config: pytest.Config, name: str) -> AgentFunction | None:
    """Return the agent of this name, as given to `--ultra-agent` without the model behind it; None for no opinion."""


@pytest.hookspec(firstresult=True)
def pytest_ultra_endpoint(config: pytest.Config, settings: Settings) -> OwnEndpoint | None:
    """Return an endpoint to use instead of the models' endpoints, such as your own agent."""


@pytest.hookspec(firstresult=True)
def pytest_ultra_workflow(task: Task, tool_success_rate: float, max_turns: int) -> Workflow | None:
    """Return the optimal workflow of a task to use instead of the planner's."""
