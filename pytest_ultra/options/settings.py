"""Frozen settings, read once from the `ultra` options and ini keys, and checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
from pytest_ultra.options import option_values as values
from pytest_ultra.options.agent_option import AgentChoice, add_unique
from pytest_ultra.options.detection import bound_instances, choose_instances
from pytest_ultra.options.gate_options import GateSettings, take_gates
from pytest_ultra.options.given_options import is_option_given
from pytest_ultra.options.model_tables import read_model_tables
from pytest_ultra.options.option_reading import read_file, read_option, read_value
from pytest_ultra.options.option_table import DOCUMENTS, OPTIONS
from pytest_ultra.options.option_values import JUnitPlace, RateMode, Stagger
from pytest_ultra.options.presets import AXES, Preset

if TYPE_CHECKING:  # an unused plugin must not import what this needs
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
        """The names of all models and agents under test."""
        return (*self.model, *(agent.name for agent in self.agent))

    @property
    def called_models(self) -> tuple[str, ...]:
        """The models that requests go to: those under test, and those behind agents."""
        return tuple(dict.fromkeys([*self.model, *(agent.model for agent in self.agent if agent.model)]))


SETTINGS = pytest.StashKey[Settings]()


REQUIRE = "require"
"""The name of the option that has an effect without a model."""
TESTED = ("ultra_model", "ultra_agent", "ultra_agent_command")
"""The options of which a run needs one."""
OPTIONS_OF_OWN_TESTS = ("mcp", "seed", "fault_kind", "tool_success_rate", "cassette", "cassette_dir")
"""What tests with faults on their own tools read, also without a model."""
_CASE = "pytest_ultra/suite/test_workflows.py::test_workflow["
"""What the node id of each case of the built-in suite holds, as IDEs write it too."""
LIMITS = ("rpm", "qps", "tpm", "max_in_flight")


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("ultra", "pytest-ultra: how well LLM agents work when plans are flawed and tools fail")
    for option in OPTIONS:
        how: dict[str, Any] = {"action": "append", "metavar": option.metavar}
        if option.is_switch:
            how = {"action": "append_const", "const": "on"}
        group.addoption(option.flag, dest=option.key, default=None, help=option.full_help, **how)
        parser.addini(option.key, option.full_help, default="")


def read_settings(config: pytest.Config) -> Settings | None:
    """Return the settings, or None if no model or agent is named. Raises `pytest.UsageError` for a bad value."""
    file = read_file(config)
    if not any(is_option_given(config, key.removeprefix("ultra_")) for key in TESTED):
        _check_unused(config)
        return None
    read = {option.name: read_value(config, option) for option in OPTIONS}
    if read["preset"]:
        read |= {option.name: read_value(config, option, read["preset"]) for option in OPTIONS}
    read["overrides"] = _find_overrides(read)
    read |= _choose_tasks(config, read)
    if read["detect"] is not None:
        read["instances"] = choose_instances(config, read)
    if read["until"] is not None:
        read["instances"] = bound_instances(config, read)
    del read[REQUIRE]
    read["least_outcome"] = read.pop("pass")
    del read["mcp"]  # for tests, which read it themselves
    read["model"], read["agent"] = (
        read["model"] or (),
        _join_agents(read["agent"] or (), read.pop("agent_command") or ()),
    )
    _check_names(read)
    _check_limits(read)
    read |= read_model_tables(config, read, file)
    read |= {"fresh": bool(read["fresh"]), "plan": bool(read["plan"]), "price": read["price"] or {}}
    _locate_paths(config, read)
    read["gates"] = take_gates(read)
    if read["fresh"] and read["rerun"]:
        raise pytest.UsageError("--ultra-fresh reuses no earlier run, but --ultra-rerun does; give only one of them")
    read["config"] = file and file.path
    return Settings(**read)


def _choose_tasks(config: pytest.Config, read: Mapping[str, Any]) -> dict[str, Any]:
    """Return the task types of the built-in benchmark, or the tasks of the user's own suite."""
    if read["suite"] is None:
        _refuse_own_flaws(read["prompt_type"])
        source = "--ultra-task-type" if config.getoption("ultra_task_type") else "ultra_task_type (ini)"
        try:
            return {"task_type": values.built_in_task_types(read["task_type"])}
        except ValueError as error:
            raise pytest.UsageError(f"{source}: {error}") from None
    from pytest_ultra.options.suite_option import choose_tasks, load_suite  # noqa: PLC0415 - only own suites need it

    has_difficulty = is_option_given(config, "difficulty")
    return choose_tasks({**read, "has_difficulty": has_difficulty}, load_suite(config, read["suite"]))


