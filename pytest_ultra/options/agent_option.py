"""The values of `--ultra-agent`: users' own agents, and the models behind them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_NAME = re.compile(r"[\w.-]+")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*|[A-Za-z_][\w.-]*")
_EXAMPLE = "give [NAME=]MODULE:ATTR[@MODEL], as in my_app.agent:solve or mine=my_app.agent:solve@gpt-4o-mini"


@dataclass(frozen=True, slots=True)
class AgentChoice:
    """An agent of a run.

    `name` stands for it in cases and figures. `target` is `module:attr`, or a name that the project's hook or fixture
    resolves; if `is_command`, it is the command of a program. `model` is the model behind it as for `--ultra-model`,
    empty without one.
    """

    name: str
    target: str
    model: str = ""
    is_command: bool = False


def read_agents(texts: Sequence[str]) -> tuple[AgentChoice, ...]:
    """Return the agents of texts that may hold several, separated by commas. Raises ValueError."""
    found = [_read(part.strip()) for text in texts for part in text.split(",") if part.strip()]
    if not found:
        raise ValueError(f"{','.join(texts)!r} names no agent; {_EXAMPLE}")
    return add_unique([], found)


def add_unique(agents: Iterable[AgentChoice], others: Iterable[AgentChoice]) -> tuple[AgentChoice, ...]:
    """Return both, each agent once. Raises ValueError if two have the same name."""
    by_name = {agent.name: agent for agent in agents}
    for agent in others:
        if by_name.setdefault(agent.name, agent) != agent:
            target = repr(agent.target) if agent.is_command else agent.target
            raise ValueError(f"{agent.name!r} names two agents; give each a name of its own, as in other={target}")
    return tuple(by_name.values())


def _read(text: str) -> AgentChoice:
    head, mark, model = text.partition("@")
    name, is_named, target = head.rpartition("=")
    if (is_named and not _NAME.fullmatch(name)) or not _TARGET.fullmatch(target) or (mark and not model):
        raise ValueError(f"{text!r} is not an agent; {_EXAMPLE}")
    return AgentChoice(name if is_named else text, target, model)
