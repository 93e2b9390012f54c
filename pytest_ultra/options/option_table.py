"""The table of all options: names, defaults, help texts and parsers."""

from __future__ import annotations

from pathlib import Path

from pytest_ultra.core.axes import (
    DRAWN_VISIBILITIES,
    MOST_FLAWS,
    Difficulty,
    FaultKind,
    PromptType,
    PromptVariant,
    Severity,
    TaskType,
    ToolProtocol,
    Visibility,
)
from pytest_ultra.core.model_api import ModelApi
from pytest_ultra.core.request_parameters import read_parameters
from pytest_ultra.core.rounds import MOST_INSTANCES
from pytest_ultra.core.stream_mode import StreamMode
from pytest_ultra.options import option_values as values
from pytest_ultra.options.agent_option import AGENT_TIMEOUT_S, read_agents
from pytest_ultra.options.budget_options import BUDGETS
from pytest_ultra.options.command_option import read_commands
from pytest_ultra.options.detection import points, until
from pytest_ultra.options.gate_options import GATES
from pytest_ultra.options.mcp_option import read_servers
from pytest_ultra.options.option import Option
from pytest_ultra.options.presets import Preset
from pytest_ultra.options.shard_options import SHARDS

_one = values.last

DOCUMENTS = (
    Option("json", None, "PATH", "Write a JSON document with all episodes to this file", _one(Path)),
    Option("html", None, "PATH", "Write the HTML report to this file, not into the run's directory", _one(Path)),
    Option("markdown", None, "PATH", "Write a summary in Markdown to this file", _one(Path)),
)

