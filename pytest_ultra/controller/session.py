"""Opening a run in its first process: which hooks take part."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pytest_ultra.collection.job_shards import SHARDED
from pytest_ultra.collection.time_limits import TIME_LIMITS
from pytest_ultra.controller.budget_hooks import BudgetHooks
from pytest_ultra.controller.failure_hooks import FailureHooks
from pytest_ultra.controller.gate_hooks import GateHooks, load_reference
from pytest_ultra.controller.job_shard_hooks import JobShardHooks, check_shard
from pytest_ultra.controller.junit_hooks import JUnitHooks
from pytest_ultra.controller.live_status_hooks import LiveStatusHooks
from pytest_ultra.controller.markdown_hooks import MarkdownHooks
from pytest_ultra.controller.other_hosts import check_sharing
from pytest_ultra.controller.report_hooks import ReportHooks
from pytest_ultra.controller.run import Run
from pytest_ultra.controller.stop_rule import check_until
from pytest_ultra.controller.store_hooks import StoreHooks
from pytest_ultra.controller.warm_up import WarmUp
from pytest_ultra.core.case import Case
from pytest_ultra.distribution.placement import Placement, count_workers, is_distributed
from pytest_ultra.distribution.single_process import REQUESTED_WORKERS
from pytest_ultra.options.gate_settings import check_gates, gates_of
from pytest_ultra.options.output_checks import check_outputs
from pytest_ultra.options.requested_limits import budget_limits, check_budget
from pytest_ultra.options.settings import Settings
from pytest_ultra.options.suite_option import check_workers
from pytest_ultra.reporting.live_status.status_snapshot import StatusContext


def open_run(
    config: pytest.Config, settings: Settings, cases: Mapping[str, Case], *, chosen_dist: str | None
) -> Callable[[], Placement] | None:
    """Register the hooks of a run, or of a plan.

    Return what gives this process its placement if it is to run episodes itself, None otherwise. Raises
    `pytest.UsageError` for options that no run could satisfy.
    """
    if config.stash.get(SHARDED, None) is not None:
        check_shard(settings.until)
    if settings.plan:
        _register_plan(config, settings)
        return None
    check_outputs(settings)
    check_budget(settings)
    check_sharing(config, settings)
    check_until(settings.until, settings.gates)
    check_gates(settings.gates, settings.prompt_type, settings.tested, settings.task_type)
    check_workers(config, count_workers(config))
    run = Run(config, settings, cases)
    if config.getoption("collectonly"):
        return None
    _register_run(config, settings, run)
    _register_end(config, settings, run, cases)
    if is_distributed(config):
        _distribute(config, run, chosen_dist, needs_shards=settings.until is not None)
        return None
    return run.place


def _register_plan(config: pytest.Config, settings: Settings) -> None:
    from pytest_ultra.controller.run_plan import PlanHooks  # noqa: PLC0415 - a run needs no plan

    config.pluginmanager.register(PlanHooks(config, settings, config.stash[REQUESTED_WORKERS]), "ultra-plan")


def _register_run(config: pytest.Config, settings: Settings, run: Run) -> None:
    config.pluginmanager.register(run, "ultra-run")
    config.pluginmanager.register(FailureHooks(run, settings.failures), "ultra-failures")
    context = StatusContext(settings.tested, settings.max_tokens, settings.max_cost, settings.until is not None)
    config.pluginmanager.register(LiveStatusHooks(config, run, context=context), "ultra-status")
    config.pluginmanager.register(ReportHooks(settings, run), "ultra-report")
    config.pluginmanager.register(StoreHooks(settings, run), "ultra-store")
    config.pluginmanager.register(WarmUp(config.stash[TIME_LIMITS]), "ultra-warm-up")
    if budget_limits(settings).is_limited:
        config.pluginmanager.register(BudgetHooks(settings, run), "ultra-budget")


def _register_end(config: pytest.Config, settings: Settings, run: Run, cases: Mapping[str, Case]) -> None:
    """Register the gates, and what reports to other plugins and to GitHub."""
    sharded = config.stash.get(SHARDED, None)
    reference = load_reference(settings, (cases if sharded is None else sharded.all_cases).values())
    config.pluginmanager.register(JUnitHooks(settings, run), "ultra-junit")
    gates = None
    if sharded is not None:
        has_gates = bool(gates_of(settings.gates))
        config.pluginmanager.register(JobShardHooks(sharded, run, has_gates=has_gates), "ultra-shards")
    elif gates_of(settings.gates):
        gates = GateHooks(settings, run, reference)
        config.pluginmanager.register(gates, "ultra-gates")
    step_summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if settings.markdown or step_summary:
        step_path = Path(step_summary) if step_summary else None
        hooks = MarkdownHooks(settings.markdown, step_path, settings.seed, run, gates)
        config.pluginmanager.register(hooks, "ultra-markdown")
    config.pluginmanager.register(run.failures, "ultra-output-failures")  # last: inside all other wrappers


def _distribute(config: pytest.Config, run: Run, chosen_dist: str | None, *, needs_shards: bool) -> None:
    from pytest_ultra.distribution.report_memory import SharedReports  # noqa: PLC0415 - only workers' reports need it
    from pytest_ultra.distribution.xdist_hooks import DistributionHooks  # noqa: PLC0415 - xdist need not be installed

    hooks = DistributionHooks(
        config,
        run.rounds,
        chosen_dist,
        base=run.place,
        plan=run.plan,
        stop=run.stop,
        find_in_flight=run.find_in_flight,
        quarantine=run.quarantine,
    )
    other = hooks.other_scheduler()
    if needs_shards and other is not None:
        raise pytest.UsageError(f"--ultra-until needs the tests of all workers in advance; leave out {other}")
    config.pluginmanager.register(hooks, "ultra-distribution")
    config.pluginmanager.register(SharedReports(), "ultra-shared-reports")
