"""The options of the `ultra` group: read once, checked before anything runs, kept as frozen settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ultra.benchmark.axes import (
    MOST_FLAWS,
    Difficulty,
    PromptType,
    PromptVariant,
    Severity,
    TaskType,
    ToolProtocol,
)
from pytest_ultra.benchmark.prices import Price
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options import values
from pytest_ultra.options.budgets import BUDGETS
from pytest_ultra.options.option import Option
from pytest_ultra.options.presets import AXES, Preset
from pytest_ultra.options.values import RateMode, Stagger

if TYPE_CHECKING:  # likewise late
    from pytest_ultra.models.served import Served


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the user asked for. Paths are absolute; None means: not given, and something sensible is done.

    `departures` are the flags of the preset's axes for which the user asked for something else.
    """

    model: tuple[str, ...]
    preset: Preset | None
    departures: tuple[str, ...]
    prompt_type: tuple[PromptType, ...]
    task_type: tuple[TaskType, ...]
    difficulty: tuple[Difficulty, ...]
    severity: tuple[Severity, ...]
    flaws_per_case: int
    prompt_variant: tuple[PromptVariant, ...]
    tool_protocol: ToolProtocol
    tool_discovery: bool
    tool_success_rate: tuple[float, ...]
    instances: int
    repeats: int
    seed: int
    max_turns: int
    timeout: float | None
    request_timeout: float
    run_timeout: float | None
    concurrency: int | None
    stagger: Stagger
    base_url: str | None
    served: Mapping[str, tuple[Served, ...]]
    temperature: float | None
    rate_mode: RateMode
    rpm: float | None
    qps: float | None
    tpm: float | None
    max_in_flight: int | None
    least_outcome: str
    json: Path | None
    dir: Path
    fresh: bool
    rerun: str | None
    cassette: str | None
    cassette_dir: Path
    plan: bool
    price: Mapping[str, Price]
    max_cost: float | None
    max_tokens: int | None
    max_requests: int | None


SETTINGS = pytest.StashKey[Settings]()


def _options() -> tuple[Option, ...]:
    one = values.last
    return (
        Option(
            "model",
            None,
            "NAME",
            "Model to judge; `demo` needs no key. Repeatable, or separated by commas",
            values.names,
        ),
        Option(
            "preset",
            None,
            "NAME",
            f"Axes of a published experiment: {values.listed(Preset)}; options of your own go before it",
            one(values.member(Preset)),
        ),
        Option(
            "prompt_type",
            "all",
            "TYPE",
            f"Prompt types: {values.listed(PromptType)}, `flawed` or `all`",
            values.prompt_types,
        ),
        Option("task_type", "all", "TYPE", f"Task types: {values.listed(TaskType)} or `all`", values.members(TaskType)),
        Option(
            "difficulty",
            "easy",
            "NAME",
            f"Difficulties: {values.listed(Difficulty)} or `all`",
            values.members(Difficulty),
        ),
        Option(
            "severity",
            "severe",
            "NAME",
            f"Severities of flaws: {values.listed(Severity)} or `all`",
            values.members(Severity),
        ),
        Option(
            "flaws_per_case",
            "1",
            "N",
            f"Kinds that a flawed plan's flaw is composed of: 1 to {MOST_FLAWS}",
            one(values.whole(at_least=1, at_most=MOST_FLAWS)),
        ),
        Option(
            "prompt_variant",
            "standard",
            "NAME",
            f"Wordings of the prompts: {values.listed(PromptVariant)} or `all`",
            values.members(PromptVariant),
        ),
        Option(
            "tool_protocol",
            "native",
            "NAME",
            f"How tools are offered and called: {values.listed(ToolProtocol)}; "
            "auto is native, or text where the endpoint rejects tools",
            one(values.member(ToolProtocol)),
        ),
        Option(
            "tool_discovery",
            "off",
            "on|off",
            "Instead of all tool schemas, offer two tools by which the model finds the others",
            one(values.switch),
        ),
        Option("tool_success_rate", "0.8", "RATE", "Chances in (0, 1] that a tool call succeeds", values.rates),
        Option("instances", "1", "N", "Tasks per task type and difficulty", one(values.whole(at_least=1))),
        Option("repeats", "1", "N", "How often each task is asked of a model", one(values.whole(at_least=1))),
        Option("seed", "0", "N", "Seed that tasks are made from", one(values.whole(at_least=0))),
        Option("max_turns", "30", "N", "Turns after which an episode ends", one(values.whole(at_least=1))),
        Option("timeout", None, "SECONDS", "Model and tool time after which an episode ends", one(values.seconds)),
        Option(
            "request_timeout",
            "120",
            "SECONDS",
            "Time for one attempt at a request, answer included",
            one(values.attempt_seconds),
        ),
        Option(
            "run_timeout",
            None,
            "SECONDS",
            "Time from the start of the run after which nothing more is lived: the rest is skipped, the exit code is 1",
            one(values.seconds),
        ),
        Option(
            "concurrency",
            None,
            "N",
            "Episodes in flight per worker (default: as many as the endpoint bears)",
            one(values.whole(at_least=1)),
        ),
        Option(
            "stagger",
            "auto",
            "auto|off|S[,S]",
            "Delay of the second worker and of each later one, in seconds",
            values.stagger,
        ),
        Option("base_url", None, "URL", "Base URL of any OpenAI-compatible endpoint", one(values.url)),
        Option("temperature", None, "T", "Sampling temperature (default: the endpoint's)", one(values.temperature)),
        Option(
            "rate_mode",
            "adaptive",
            "MODE",
            "How calls in flight are limited: `adaptive` to what the endpoint bears (under the limits below), or "
            "`fixed`, by the limits below alone",
            one(values.rate_mode),
        ),
        Option("rpm", None, "N", "Requests per minute to an endpoint, of all processes together", one(values.amount)),
        Option("qps", None, "N", "Requests per second, likewise", one(values.amount)),
        Option("tpm", None, "N", "Tokens per minute, likewise", one(values.amount)),
        Option("max_in_flight", None, "N", "Calls in flight at most, likewise", one(values.whole(at_least=1))),
        Option("pass", "full", "full|partial", "The least outcome with which an item passes", one(values.outcome)),
        Option("json", None, "PATH", "Write one JSON document with all episodes here", one(Path)),
        Option("dir", ".ultra", "PATH", "Folder in which runs are kept", one(Path)),
        Option(
            "fresh", None, "", "Live all cases, whatever runs before were cut off", one(values.switch), is_switch=True
        ),
        Option(
            "rerun",
            None,
            "errors|failed",
            "Live again what in the newest run is error or skipped (`errors`), or all that is not full (`failed`), and "
            "take its other episodes",
            one(values.rerun_mode),
        ),
        Option(
            "cassette",
            None,
            "record|replay|auto",
            "Keep the models' answers; give kept ones and ask for none; or give kept ones and keep the rest",
            one(values.cassette_mode),
        ),
        Option(
            "cassette_dir",
            "cassettes",
            "PATH",
            "Folder in which answers are kept; by default, and in the ini file, under the rootdir",
            one(Path),
        ),
    )


