"""Parser of a demo model's name: the reference agent, its latency and its error rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import parse_qsl

import msgspec

from pytest_ultra.core.reference_agent import ReferenceAgent
from pytest_ultra.errors import ConfigurationError

DEFAULT_AGENT = "mixture"


class AgentName(msgspec.Struct, frozen=True):
    """A parsed `NAME?latency=0.05&error_rate=0.01`: seconds per call, and the share of answers with status 500."""

    agent: str
    latency: float = 0.0
    error_rate: float = 0.0


@lru_cache
def parse_agent_name(text: str) -> AgentName:
    """Parse the part after `demo/`; if it is empty, the agent is the mixture. Raises `ConfigurationError`."""
    agent, _, query = text.partition("?")
    if agent and agent not in list(ReferenceAgent):
        raise ConfigurationError(
            f"There is no demo agent {agent!r}. Valid: {', '.join(ReferenceAgent)}. "
            f"`demo` alone means demo/{DEFAULT_AGENT}; for a model named demo, write openai/demo."
        )
    pairs = parse_qsl(query, keep_blank_values=True, separator="&")
    return AgentName(agent or DEFAULT_AGENT, **{name: _read(name, value) for name, value in pairs})


_PARAMETERS: Mapping[str, tuple[Callable[[float], bool], str]] = MappingProxyType(
    {
        "latency": (lambda value: value >= 0, "seconds per call, 0 or more"),
        "error_rate": (lambda value: 0 <= value <= 1, "a share from 0 to 1"),
    }
)


def _read(name: str, value: str) -> float:
    if name not in _PARAMETERS:
        raise ConfigurationError(
            f"A demo agent has no parameter {name!r}. Valid: {', '.join(_PARAMETERS)}, "
            "as in demo/perfect?latency=0.05&error_rate=0.01."
        )
    is_valid, meaning = _PARAMETERS[name]
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and is_valid(number)):
        raise ConfigurationError(f"A demo agent's {name} cannot be {value!r}. Valid: {meaning}, as in {name}=0.05.")
    return number
