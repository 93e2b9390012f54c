"""The functions of a run's own agents: imported, or from the project's hook or fixture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ultra.options.agent_option import AgentChoice
from pytest_ultra.options.user_import import import_attribute

if TYPE_CHECKING:  # only a process that runs episodes needs it
    from pytest_ultra.agents.agent_threads import AgentFunction


def check_agents(config: pytest.Config, agents: Iterable[AgentChoice]) -> None:
    """Raise `pytest.UsageError` for an agent that cannot be found. One of the fixture is known only in a session."""
    for agent in agents:
        if not agent.is_command:
            _find(config, agent)


def find_agents(
    config: pytest.Config, agents: Iterable[AgentChoice], fixture: Callable[[], Any]
) -> Mapping[str, AgentFunction]:
    """Return the agents' functions by name; `fixture` returns what the fixture `ultra_agent` does.

    Raises `pytest.UsageError` if there is none.
    """
    functions = [agent for agent in agents if not agent.is_command]
    found = {agent.name: _find(config, agent) for agent in functions}
    return {
        agent.name: found[agent.name] or _take_from_fixture(agent, fixture())  # the fixture only if it is needed
        for agent in functions
    }


def _find(config: pytest.Config, agent: AgentChoice) -> AgentFunction | None:
    """Return the function of the hook, else the one that the target names; None if it names none."""
    function = config.hook.pytest_ultra_agent(config=config, name=agent.target)
    if function is None and ":" in agent.target:
        function = import_attribute(config, agent.target, "--ultra-agent", callable, "function")
    if function is not None and not callable(function):
        raise pytest.UsageError(
            f"--ultra-agent: {agent.target} is no function but {_kind(function)}; an agent is a function of one "
            "argument, the task"
        )
    return function  # type: ignore[no-any-return]


def _take_from_fixture(agent: AgentChoice, given: Any) -> AgentFunction:
    function = given.get(agent.target) if isinstance(given, Mapping) else given
    if not callable(function):
        raise pytest.UsageError(
            f"--ultra-agent: there is no agent {agent.target!r}; name a function, as in my_app.agent:solve, or return "
            "it from the fixture ultra_agent or the hook pytest_ultra_agent of your conftest.py"
        )
    return function  # type: ignore[no-any-return]


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"
