"""The table of all options: names, defaults, help and how their values are read."""

from __future__ import annotations

from pathlib import Path

from pytest_ultra.core.axes import (
    MOST_FLAWS,
    Difficulty,
    PromptType,
    PromptVariant,
    Severity,
    TaskType,
    ToolProtocol,
)
from pytest_ultra.options import option_values as values
from pytest_ultra.options.budget_options import BUDGETS
from pytest_ultra.options.documents import DOCUMENTS
from pytest_ultra.options.gate_options import GATES
from pytest_ultra.options.option import Option
from pytest_ultra.options.presets import Preset

_one = values.last

OPTIONS = (
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
        _one(values.member(Preset)),
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
        _one(values.whole(at_least=1, at_most=MOST_FLAWS)),
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
        _one(values.member(ToolProtocol)),
    ),
    Option(
        "tool_discovery",
        "off",
        "on|off",
        "Instead of all tool schemas, offer two tools by which the model finds the others",
        _one(values.switch),
    ),
    Option("tool_success_rate", "0.8", "RATE", "Chances in (0, 1] that a tool call succeeds", values.rates),
    Option("instances", "1", "N", "Tasks per task type and difficulty", _one(values.whole(at_least=1))),
    Option("repeats", "1", "N", "How often each task is asked of a model", _one(values.whole(at_least=1))),
    Option("seed", "0", "N", "Seed that tasks are made from", _one(values.whole(at_least=0))),
    Option("max_turns", "30", "N", "Turns after which an episode ends", _one(values.whole(at_least=1))),
    Option("timeout", None, "SECONDS", "Model and tool time after which an episode ends", _one(values.seconds)),
    Option(
        "request_timeout",
        "120",
        "SECONDS",
        "Time for one attempt at a request, answer included",
        _one(values.attempt_seconds),
    ),
    Option(
        "run_timeout",
        None,
        "SECONDS",
        "Time from the start of the run after which nothing more is lived: the rest is skipped, the exit code is 1",
        _one(values.seconds),
    ),
    Option(
        "concurrency",
        None,
        "N",
        "Episodes in flight per worker (default: as many as the endpoint bears)",
        _one(values.whole(at_least=1)),
    ),
    Option(
        "stagger",
        "auto",
        "auto|off|S[,S]",
        "Delay of the second worker and of each later one, in seconds",
        values.stagger,
    ),
    Option("base_url", None, "URL", "Base URL of any OpenAI-compatible endpoint", _one(values.url)),
    Option("temperature", None, "T", "Sampling temperature (default: the endpoint's)", _one(values.temperature)),
    Option(
        "rate_mode",
        "adaptive",
        "MODE",
        "How calls in flight are limited: `adaptive` to what the endpoint bears (under the limits below), or "
        "`fixed`, by the limits below alone",
        _one(values.rate_mode),
    ),
    Option("rpm", None, "N", "Requests per minute to an endpoint, of all processes together", _one(values.amount)),
    Option("qps", None, "N", "Requests per second, likewise", _one(values.amount)),
    Option("tpm", None, "N", "Tokens per minute, likewise", _one(values.amount)),
    Option("max_in_flight", None, "N", "Calls in flight at most, likewise", _one(values.whole(at_least=1))),
    Option("pass", "full", "full|partial", "The least outcome with which an item passes", _one(values.outcome)),
    *DOCUMENTS,
    Option("dir", ".ultra", "PATH", "Folder in which runs are kept", _one(Path)),
    Option("fresh", None, "", "Live all cases, whatever runs before were cut off", _one(values.switch), is_switch=True),
    Option(
        "rerun",
        None,
        "errors|failed",
        "Live again what in the newest run is error or skipped (`errors`), or all that is not full (`failed`), and "
        "take its other episodes",
        _one(values.rerun_mode),
    ),
    Option(
        "cassette",
        None,
        "record|replay|auto",
        "Keep the models' answers; give kept ones and ask for none; or give kept ones and keep the rest",
        _one(values.cassette_mode),
    ),
    Option(
        "cassette_dir",
        "cassettes",
        "PATH",
        "Folder in which answers are kept; by default, and in the ini file, under the rootdir",
        _one(Path),
    ),
    *BUDGETS,
    *GATES,
)
