"""The parsers of all options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_ultra.core.axes import (
    MOST_FLAWS,
    Difficulty,
    FaultKind,
    PromptVariant,
    Severity,
    ToolProtocol,
    Visibility,
)
from pytest_ultra.core.groups import GateOn, Undecided
from pytest_ultra.core.job_shard import parse_shard
from pytest_ultra.core.model_api import ModelApi
from pytest_ultra.core.request_parameters import read_parameters
from pytest_ultra.core.stream_mode import StreamMode
from pytest_ultra.options import option_values as values
from pytest_ultra.options.agent_option import read_agents
from pytest_ultra.options.command_option import read_commands
from pytest_ultra.options.detection import points, until
from pytest_ultra.options.gate_settings import group_limits
from pytest_ultra.options.mcp_option import read_servers
from pytest_ultra.options.option import Option
from pytest_ultra.options.presets import Preset
from pytest_ultra.options.suite_option import suite_target


def parse(option: Option, texts: Sequence[str]) -> Any:
    """Read the texts that were given for an option; raise ValueError with a message for the user."""
    return PARSERS[option.name](texts)


_one = values.last

PARSERS: Mapping[str, Callable[[Sequence[str]], Any]] = {
    "model": values.names,
    "agent": read_agents,
    "config": _one(Path),
    "suite": _one(suite_target),
    "agent_command": read_commands,
    "preset": _one(values.member(Preset)),
    "prompt_type": values.prompt_types,
    "task_type": values.task_types,
    "difficulty": values.members(Difficulty),
    "severity": values.members(Severity),
    "flaws_per_case": _one(values.whole(at_least=1, at_most=MOST_FLAWS)),
    "flaw_visibility": values.members(Visibility),
    "prompt_variant": values.members(PromptVariant),
    "tool_protocol": _one(values.member(ToolProtocol)),
    "tool_discovery": _one(values.switch),
    "tool_success_rate": values.rates,
    "fault_kind": values.members(FaultKind),
    "instances": _one(values.whole(at_least=1)),
    "detect": _one(points),
    "until": _one(until),
    "repeats": _one(values.whole(at_least=1)),
    "seed": _one(values.whole(at_least=0)),
    "max_turns": _one(values.whole(at_least=1)),
    "timeout": _one(values.seconds),
    "request_timeout": _one(values.attempt_seconds),
    "run_timeout": _one(values.seconds),
    "concurrency": _one(values.whole(at_least=1)),
    "stagger": values.stagger,
    "base_url": _one(values.url),
    "api": _one(values.member(ModelApi)),
    "temperature": _one(values.temperature),
    "request": read_parameters,
    "header": values.headers,
    "stream": _one(values.member(StreamMode)),
    "rate_mode": _one(values.member(values.RateMode)),
    "rpm": _one(values.amount),
    "qps": _one(values.amount),
    "tpm": _one(values.amount),
    "max_in_flight": _one(values.whole(at_least=1)),
    "redis": _one(values.redis_url),
    "pass": _one(values.outcome),
    "require": _one(values.switch),
    "failures": _one(values.whole(at_least=0)),
    "json": _one(Path),
    "html": _one(Path),
    "markdown": _one(Path),
    "junit_properties": _one(values.member(values.JUnitPlace)),
    "dir": _one(Path),
    "fresh": _one(values.switch),
    "rerun": _one(values.rerun_mode),
    "cassette": _one(values.cassette_mode),
    "cassette_dir": _one(Path),
    "mcp": read_servers,
    "shard": _one(parse_shard),
    "durations": _one(Path),
    "plan": _one(values.switch),
    "price": values.prices,
    "max_cost": _one(values.amount),
    "max_tokens": _one(values.whole(at_least=1)),
    "max_requests": _one(values.whole(at_least=1)),
    "fail_under": group_limits,
    "max_drop": group_limits,
    "gate_on": _one(values.member(GateOn)),
    "undecided": _one(values.member(Undecided)),
    "compare": _one(str),
    "max_regression": group_limits,
    "max_errors": _one(values.whole(at_least=0)),
}
"""By the name of the option."""
