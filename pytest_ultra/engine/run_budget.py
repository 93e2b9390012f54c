"""The budget of a run: in a mapped file that the processes of one host share, or in Redis, which hosts share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ultra.engine.budget import BudgetLimits
from pytest_ultra.engine.redis_connection import JointStore

if TYPE_CHECKING:
    from pytest_ultra.engine.redis_budget import RedisBudget
    from pytest_ultra.engine.shared_budget import SharedBudget


def open_run_budget(
    path: Path, limits: BudgetLimits, store: JointStore | None, run_id: str
) -> SharedBudget | RedisBudget:
    """Open the budget: the file at `path`, or with a `store` the budget that its URL names, else that of the run."""
    if store is not None:
        from pytest_ultra.engine.redis_budget import RedisBudget  # noqa: PLC0415 - an extra

        return RedisBudget(store, limits, run_id)
    from pytest_ultra.engine.shared_budget import SharedBudget  # noqa: PLC0415 - POSIX only

    return SharedBudget(path, limits)