OPTIONS = (*_options(), *BUDGETS)
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
    """Return what the user asked for, None if no model was named; raise `pytest.UsageError` for a bad value."""
    if not (config.getoption("ultra_model") or config.getini("ultra_model")):
        if config.getoption("ultra_plan"):
            raise pytest.UsageError("--ultra-plan: no model is named; add --ultra-model NAME (demo needs no key)")
        return None
    read = {option.name: _read(config, option) for option in OPTIONS}
    if read["preset"]:
        read |= {option.name: _read(config, option, read["preset"]) for option in OPTIONS}
    read["departures"] = _find_departures(read)
    read["least_outcome"] = read.pop("pass")
    folder = config.invocation_params.dir
    _check_limits(read)
    read["served"] = _read_served(config)
    read |= {"fresh": bool(read["fresh"]), "plan": bool(read["plan"]), "price": read["price"] or {}}
    if read["fresh"] and read["rerun"]:
        raise pytest.UsageError("--ultra-fresh takes nothing from earlier runs, --ultra-rerun does; give one of them")
    read["dir"] = folder / read["dir"]
    read["json"] = read["json"] and folder / read["json"]
    is_given = bool(config.getoption("ultra_cassette_dir"))  # else it belongs to the project, as the ini file does
    read["cassette_dir"] = (folder if is_given else config.rootpath) / read["cassette_dir"]
    return Settings(**read)


def _read_served(config: pytest.Config) -> Mapping[str, tuple[Served, ...]]:
    from pytest_ultra.models.served import read_served  # noqa: PLC0415 - an unused plugin must not import what it needs

    try:
        return read_served(config.rootpath / "pyproject.toml")
    except ConfigurationError as error:
        raise pytest.UsageError(str(error)) from None


def _check_limits(read: Mapping[str, Any]) -> None:
    if read["rate_mode"] == "fixed" and not any(read[name] for name in LIMITS):
        flags = values.listed(option.flag for option in OPTIONS if option.name in LIMITS)
        raise pytest.UsageError(f"--ultra-rate-mode: fixed needs a limit; give one or more of {flags}, or adaptive")


def _find_departures(read: Mapping[str, Any]) -> tuple[str, ...]:
    axes = AXES[read["preset"]] if read["preset"] else {}
    set_by_preset = [option for option in OPTIONS if option.name in axes]
    return tuple(o.flag for o in set_by_preset if read[o.name] != o.parse([axes[o.name]]))


def _read(config: pytest.Config, option: Option, preset: Preset | None = None) -> Any:
    """Read the command line, else the ini file, else the preset, else the default."""
    given, source = config.getoption(option.key), option.flag
    if not given:
        given, source = config.getini(option.key).splitlines(), f"{option.key} (ini)"
    if not given:
        default = AXES[preset].get(option.name, option.default) if preset else option.default
        given = [] if default is None else [default]
    try:
        return option.parse(given) if given else None
    except ValueError as error:
        raise pytest.UsageError(f"{source}: {error}") from None