def read_dir(config: pytest.Config) -> Path:
    """Return the folder of runs as it was given; a relative one begins at the folder where pytest was started."""
    folder: Path = read_option(config, "dir")
    return folder


def _refuse_own_flaws(prompt_types: Iterable[PromptType]) -> None:
    for prompt_type in prompt_types:
        if prompt_type.is_own:
            raise pytest.UsageError(
                f"--ultra-prompt-type: {prompt_type} is a flaw of a suite of your own; name that by --ultra-suite"
            )


def _check_unused(config: pytest.Config) -> None:
    """Raise `pytest.UsageError` if something was typed that has no effect without a model; ini files may hold any."""
    for argument in map(str, config.invocation_params.args):
        if _CASE in argument.replace("\\", "/"):
            raise pytest.UsageError(
                f"not found: {argument}: no model is named, so there are no cases; add the --ultra options of this "
                "case, or by -c the ini file that has them"
            )
    typed = [str(argument).partition("=")[0] for argument in config.invocation_params.args]
    for option in OPTIONS:
        if option.flag in typed and option.name not in (REQUIRE, *OPTIONS_OF_OWN_TESTS):
            raise pytest.UsageError(
                f"{option.flag}: no model is named; add --ultra-model NAME (demo needs no key), or --ultra-agent "
                "MODULE:ATTR"
            )


def is_required(config: pytest.Config) -> bool:
    """Return whether a test that takes a case fails, instead of being skipped, if no model is named."""
    return bool(read_option(config, REQUIRE))


def _locate_paths(config: pytest.Config, read: dict[str, Any]) -> None:
    """Make the paths absolute: those of the command line begin where pytest was started."""
    folder = config.invocation_params.dir
    read["compare"] = _locate(config, read["compare"])
    read["dir"] = folder / read["dir"]
    for option in DOCUMENTS:
        read[option.name] = read[option.name] and folder / read[option.name]
    for name in ("cassette_dir", "durations"):
        is_given = bool(config.getoption(f"ultra_{name}"))  # else it is the project's, like the ini file
        read[name] = read[name] and (folder if is_given else config.rootpath) / read[name]


def _locate(config: pytest.Config, name: str | None) -> str | None:
    """Return an absolute path if the name is that of a file or directory, else the name: it is a run's id."""
    is_given = bool(config.getoption("ultra_compare"))  # else it is the project's, like the ini file
    folder = config.invocation_params.dir if is_given else config.rootpath
    return str(folder / name) if name and (folder / name).exists() else name


def _join_agents(agents: tuple[AgentChoice, ...], commands: tuple[AgentChoice, ...]) -> tuple[AgentChoice, ...]:
    try:
        return add_unique(agents, commands)
    except ValueError as error:
        raise pytest.UsageError(f"--ultra-agent-command: {error}") from None


def _check_names(read: Mapping[str, Any]) -> None:
    """Check that no agent has the name of a model, and that there is a model for what only models can do."""
    for agent in read["agent"]:
        if agent.name in read["model"]:
            raise pytest.UsageError(
                f"--ultra-agent: {agent.name!r} is also the name of a model; give the agent another, as in "
                f"mine={agent.target}"
            )
    is_discovering, protocol = read["tool_discovery"], read["tool_protocol"]
    if read["agent"] and not read["model"] and (is_discovering or protocol is not ToolProtocol.NATIVE):
        flag = "--ultra-tool-discovery" if is_discovering else f"--ultra-tool-protocol={protocol}"
        raise pytest.UsageError(
            f"{flag} is for models, and an agent of your own gets all tools as functions; leave it out, or add "
            "--ultra-model"
        )


def _check_limits(read: Mapping[str, Any]) -> None:
    if read["rate_mode"] == "fixed" and not any(read[name] for name in LIMITS):
        flags = values.listed(option.flag for option in OPTIONS if option.name in LIMITS)
        raise pytest.UsageError(f"--ultra-rate-mode: fixed needs a limit; give one or more of {flags}, or use adaptive")


def _find_overrides(read: Mapping[str, Any]) -> tuple[str, ...]:
    axes = AXES[read["preset"]] if read["preset"] else {}
    set_by_preset = [option for option in OPTIONS if option.name in axes]
    return tuple(option.flag for option in set_by_preset if read[option.name] != option.parse([axes[option.name]]))
