"""A process's share in the budget of the run."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from pytest_ultra.core.case import Case
from pytest_ultra.core.estimate import Estimate
from pytest_ultra.distribution.placement import Placement
from pytest_ultra.engine.admission import ADMIT_ALL, Admission, BudgetAdmission
from pytest_ultra.engine.budget import BudgetedEndpoint, ReportedBudget
from pytest_ultra.engine.endpoint import Endpoint
from pytest_ultra.engine.episode_queue import Assignment, Priority
from pytest_ultra.engine.redis_connection import JointStore
from pytest_ultra.engine.run_budget import open_run_budget
from pytest_ultra.options.known_prices import known_prices
from pytest_ultra.options.requested_limits import budget_limits, joint_store
from pytest_ultra.options.settings import Settings
from pytest_ultra.providers.endpoint_lookup import find_redactor
from pytest_ultra.storage.run_directory import RunDirectory
from pytest_ultra.storage.stall_notes import write_stall_note


@dataclass(frozen=True)
class BudgetShare:
    """Decides which episodes start, and wraps the endpoint so that it gets requests only while the budget lasts.

    `reported` counts what agents report beside that.
    """

    admission: Admission = ADMIT_ALL
    limit: Callable[[Endpoint], Endpoint] = lambda endpoint: endpoint
    reported: ReportedBudget | None = None


def open_store(settings: Settings, run: RunDirectory, placement: Placement) -> JointStore | None:
    """Return the Redis that hosts share, None without one; the first process prints what is noted of it."""
    redact, worker = find_redactor(settings), placement.worker

    def note(text: str) -> None:
        name = f"{worker}-redis-{zlib.crc32(text.encode()):08x}"  # one line does not replace another
        write_stall_note(run, name, f"ultra: {worker}: {redact(text)}")

    return joint_store(settings, note, placement.hosts)


def open_budget_share(
    settings: Settings,
    run: RunDirectory,
    estimate: Callable[[Assignment], Estimate],
    store: JointStore | None = None,
) -> BudgetShare:
    """Return this process's share; without a budget it limits nothing. With a `store`, hosts share the budget."""
    limits = budget_limits(settings)
    if not limits.is_limited:
        return BudgetShare()
    budget, prices = open_run_budget(run.budget, limits, store, run.stored_id), known_prices(settings)
    admission = BudgetAdmission(budget, limits, prices, estimate)
    return BudgetShare(
        admission,
        lambda endpoint: BudgetedEndpoint(endpoint, budget, prices, admission.record),
        ReportedBudget(budget, admission.record),
    )


def keep_pairs_whole(
    assignments: Sequence[Assignment],
    settings: Settings,
    others: Iterable[Case],
    has_control: Callable[[Case], bool],
) -> list[Assignment]:
    """Order assignments so that a budget that runs out breaks few pairs of a flawed case and its control.

    Controls that flawed cases of other shards need come first; flawed cases whose control is in another shard come
    last. `others` are the cases of other shards; `has_control` returns whether a case is finished or in this shard.
    """
    if not budget_limits(settings).is_limited:
        return list(assignments)
    needed = {case.control for case in others if case.prompt_type.flaw_kind}
    return [msgspec.structs.replace(each, priority=_priority(each.case, needed, has_control)) for each in assignments]


def _priority(case: Case, needed: Collection[Case], has_control: Callable[[Case], bool]) -> Priority:
    if case in needed:
        return Priority.FIRST
    return Priority.AHEAD if has_control(case.control) else Priority.LAST
