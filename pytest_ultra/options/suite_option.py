"""The value of `--ultra-suite`: the user's own suite, and the tasks of it that a run takes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, Difficulty, PromptType, PromptVariant
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.options.option import listed
from pytest_ultra.options.option_values import hint
from pytest_ultra.options.user_import import import_attribute

if TYPE_CHECKING:  # few runs have a suite of their own
    from pytest_ultra.custom.suite_definition import Suite

OWN_SUITE = pytest.StashKey["Suite"]()
"""The user's own suite of this run; missing without one."""
SUITE_FILE = ".toml"
"""The end of a suite's name that is a file."""
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


def suite_target(text: str) -> str:
    if not _TARGET.fullmatch(text) and not text.endswith(SUITE_FILE):
        raise ValueError(
            f"{text!r} names no suite; give MODULE:ATTR, as in shop_suite:suite, or a TOML file with a table [suite]"
        )
    return text


def load_suite(config: pytest.Config, target: str) -> Suite:
    """Load the user's suite for this run: `module:attr`, or a TOML file.

    Raises `pytest.UsageError` if there is none, or if it has no tasks.
    """
    suite = _read_suite_file(config, target) if target.endswith(SUITE_FILE) else _import_suite(config, target)
    config.stash[OWN_SUITE] = suite
    return suite


def _read_suite_file(config: pytest.Config, target: str) -> Suite:
    """Start the servers of the suite in a file, until the end of the session."""
    from pytest_ultra.options.config_file import read_suite_table  # noqa: PLC0415 - few runs need it

    path = config.invocation_params.dir / target
    try:
        document = read_suite_table(path)
        from pytest_ultra.mcp_suites.mcp_suite import McpSuite  # noqa: PLC0415 - it needs the extra `mcp`

        suite = McpSuite(document, path.parent)
    except ConfigurationError as error:
        raise pytest.UsageError(f"--ultra-suite: {error}") from None
    config.add_cleanup(suite.close)
    return suite


def _import_suite(config: pytest.Config, target: str) -> Suite:
    from pytest_ultra.custom.suite_definition import Suite  # noqa: PLC0415 - few runs have a suite of their own

    found = import_attribute(config, target, "--ultra-suite", lambda value: isinstance(value, Suite), "suite")
    if not isinstance(found, Suite):
        raise pytest.UsageError(
            f"--ultra-suite: {target} is no suite but a {type(found).__name__}; name a pytest_ultra.Suite"
        )
    if not found.tasks:
        raise pytest.UsageError(f"--ultra-suite: the suite {found.name!r} has no tasks; add some by @suite.task(...)")
    return found


def check_workers(config: pytest.Config, workers: int) -> None:
    """Raise `pytest.UsageError` if several workers would share the one state of a suite's tools."""
    suite = config.stash.get(OWN_SUITE, None)
    if suite is not None and suite.is_shared and workers > 1:
        raise pytest.UsageError(
            f"-n: {workers} workers would change the one state of the server with a URL in the suite {suite.name!r}; "
            "run it without -n or with -n 1, or give the server's command"
        )


def choose_tasks(read: Mapping[str, Any], suite: Suite) -> dict[str, Any]:
    """Return the tasks and difficulties that a run of a suite takes, as values of the options.

    Raises `pytest.UsageError` for an unknown task, and for options that only the built-in benchmark has.
    """
    if PromptVariant.CANARY in read["prompt_variant"]:
        raise pytest.UsageError(
            "--ultra-prompt-variant: canary renames the built-in tools; leave it out with --ultra-suite"
        )
    if read["tool_discovery"]:
        raise pytest.UsageError("--ultra-tool-discovery is for the built-in tools; leave it out with --ultra-suite")
    prompt_types = _choose_flaws(read["prompt_type"], suite)
    try:
        names = _own_tasks(read["task_type"], list(suite.tasks))
    except ValueError as error:
        raise pytest.UsageError(f"--ultra-task-type: {error}") from None
    wanted = read["difficulty"] if read["has_difficulty"] else tuple(Difficulty)
    chosen = tuple(name for name in names if suite.tasks[name].difficulty in wanted)
    if not chosen:
        raise pytest.UsageError(
            f"--ultra-difficulty: no task of the suite {suite.name!r} that the options select is "
            f"{' or '.join(wanted)}; its tasks are "
            + ", ".join(f"{name} ({suite.tasks[name].difficulty})" for name in names)
        )
    found = [suite.tasks[name].difficulty for name in chosen]
    difficulties = tuple(each for each in Difficulty if each in found)
    return {"task_type": chosen, "difficulty": difficulties, "prompt_type": prompt_types}


def _choose_flaws(prompt_types: tuple[PromptType, ...], suite: Suite) -> tuple[PromptType, ...]:
    """Return the prompt types with the suite's own flaws, where all flaws are wanted."""
    own = tuple(suite.flaws)
    for each in prompt_types:
        if each.is_own and each not in own:
            raise pytest.UsageError(
                f"--ultra-prompt-type: {each} is no flaw of the suite {suite.name!r}; "
                + (f"choose from {', '.join(own)}" if own else "it has none of its own; add one by @suite.flaw")
            )
    wants_all = set(FLAWED_PROMPT_TYPES) <= set(prompt_types)
    return tuple(dict.fromkeys((*prompt_types, *(own if wants_all else ()))))


def _own_tasks(names: Sequence[str], tasks: Sequence[str]) -> tuple[str, ...]:
    """Return the tasks of a suite with these names, all for `all`. Raises ValueError for another name."""
    for name in names:
        if name not in ("all", *tasks):
            raise ValueError(
                f"{name!r} is no task of the suite; choose from {listed(['all', *tasks])}{hint(name, tasks)}"
            )
    return tuple(tasks) if "all" in names else tuple(names)
