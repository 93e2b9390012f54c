"""Queries on the store; every figure is computed from episodes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import func, select

from pytest_ultra.core.episode import Outcome
from pytest_ultra.storage.store.database import Database
from pytest_ultra.storage.store.store_tables import ATTEMPTS, CASES, EPISODES, PROVENANCE, RUNS


class StoredRun(msgspec.Struct, frozen=True):
    """Main figures of a run. `cost` sums the known costs, in US dollars, of the episodes that it has not reused.

    `started_at` and `ended_at` are Unix times. For a run without episodes, `models` are those that the user requested.
    """

    run_id: str
    started_at: float
    ended_at: float | None
    exit_status: int | None
    interruption: str | None = msgspec.field(name="cut_off")
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
        used, requested = (_by_run(connection.execute(query)) for query in (_MODELS, _REQUESTED_MODELS))
        return [
            StoredRun(**run, models=used.get(run["run_id"]) or requested.get(run["run_id"], ()))
            for run in connection.execute(_RUNS).mappings()
        ]


def _by_run(rows: Iterable[Any]) -> dict[str, tuple[str, ...]]:
    models: dict[str, tuple[str, ...]] = {}
    for run_id, model in rows:
        models[run_id] = (*models.get(run_id, ()), model)
    return models


_IS_SCORED = EPISODES.c.outcome.in_([outcome for outcome in Outcome if outcome.is_scored])

_RUNS = (
    select(
        *(RUNS.c[name] for name in ("run_id", "started_at", "ended_at", "exit_status", "planned")),
        RUNS.c.cut_off.label("interruption"),
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

_REQUESTED_MODELS = select(PROVENANCE.c.run_id, PROVENANCE.c.model).order_by(PROVENANCE.c.model)
