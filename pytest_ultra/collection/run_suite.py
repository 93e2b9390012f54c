"""The suite of all runs: the built-in benchmark, so far. Nothing above this module names a suite."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ultra.benchmark.benchmark_suite import BENCHMARK
from pytest_ultra.core.case import Case
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.suite import Suite
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.storage.guidance_cache import GuidanceCache
from pytest_ultra.storage.run_directory import RunDirectory

SUITE: Suite = BENCHMARK


def open_guidance_cache(run: RunDirectory) -> GuidanceCache:
    return GuidanceCache(run.guidance, SUITE.task_type)


def generate_guidance(
    config: pytest.Config, case: Case, *, task: Any = None, optimal: Workflow | None = None
) -> AnyGuidance:
    """Generate what a case needs, with the planner of the user's hook if there is one.

    `task` and `optimal` are taken as they are if they are given.
    """
    task = task or SUITE.make_task(case)
    optimal = optimal or config.hook.pytest_ultra_workflow(
        task=task, tool_success_rate=case.tool_success_rate, max_turns=case.max_turns
    )
    return SUITE.make_guidance(case, task=task, optimal=optimal)
