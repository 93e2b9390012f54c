"""Opening a run: which hooks take part in which process."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from pytest_ultra.collection.collection_hooks import CASES, CollectionHooks
from pytest_ultra.collection.planned_cases import plan_cases
from pytest_ultra.collection.redaction_hooks import RedactionHooks
from pytest_ultra.controller.report_hooks import ReportHooks
from pytest_ultra.controller.store_hooks import StoreHooks
from pytest_ultra.core.case import Case
from pytest_ultra.distribution.placement import Placement, is_distributed, receive
from pytest_ultra.distribution.without_workers import ASKED_WORKERS
from pytest_ultra.fixtures import SHARD
from pytest_ultra.options.output_checks import check_outputs
from pytest_ultra.options.requested_gates import check_gates
from pytest_ultra.options.settings import Settings
from pytest_ultra.providers.endpoint_lookup import find_redactor
from pytest_ultra.worker.budget_share import BudgetHooks, amounts_of, check_budget

if TYPE_CHECKING:  # workers open no run
    from pytest_ultra.controller.run import Run


def begin(config: pytest.Config, settings: Settings, *, chosen_dist: str | None) -> None:
    """Take part in a run: as its controller, as one of its workers, or as its only process."""
    cases = plan_cases(settings)
    config.stash[CASES] = cases
    config.pluginmanager.register(CollectionHooks(config, cases), "ultra-collection")
    config.pluginmanager.register(RedactionHooks(find_redactor(settings)), "ultra-secrecy")
    placement = receive(config)
    if placement is not None:
        _join_as_worker(config, settings, cases, placement)
    elif settings.plan:
        _tell_plan(config, settings)
    else:
        check_outputs(settings)
        check_budget(settings)
        check_gates(settings)
        _open_run(config, settings, cases, chosen_dist)
    gc.freeze()  # what is there now stays to the end; to look it over at exit, as pytest does, costs 0.1 s a process


def _join_as_worker(config: pytest.Config, settings: Settings, cases: Mapping[str, Case], placement: Placement) -> None:
    from pytest_ultra.worker.shard import Shard  # noqa: PLC0415 - the controller lives no episodes

    config.stash[SHARD] = lambda: Shard(config, settings, placement, cases.keys())


def _tell_plan(config: pytest.Config, settings: Settings) -> None:
    from pytest_ultra.controller.run_plan import PlanHooks  # noqa: PLC0415 - a run needs no plan

    config.pluginmanager.register(PlanHooks(config, settings, config.stash[ASKED_WORKERS]), "ultra-plan")


def _open_run(config: pytest.Config, settings: Settings, cases: Mapping[str, Case], chosen_dist: str | None) -> None:
    from pytest_ultra.controller.end_hooks import register_judgement  # noqa: PLC0415 - workers open no run
    from pytest_ultra.controller.live_hooks import LiveHooks  # noqa: PLC0415 - likewise
    from pytest_ultra.controller.run import Run  # noqa: PLC0415 - likewise

    run = Run(config, settings, cases)
    if config.getoption("collectonly"):
        return
    config.pluginmanager.register(run, "ultra-run")
    config.pluginmanager.register(LiveHooks(config, run), "ultra-live")
    config.pluginmanager.register(ReportHooks(settings, run), "ultra-report")
    config.pluginmanager.register(StoreHooks(settings, run), "ultra-store")
    if amounts_of(settings).is_limited:
        config.pluginmanager.register(BudgetHooks(settings, run), "ultra-budget")
    register_judgement(config, settings, run, cases.values())
    if is_distributed(config):
        _distribute(config, run, cases, chosen_dist)
    else:
        from pytest_ultra.worker.shard import Shard  # noqa: PLC0415 - a controller lives no episodes

        config.stash[SHARD] = lambda: Shard(config, settings, run.place(), cases.keys())


def _distribute(config: pytest.Config, run: Run, cases: Mapping[str, Case], chosen_dist: str | None) -> None:
    from pytest_ultra.distribution.xdist_hooks import Distribution  # noqa: PLC0415 - xdist need not be there

    hooks = Distribution(
        config,
        cases.keys(),
        chosen_dist,
        base=run.place,
        plan=run.plan,
        stop=run.stop,
        find_in_flight=run.find_in_flight,
        set_aside=run.set_aside,
    )
    config.pluginmanager.register(hooks, "ultra-distribution")
