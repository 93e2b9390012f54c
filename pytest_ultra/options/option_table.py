"""The table of all options: names, defaults and help texts. Their parsers are in `option_parsers`."""

from __future__ import annotations

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
from pytest_ultra.options.budget_options import BUDGETS
from pytest_ultra.options.defaults import AGENT_TIMEOUT_S, MOST_INSTANCES
from pytest_ultra.options.endpoint_options import ENDPOINTS
from pytest_ultra.options.gate_options import GATES
from pytest_ultra.options.option import Option, listed
from pytest_ultra.options.presets import Preset
from pytest_ultra.options.shard_options import SHARDS

DOCUMENTS = (
    Option("json", None, "PATH", "Write a JSON document with all episodes to this file"),
    Option("html", None, "PATH", "Write the HTML report to this file, not into the run's directory"),
    Option("markdown", None, "PATH", "Write a summary in Markdown to this file"),
)

OPTIONS = (
    Option(
        "model",
        None,
        "NAME",
        "Model to test; `demo` needs no key. Repeatable, or separated by commas",
    ),
    Option(
        "agent",
        None,
        "[NAME=]MODULE:ATTR[@MODEL]",
        "Agent of your own to test: a function, and the model behind it if the run is to serve one. Repeatable, or "
        "separated by commas",
    ),
    Option(
        "config",
        None,
        "PATH",
        "TOML file with options, such as `shop.ultra.toml`; the command line overrides it, and it the ini file",
    ),
    Option(
        "suite",
        None,
        "MODULE:ATTR|FILE",
        "Suite of your own to take the tasks from, instead of the built-in benchmark: a `pytest_ultra.Suite`, or a "
        "TOML file with a table `[suite]` (extra `mcp`)",
    ),
    Option(
        "agent_command",
        None,
        "[NAME[@MODEL]=]COMMAND",
        "Program to test as an agent; it gets the job on stdin, and the tools by MCP, as in `my-agent --mcp {mcp_url}` "
        "(extra `mcp`). Repeatable, one per line in the ini file",
    ),
    Option(
        "preset",
        None,
        "NAME",
        f"Axes of a published experiment: {listed(Preset)}; your own options override it",
    ),
    Option(
        "prompt_type",
        "all",
        "TYPE",
        f"Prompt types: {listed(PromptType)}, `flawed` or `all`",
    ),
    Option(
        "task_type",
        "all",
        "TYPE",
        f"Task types: {listed(TaskType)} or `all`; with a suite of your own, the names of its tasks",
    ),
    Option(
        "difficulty",
        "easy",
        "NAME",
        f"Difficulties: {listed(Difficulty)} or `all`",
    ),
    Option(
        "severity",
        "severe",
        "NAME",
        f"Severities of flaws: {listed(Severity)} or `all`",
    ),
    Option(
        "flaws_per_case",
        "1",
        "N",
        f"Flaw kinds that are combined in a flawed plan: 1 to {MOST_FLAWS}",
    ),
    Option(
        "flaw_visibility",
        ",".join(DRAWN_VISIBILITIES),
        "NAME",
        f"Where a flaw can be noticed: {listed(Visibility)} or `all`; each flawed case draws one",
    ),
    Option(
        "prompt_variant",
        "standard",
        "NAME",
        f"Wordings of the prompts: {listed(PromptVariant)} or `all`",
    ),
    Option(
        "tool_protocol",
        "native",
        "NAME",
        f"How tools are offered and called: {listed(ToolProtocol)}; "
        "auto uses native, or text if the endpoint rejects tools",
    ),
    Option(
        "tool_discovery",
        "off",
        "on|off",
        "Offer two tools that find the others, instead of all tool schemas",
    ),
    Option(
        "tool_success_rate",
        "0.8",
        "RATE",
        "Chance in (0, 1] that a tool call succeeds; several allowed",
    ),
    Option(
        "fault_kind",
        "transient",
        "KIND",
        f"How tools fail: {listed(FaultKind)} or `all`; of several, each fault draws one",
    ),
    Option("instances", "1", "N", "Tasks per task type and difficulty"),
    Option(
        "detect",
        None,
        "POINTS",
        "Choose the instances so that a flaw that costs so many points is found four times out of five, if 4 pairs of "
        "10 differ; `--ultra-plan` says what they cost",
    ),
    Option(
        "until",
        None,
        "POINTS|decided",
        "Add instances in rounds until the interval of each model (flawed plans against `optimal`, or success) is "
        "within so many points on each side, or until every gate is decided; `--ultra-instances` is then the most "
        f"(default: {MOST_INSTANCES})",
    ),
    Option("repeats", "1", "N", "How often each task is given to a model"),
    Option("seed", "0", "N", "Seed that tasks are generated from"),
    Option("max_turns", "30", "N", "Turns after which an episode ends"),
    Option(
        "timeout",
        None,
        "SECONDS",
        f"Model and tool time after which an episode ends (agents of your own: {AGENT_TIMEOUT_S:g}, if not given)",
    ),
    Option(
        "request_timeout",
        "120",
        "SECONDS",
        "Time limit of one attempt at a request, including the whole answer",
    ),
    Option(
        "run_timeout",
        None,
        "SECONDS",
        "Time limit of the whole run; the remaining episodes are skipped, and the exit code is 1",
    ),
    Option(
        "concurrency",
        None,
        "N",
        "Episodes in flight per worker (default: as many as the endpoint can handle)",
    ),
    Option(
        "stagger",
        "auto",
        "auto|off|S[,S]",
        "Start delay of the second worker, and of each later worker after the one before, in seconds",
    ),
    *ENDPOINTS,
    Option("pass", "full", "full|partial", "The lowest outcome with which an item passes"),
    Option(
        "require",
        None,
        "",
        "Fail tests that take a case, instead of skipping them, if no model is named",
        is_switch=True,
    ),
    Option(
        "failures",
        None,
        "N",
        "Failed cases of the suite whose whole text is printed, chosen to differ in class (default: of at most "
        "3 failures the texts, of more a line for each of 3; `-v` prints all)",
    ),
    *DOCUMENTS,
    Option(
        "junit_properties",
        "auto",
        "auto|testcase|output|off",
        "Where `--junitxml` has the properties of a case: in its `properties`, which the schema of `junit_family` "
        "xunit2 does not know, or as lines of its output; auto uses the output for xunit2",
    ),
    Option("dir", ".ultra", "PATH", "Folder where runs are kept"),
    Option(
        "fresh",
        None,
        "",
        "Run all cases, even if an interrupted run could be resumed, and generate all tasks, even if an earlier run "
        "has left them",
        is_switch=True,
    ),
    Option(
        "rerun",
        None,
        "errors|failed",
        "Run again the cases that are `error` or `skipped` in the newest run (`errors`), or all that are not `full` "
        "(`failed`), and reuse its other episodes",
    ),
    Option(
        "cassette",
        None,
        "record|replay|auto",
        "Recorded answers: `record` stores the models' answers, `replay` uses stored ones and sends no request, `auto` "
        "uses stored ones and records the rest",
    ),
    Option(
        "cassette_dir",
        "cassettes",
        "PATH",
        "Folder of recorded answers; the default, and a path in the ini file, is relative to the rootdir",
    ),
    Option(
        "mcp",
        None,
        "NAME=COMMAND",
        "A real MCP server, by its command or URL, whose tools meet faults in tests that use the fixture `ultra_mcp`; "
        "`{tmp_path}` stands for a folder of the test; repeatable, one per line in the ini file",
    ),
    *SHARDS,
    *BUDGETS,
    *GATES,
)
