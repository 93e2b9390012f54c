"""Reads the settings of a run from its options, and checks them before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ultra.core.axes import PromptType, ToolProtocol
from pytest_ultra.options import option_values as values
from pytest_ultra.options.agent_option import AgentChoice, add_unique
from pytest_ultra.options.detection import bound_instances, choose_instances
from pytest_ultra.options.gate_settings import take_gates
from pytest_ultra.options.given_options import is_option_given
from pytest_ultra.options.model_tables import read_model_tables
from pytest_ultra.options.option import listed
from pytest_ultra.options.option_parsers import parse
from pytest_ultra.options.option_reading import read_value
from pytest_ultra.options.option_table import DOCUMENTS, OPTIONS
from pytest_ultra.options.presets import AXES
from pytest_ultra.options.settings import Settings

if TYPE_CHECKING:
    from pytest_ultra.options.config_file import ConfigFile

LIMITS = ("rpm", "qps", "tpm", "max_in_flight")


def join_settings(config: pytest.Config, file: ConfigFile | None) -> Settings:
    """Return the settings of a run, given the file of `--ultra-config`. Raises `pytest.UsageError` for a bad value."""
    read = {option.name: read_value(config, option) for option in OPTIONS}
    if read["preset"]:
        read |= {option.name: read_value(config, option, read["preset"]) for option in OPTIONS}
    read["overrides"] = _find_overrides(read)
    read |= _choose_tasks(config, read)
    if read["detect"] is not None:
        read["instances"] = choose_instances(config, read)
    if read["until"] is not None:
        read["instances"] = bound_instances(config, read)
    del read["require"]  # has an effect only without a model
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


def _refuse_own_flaws(prompt_types: Iterable[PromptType]) -> None:
    for prompt_type in prompt_types:
        if prompt_type.is_own:
            raise pytest.UsageError(
                f"--ultra-prompt-type: {prompt_type} is a flaw of a suite of your own; name that by --ultra-suite"
            )


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
        flags = listed(option.flag for option in OPTIONS if option.name in LIMITS)
        raise pytest.UsageError(f"--ultra-rate-mode: fixed needs a limit; give one or more of {flags}, or use adaptive")


def _find_overrides(read: Mapping[str, Any]) -> tuple[str, ...]:
    axes = AXES[read["preset"]] if read["preset"] else {}
    set_by_preset = [option for option in OPTIONS if option.name in axes]
    return tuple(option.flag for option in set_by_preset if read[option.name] != parse(option, [axes[option.name]]))
