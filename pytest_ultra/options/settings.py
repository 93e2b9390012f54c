"""Frozen settings, read once from the `ultra` options and ini keys, and checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ultra.core.axes import (
    Difficulty,
    FaultKind,
    PromptType,
    PromptVariant,
    Severity,
    ToolProtocol,
    Visibility,
)
from pytest_ultra.core.job_shard import JobShard
from pytest_ultra.core.model_api import ModelApi
from pytest_ultra.core.prices import Price
from pytest_ultra.core.rounds import Until
from pytest_ultra.core.stream_mode import StreamMode
from pytest_ultra.options.agent_option import AgentChoice
from pytest_ultra.options.gate_settings import GateSettings
from pytest_ultra.options.option_values import JUnitPlace, RateMode, Stagger
from pytest_ultra.options.presets import Preset

if TYPE_CHECKING:  # heavy, and not asked before the endpoints are
    from pytest_ultra.providers.served_endpoints import Served


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the user asked for. Paths are absolute; None means not given.

    `suite` names the user's own suite, and then `task_type` holds names of its tasks. `model` names the models that the
    built-in agent loop drives, `agent` holds the user's own agents. `overrides` are the flags of the preset's axes for
    which the user chose another value. `served`, `request` and `header` are keyed by model; `request` holds parameters,
    `header` the variables of headers' values.
    """

    model: tuple[str, ...]
    agent: tuple[AgentChoice, ...] = ()
    suite: str | None = None
    config: Path | None = None
    preset: Preset | None
    overrides: tuple[str, ...]
    prompt_type: tuple[PromptType, ...]
    task_type: tuple[str, ...]
    difficulty: tuple[Difficulty, ...]
    severity: tuple[Severity, ...]
    flaws_per_case: int
    flaw_visibility: tuple[Visibility, ...]
    prompt_variant: tuple[PromptVariant, ...]
    tool_protocol: ToolProtocol
    tool_discovery: bool
    tool_success_rate: tuple[float, ...]
    fault_kind: tuple[FaultKind, ...]
    instances: int
    detect: float | None
    until: Until | None
    repeats: int
    seed: int
    max_turns: int
    timeout: float | None
    request_timeout: float
    run_timeout: float | None
    concurrency: int | None
    stagger: Stagger
    base_url: str | None
    api: ModelApi
    served: Mapping[str, tuple[Served, ...]]
    request: Mapping[str, Mapping[str, Any]]
    header: Mapping[str, Mapping[str, str]]
    temperature: float | None
    stream: StreamMode
    rate_mode: RateMode
    rpm: float | None
    qps: float | None
    tpm: float | None
    max_in_flight: int | None
    redis: str | None
    least_outcome: str
    failures: int | None
    json: Path | None
    html: Path | None
    markdown: Path | None
    junit_properties: JUnitPlace
    dir: Path
    fresh: bool
    rerun: str | None
    cassette: str | None
    cassette_dir: Path
    shard: JobShard | None
    durations: Path | None
    plan: bool
    price: Mapping[str, Price]
    max_cost: float | None
    max_tokens: int | None
    max_requests: int | None
    gates: GateSettings

    @property
    def tested(self) -> tuple[str, ...]:
        """The names of all models and then all agents under test: the order of every table."""
        return (*self.model, *(agent.name for agent in self.agent))

    @property
    def called_models(self) -> tuple[str, ...]:
        """The models that requests go to: those under test, and those behind agents."""
        return tuple(dict.fromkeys([*self.model, *(agent.model for agent in self.agent if agent.model)]))


SETTINGS = pytest.StashKey[Settings]()
