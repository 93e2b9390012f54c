"""The suite of a run: the built-in benchmark, or one of the user's own. Nothing above this module names a suite."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ultra.core.case import Case, SuiteTaskKey
from pytest_ultra.core.episode import Score
from pytest_ultra.core.estimate import Estimate
from pytest_ultra.core.goal_report import GoalReport
from pytest_ultra.core.guidance import AnyGuidance
from pytest_ultra.core.suite import Conversation, Suite
from pytest_ultra.core.transcript import Event
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.options.settings import Settings
from pytest_ultra.options.suite_option import OWN_SUITE
from pytest_ultra.storage.earlier_guidance import EarlierRuns, generator_version
from pytest_ultra.storage.guidance_cache import EarlierGuidance, GuidanceCache, SharedGuidance
from pytest_ultra.storage.run_directory import RunDirectory

if TYPE_CHECKING:  # imported when a case needs it
    from pytest_ultra.benchmark.benchmark_suite import BenchmarkSuite
    from pytest_ultra.custom.custom_suite import CustomSuite


def builtin_suite() -> BenchmarkSuite:
    from pytest_ultra.benchmark.benchmark_suite import BENCHMARK  # noqa: PLC0415 - xdist's controller runs no episode

    return BENCHMARK


class CaseSuite:
    """Each case's suite: the built-in benchmark, or the user's own, which can run episodes only if it is loaded."""

    task_type = object  # each suite has its own

    def __init__(self, own: CustomSuite | None = None) -> None:
        self._own = own

    @cached_property
    def own(self) -> CustomSuite:
        from pytest_ultra.custom.custom_suite import CustomSuite  # noqa: PLC0415 - few runs have a suite of their own

        return self._own or CustomSuite()

    def suite_of(self, case: Case) -> Suite:
        return self.own if case.suite else builtin_suite()

    def begin(self, case: Case, guidance: AnyGuidance, /) -> Conversation:
        return self.suite_of(case).begin(case, guidance)

    def score(self, case: Case, guidance: AnyGuidance, events: Sequence[Event], /) -> Score:
        return self.suite_of(case).score(case, guidance, events)

    def make_task(self, case: Case, /) -> Any:
        return self.suite_of(case).make_task(case)

    def make_guidance(self, case: Case, *, task: Any = None, optimal: Workflow | None = None) -> AnyGuidance:
        return self.suite_of(case).make_guidance(case, task=task, optimal=optimal)

    def check_goal(self, guidance: AnyGuidance, events: Sequence[Event], /) -> GoalReport:
        suite: Suite = self.own if isinstance(guidance.task.key, SuiteTaskKey) else builtin_suite()
        return suite.check_goal(guidance, events)

    def expect_requests(self, case: Case, guidance: AnyGuidance, /) -> float:
        return self.suite_of(case).expect_requests(case, guidance)

    def estimate(self, case: Case, guidance: AnyGuidance, /) -> Estimate:
        return self.suite_of(case).estimate(case, guidance)


REMOTE_RUN = "ultra-remote-run"
"""The plugin of a worker on another host."""

SUITE = CaseSuite()
"""The suites of stored episodes."""

_LOADED = pytest.StashKey[CaseSuite]()


def suite_of_run(config: pytest.Config) -> CaseSuite:
    """Return the suites of this run, with the user's own if it has one."""
    return config.stash.get(_LOADED, SUITE)


def open_suite(config: pytest.Config) -> CustomSuite | None:
    """Open the user's own suite of this run; None without one."""
    definition = config.stash.get(OWN_SUITE, None)
    if definition is None:
        return None
    from pytest_ultra.custom.custom_suite import CustomSuite  # noqa: PLC0415 - few runs have a suite of their own

    own = CustomSuite(definition)
    config.stash[_LOADED] = CaseSuite(own)
    return own


def episodes_at_once(config: pytest.Config) -> int | None:
    """Return how many episodes of the user's own suite a process runs at once; None for the usual number."""
    definition = config.stash.get(OWN_SUITE, None)
    return None if definition is None else definition.episodes_at_once


def is_on_another_host(config: pytest.Config) -> bool:
    """Return whether this process is a worker that does not share the controller's disk."""
    return bool(config.pluginmanager.hasplugin(REMOTE_RUN))


def open_guidance_cache(run: RunDirectory, shared: SharedGuidance | None = None) -> GuidanceCache:
    return GuidanceCache(run.guidance, builtin_suite().task_type, lambda: SUITE.own.task_type, shared)


def open_earlier_guidance(config: pytest.Config, settings: Settings, run: RunDirectory) -> EarlierGuidance | None:
    """Return the guidance of earlier runs: none on another host, or if this run takes nothing from other runs."""
    if is_on_another_host(config) or _must_generate(config, settings):
        return None
    return EarlierRuns(run.path.parent.parent, builtin_suite().task_type)


def sharing_scope(config: pytest.Config, settings: Settings, run: RunDirectory) -> str:
    """Name the processes that share what they generate: those with the same code, or those of this run alone."""
    if _must_generate(config, settings) or config.stash.get(OWN_SUITE, None) is not None:
        return run.stored_id
    return generator_version()


def _must_generate(config: pytest.Config, settings: Settings) -> bool:
    """Return whether a run takes nothing from other runs: with `--ultra-fresh`, or with a planner of the user's.

    Such a planner may have changed.
    """
    return settings.fresh or bool(config.hook.pytest_ultra_workflow.get_hookimpls())


def generate_guidance(
    config: pytest.Config, case: Case, *, task: Any = None, optimal: Workflow | None = None
) -> AnyGuidance:
    """Generate what a case needs, with the planner of the user's hook if there is one.

    `task` and `optimal` are taken as they are if they are given.
    """
    suite = suite_of_run(config)
    task = task or suite.make_task(case)
    optimal = optimal or config.hook.pytest_ultra_workflow(
        task=task, tool_success_rate=case.tool_success_rate, max_turns=case.max_turns
    )
    return suite.make_guidance(case, task=task, optimal=optimal)
