"""The value of `--ultra-suite`: the user's own suite, and the tasks of it that a run takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ultra.core.axes import FLAWED_PROMPT_TYPES, Difficulty, FaultKind, PromptType, PromptVariant
from pytest_ultra.options.option_values import own_tasks
from pytest_ultra.options.user_import import import_attribute

if TYPE_CHECKING:  # few runs have a suite of their own
    from pytest_ultra.custom.suite_definition import Suite

OWN_SUITE = pytest.StashKey["Suite"]()
"""The user's own suite of this run; missing without one."""


def load_suite(config: pytest.Config, target: str) -> Suite:
    """Import the user's suite, `module:attr`, for this run.

    Raises `pytest.UsageError` if there is none, or if it has no tasks.
    """
    from pytest_ultra.custom.suite_definition import Suite  # noqa: PLC0415 - few runs have a suite of their own

    found = import_attribute(config, target, "--ultra-suite", lambda value: isinstance(value, Suite), "suite")
    if not isinstance(found, Suite):
        raise pytest.UsageError(
            f"--ultra-suite: {target} is no suite but a {type(found).__name__}; name a pytest_ultra.Suite"
        )
    if not found.tasks:
        raise pytest.UsageError(f"--ultra-suite: the suite {found.name!r} has no tasks; add some by @suite.task(...)")
    config.stash[OWN_SUITE] = found
    return found


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
    if read["fault_kind"] == (FaultKind.PERMANENT,):
        raise pytest.UsageError(
            "--ultra-fault-kind: permanent faults need another way to the goal, and none is known in a suite of your "
            "own; choose from transient, lost_reply, implicit"
        )
    prompt_types = _choose_flaws(read["prompt_type"], suite)
    try:
        names = own_tasks(read["task_type"], list(suite.tasks))
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
