"""The functions of a run's own agents: imported, or from the project's hook or fixture."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ultra.collection.items import uses_episode
from pytest_ultra.options.agent_option import AgentChoice
from pytest_ultra.options.user_import import import_attribute

if TYPE_CHECKING:  # only a process that runs episodes needs it
    from pytest_ultra.agents.agent_threads import AgentFunction


FIXTURE = "ultra_agent"
_OWN_MODULE = "pytest_ultra.fixtures"


class NamedAgents:
    """Hook implementations of each process that collects: agents that only a fixture could return need one."""

    def __init__(self, agents: Iterable[AgentChoice]) -> None:
        self._agents = [agent for agent in agents if not agent.is_command]

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Raise `pytest.UsageError` before the run is planned; what the fixture returns is known once it is set up."""
        missing = [agent for agent in self._agents if _find(session.config, agent) is None]
        items = [item for item in session.items if uses_episode(item)]
        if missing and items and not any(map(_has_own_fixture, items)):
            raise pytest.UsageError(_describe_missing(missing[0]))


def _has_own_fixture(item: pytest.Item) -> bool:
    """Return whether the project or a plugin overrides the fixture for this test; pytest has no public way to ask."""
    found = item.session._fixturemanager.getfixturedefs(FIXTURE, item)  # noqa: SLF001
    return found is not None and found[-1].func.__module__ != _OWN_MODULE


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
    problem = None if function is None else _find_problem(function)
    if problem is not None:
        raise pytest.UsageError(
            f"--ultra-agent: {agent.target} {problem}; an agent is a function of one argument, the task, that returns "
            "its last words"
        )
    return function  # type: ignore[no-any-return]


def _find_problem(function: Any) -> str | None:
    """Return why a value cannot be an agent, as far as that is known before it is called; None if nothing is."""
    if inspect.isclass(function) or not callable(function):
        return f"is no function but {'a class' if inspect.isclass(function) else _kind(function)}"
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return "is a generator: it yields instead of returning"
    try:
        inspect.signature(function).bind(None)
    except TypeError as error:
        return f"cannot be called with the task alone ({error})"
    except ValueError:  # a function in C may have no signature
        return None
    return None


def _take_from_fixture(agent: AgentChoice, given: Any) -> AgentFunction:
    function = given.get(agent.target) if isinstance(given, Mapping) else given
    if callable(function):
        return function  # type: ignore[no-any-return]
    raise pytest.UsageError(f"{_describe_missing(agent)} ({_describe_fixture(given)})")


def _describe_missing(agent: AgentChoice) -> str:
    return (
        f"--ultra-agent: there is no agent {agent.target!r}; name a function, as in my_app.agent:solve, or return it "
        "from the fixture ultra_agent or the hook pytest_ultra_agent of your conftest.py"
    )


def _describe_fixture(given: Any) -> str:
    if isinstance(given, Mapping):
        return f"the fixture returns {', '.join(map(repr, given)) or 'an empty mapping'}"
    return "the fixture returns None" if given is None else f"the fixture returns {_kind(given)}"


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"
