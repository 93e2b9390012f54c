"""`--ultra-detect`: the number of instances with which a run could detect a difference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

from pytest_ultra.core.rounds import DECIDED, Until
from pytest_ultra.options.defaults import MOST_INSTANCES
from pytest_ultra.options.given_options import is_option_given

_MOST = 100


def choose_instances(config: pytest.Config, read: Mapping[str, Any]) -> int:
    """Return the instances with which each flawed row of a model has enough tasks; `read` holds the options' values.

    Raise `pytest.UsageError` if the user gave the instances too.
    """
    from pytest_ultra.analysis.detection_plan import tasks_to_detect  # noqa: PLC0415 - an unused plugin must not import it

    if config.getoption("ultra_instances"):
        raise pytest.UsageError("--ultra-detect chooses the instances, but --ultra-instances does too; give only one")
    flawed = sum(prompt_type.flaw_kind is not None for prompt_type in read["prompt_type"]) * len(read["severity"])
    rows = flawed * len(read["tool_success_rate"]) * len(read["prompt_variant"])
    tasks = tasks_to_detect(read["detect"] / 100, max(rows, 1))
    difficulties = 1 if read["suite"] else len(read["difficulty"])  # a task of a user's suite has one difficulty
    return math.ceil(tasks / (len(read["task_type"]) * difficulties))


def until(text: str) -> Until:
    """Read what `--ultra-until` asks for; raise ValueError for anything else."""
    if text == DECIDED:
        return Until(None)
    try:
        return Until(points(text) / 100)
    except ValueError:
        raise ValueError(f"{text!r} is neither points from 1 to 100 nor {DECIDED!r}, for gates") from None


def bound_instances(config: pytest.Config, read: Mapping[str, Any]) -> int:
    """Return the most instances of a run with `--ultra-until`; raise `pytest.UsageError` beside `--ultra-detect`."""
    if read["detect"] is not None:
        raise pytest.UsageError(
            "--ultra-detect chooses the instances before the run and --ultra-until while it runs; give only one"
        )
    instances: int = read["instances"] if is_option_given(config, "instances") else MOST_INSTANCES
    return instances


def points(text: str) -> float:
    """Read a difference in points, above 0 and at most 100; raise ValueError for anything else."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 1 <= number <= _MOST:
        raise ValueError(f"{text!r} is not a difference in points; give a number from 1 to 100")
    return number
