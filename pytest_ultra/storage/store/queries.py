"""What is asked of the store; every figure is computed from episodes."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, select

from pytest_ultra.benchmark.episode import Outcome
from pytest_ultra.storage.store.database import Database
from pytest_ultra.storage.store.tables import ATTEMPTS, CASES, EPISODES, RUNS


class StoredRun(msgspec.Struct, frozen=True):
    """A run at a glance. `cost` is of the episodes that it has lived itself, as far as their prices are known.

    `started_at` and `ended_at` are Unix times.
    """

    run_id: str
    started_at: float
    ended_at: float | None
    exit_status: int | None
    cut_off: str | None
    planned: int
    scored: int
    full: int
    error: int
    reused: int
    cost: float | None
    models: tuple[str, ...]


def count_stored(database: Database) -> dict[str, int]:
    """Return how many runs, cases, episodes and attempts there are."""
    with database.reading() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (RUNS, CASES, EPISODES, ATTEMPTS)
        }


def list_stored_runs(database: Database) -> list[StoredRun]:
    """Return all runs, newest first."""
    with database.reading() as connection:
        models: dict[str, list[str]] = {}
        for run_id, model in connection.execute(_MODELS):
            models.setdefault(run_id, []).append(model)
        return [
            StoredRun(**run, models=tuple(models.get(run["run_id"], ())))
            for run in connection.execute(_RUNS).mappings()
        ]


_IS_SCORED = EPISODES.c.outcome.in_([outcome for outcome in Outcome if outcome.is_scored])

_RUNS = (
    select(
        *(RUNS.c[name] for name in ("run_id", "started_at", "ended_at", "exit_status", "cut_off", "planned")),
        func.count().filter(_IS_SCORED).label("scored"),
        func.count().filter(EPISODES.c.outcome == Outcome.FULL).label("full"),
        func.count().filter(EPISODES.c.outcome == Outcome.ERROR).label("error"),
        func.count().filter(EPISODES.c.reused).label("reused"),
        func.sum(EPISODES.c.cost).filter(~EPISODES.c.reused).label("cost"),
    )
    .join_from(RUNS, EPISODES, RUNS.c.run_id == EPISODES.c.run_id, isouter=True)
    .group_by(RUNS.c.run_id)
    .order_by(RUNS.c.run_id.desc())
)

_MODELS = (
    select(EPISODES.c.run_id, CASES.c.model)
    .join_from(EPISODES, CASES, EPISODES.c.case_id == CASES.c.case_id)
    .distinct()
    .order_by(CASES.c.model)
)