OPTIONS = (
    Option(
        "model",
        None,
        "NAME",
        "Model to test; `demo` needs no key. Repeatable, or separated by commas",
        values.names,
    ),
    Option(
        "agent",
        None,
        "[NAME=]MODULE:ATTR[@MODEL]",
        "Agent of your own to test: a function, and the model behind it if the run is to serve one. Repeatable, or "
        "separated by commas",
        read_agents,
    ),
    Option(
        "config",
        None,
        "PATH",
        "TOML file with options, such as `shop.ultra.toml`; the command line overrides it, and it the ini file",
        _one(Path),
    ),
    Option(
        "suite",
        None,
        "MODULE:ATTR|FILE",
        "Suite of your own to take the tasks from, instead of the built-in benchmark: a `pytest_ultra.Suite`, or a "
        "TOML file with a table `[suite]` (extra `mcp`)",
        _one(values.suite_target),
    ),
    Option(
        "agent_command",
        None,
        "[NAME[@MODEL]=]COMMAND",
        "Program to test as an agent; it gets the job on stdin, and the tools by MCP, as in `my-agent --mcp {mcp_url}` "
        "(extra `mcp`). Repeatable, one per line in the ini file",
        read_commands,
    ),
    Option(
        "preset",
        None,
        "NAME",
        f"Axes of a published experiment: {values.listed(Preset)}; your own options override it",
        _one(values.member(Preset)),
    ),
    Option(
        "prompt_type",
        "all",
        "TYPE",
        f"Prompt types: {values.listed(PromptType)}, `flawed` or `all`",
        values.prompt_types,
    ),
    Option(
        "task_type",
        "all",
        "TYPE",
        f"Task types: {values.listed(TaskType)} or `all`; with a suite of your own, the names of its tasks",
        values.task_types,
    ),
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
        f"Flaw kinds that are combined in a flawed plan: 1 to {MOST_FLAWS}",
        _one(values.whole(at_least=1, at_most=MOST_FLAWS)),
    ),
    Option(
        "flaw_visibility",
        ",".join(DRAWN_VISIBILITIES),
        "NAME",
        f"Where a flaw can be noticed: {values.listed(Visibility)} or `all`; each flawed case draws one",
        values.members(Visibility),
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
        "auto uses native, or text if the endpoint rejects tools",
        _one(values.member(ToolProtocol)),
    ),
    Option(
        "tool_discovery",
        "off",
        "on|off",
        "Offer two tools that find the others, instead of all tool schemas",
        _one(values.switch),
    ),
    Option(
        "tool_success_rate",
        "0.8",
        "RATE",
        "Chance in (0, 1] that a tool call succeeds; several allowed",
        values.rates,
    ),
    Option(
        "fault_kind",
        "transient",
        "KIND",
        f"How tools fail: {values.listed(FaultKind)} or `all`; of several, each fault draws one",
        values.members(FaultKind),
    ),
    Option("instances", "1", "N", "Tasks per task type and difficulty", _one(values.whole(at_least=1))),
    Option(
        "detect",
        None,
        "POINTS",
        "Choose the instances so that a flaw that costs so many points is found four times out of five, if 4 pairs of "
        "10 differ; `--ultra-plan` says what they cost",
        _one(points),
    ),
    Option(
        "until",
        None,
        "POINTS|decided",
        "Add instances in rounds until the interval of each model (flawed plans against `optimal`, or success) is "
        "within so many points on each side, or until every gate is decided; `--ultra-instances` is then the most "
        f"(default: {MOST_INSTANCES})",
        _one(until),
    ),
    Option("repeats", "1", "N", "How often each task is given to a model", _one(values.whole(at_least=1))),
    Option("seed", "0", "N", "Seed that tasks are generated from", _one(values.whole(at_least=0))),
    Option("max_turns", "30", "N", "Turns after which an episode ends", _one(values.whole(at_least=1))),
    Option(
        "timeout",
        None,
        "SECONDS",
        f"Model and tool time after which an episode ends (agents of your own: {AGENT_TIMEOUT_S:g}, if not given)",
        _one(values.seconds),
    ),
    Option(
        "request_timeout",
        "120",
        "SECONDS",
        "Time limit of one attempt at a request, including the whole answer",
        _one(values.attempt_seconds),
    ),
    Option(
        "run_timeout",
        None,
        "SECONDS",
        "Time limit of the whole run; the remaining episodes are skipped, and the exit code is 1",
        _one(values.seconds),
    ),
    Option(
        "concurrency",
        None,
        "N",
        "Episodes in flight per worker (default: as many as the endpoint can handle)",
        _one(values.whole(at_least=1)),
    ),
    Option(
        "stagger",
        "auto",
        "auto|off|S[,S]",
        "Start delay of the second worker, and of each later worker after the one before, in seconds",
        values.stagger,
    ),
    Option("base_url", None, "URL", "Base URL of any OpenAI-compatible endpoint", _one(values.url)),
    Option(
        "api",
        "auto",
        "NAME",
        f"Protocol in which models are asked: {values.listed(ModelApi)}; auto uses the provider's own SDK for "
        "anthropic/ and google/ if it is installed, else chat completions",
        _one(values.member(ModelApi)),
    ),
    Option("temperature", None, "T", "Sampling temperature (default: the endpoint's)", _one(values.temperature)),
    Option(
        "request",
        None,
        "PARAM=VALUE",
        "Parameter of each request, with a JSON value (`null`: do not send it); repeatable, one per line in the ini "
        "file",
        read_parameters,
    ),
    Option(
        "header",
        None,
        "NAME=ENV_VARIABLE",
        "Header of each request, with the value of an environment variable; repeatable, one per line in the ini file",
        values.headers,
    ),
    Option(
        "stream",
        "auto",
        "auto|on|off",
        "Ask endpoints to stream replies, which measures the time to the first token; auto asks where an endpoint "
        "answers nothing else",
        _one(values.member(StreamMode)),
    ),
    Option(
        "rate_mode",
        "adaptive",
        "MODE",
        "How calls in flight are limited: `adaptive` follows what the endpoint can handle, within the limits that are "
        "set; `fixed` uses those limits alone",
        _one(values.member(values.RateMode)),
    ),
    Option(
        "rpm", None, "N", "Limit of requests per minute to an endpoint, shared by all processes", _one(values.amount)
    ),
    Option(
        "qps", None, "N", "Limit of requests per second to an endpoint, shared by all processes", _one(values.amount)
    ),
    Option("tpm", None, "N", "Limit of tokens per minute at an endpoint, shared by all processes", _one(values.amount)),
    Option(
        "max_in_flight",
        None,
        "N",
        "Limit of calls in flight to an endpoint, shared by all processes",
        _one(values.whole(at_least=1)),
    ),
    Option(
        "redis",
        None,
        "URL",
        "Redis through which hosts and CI jobs share these limits, the tasks they generate, and a budget if the URL "
        "ends in `#NAME`, as in `redis://limits:6379/0#nightly` (extra `redis`)",
        _one(values.redis_url),
    ),
    Option("pass", "full", "full|partial", "The lowest outcome with which an item passes", _one(values.outcome)),
    Option(
        "require",
        None,
        "",
        "Fail tests that take a case, instead of skipping them, if no model is named",
        _one(values.switch),
        is_switch=True,
    ),
    Option(
        "failures",
        None,
        "N",
        "Failed cases of the suite whose whole text is printed, chosen to differ in class (default: of at most "
        "3 failures the texts, of more a line for each of 3; `-v` prints all)",
        _one(values.whole(at_least=0)),
    ),
    *DOCUMENTS,
    Option(
        "junit_properties",
        "auto",
        "auto|testcase|output|off",
        "Where `--junitxml` has the properties of a case: in its `properties`, which the schema of `junit_family` "
        "xunit2 does not know, or as lines of its output; auto uses the output for xunit2",
        _one(values.member(values.JUnitPlace)),
    ),
    Option("dir", ".ultra", "PATH", "Folder where runs are kept", _one(Path)),
    Option(
        "fresh",
        None,
        "",
        "Run all cases, even if an interrupted run could be resumed, and generate all tasks, even if an earlier run "
        "has left them",
        _one(values.switch),
        is_switch=True,
    ),
    Option(
        "rerun",
        None,
        "errors|failed",
        "Run again the cases that are `error` or `skipped` in the newest run (`errors`), or all that are not `full` "
        "(`failed`), and reuse its other episodes",
        _one(values.rerun_mode),
    ),
    Option(
        "cassette",
        None,
        "record|replay|auto",
        "Recorded answers: `record` stores the models' answers, `replay` uses stored ones and sends no request, `auto` "
        "uses stored ones and records the rest",
        _one(values.cassette_mode),
    ),
    Option(
        "cassette_dir",
        "cassettes",
        "PATH",
        "Folder of recorded answers; the default, and a path in the ini file, is relative to the rootdir",
        _one(Path),
    ),
    Option(
        "mcp",
        None,
        "NAME=COMMAND",
        "A real MCP server, by its command or URL, whose tools meet faults in tests that use the fixture `ultra_mcp`; "
        "`{tmp_path}` stands for a folder of the test; repeatable, one per line in the ini file",
        read_servers,
    ),
    *SHARDS,
    *BUDGETS,
    *GATES,
)
