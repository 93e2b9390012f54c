"""The table of models: one row for each model of a run, over all its cases."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ultra.core.figures import ModelFigures
from pytest_ultra.reporting.figure_format import (
    NOTHING,
    amount,
    coarse_percent,
    difference_interval,
    interval,
    percent,
    points,
)
from pytest_ultra.reporting.outcome_table import OF_POINTS, count_scored, mean_cost, seconds
from pytest_ultra.reporting.table_columns import Column, FittedTable, Layout, fit_table
from pytest_ultra.reporting.text import neutralise


def draw_models(models: Sequence[ModelFigures], width: int) -> FittedTable:
    return fit_table(models, _LAYOUTS, width)


def _name(found: ModelFigures) -> str:
    versions = "" if found.versions is None else f" ({found.versions})"
    return f"{neutralise(found.model)}{versions}"


def _false_success(found: ModelFigures) -> str:
    return NOTHING if found.false_success is None else coarse_percent(found.false_success.value)


def _recovery(found: ModelFigures) -> str:
    return NOTHING if found.recovery is None else coarse_percent(found.recovery.value)


_NAME: Column[ModelFigures] = Column("model", _name)
_SUCCESS: Column[ModelFigures] = Column(
    "success", lambda found: percent(None if found.success is None else found.success.value)
)
_INTERVAL: Column[ModelFigures] = Column("95%", lambda found: interval(found.success, 0))
_N: Column[ModelFigures] = Column("n", lambda found: count_scored(found.counts))
_FLAWED: Column[ModelFigures] = Column("flawed", lambda found: points(found.flawed), OF_POINTS, hide_if_empty=True)
_FLAWED_INTERVAL: Column[ModelFigures] = Column(
    "95%", lambda found: difference_interval(found.flawed, 0), hide_if_empty=True
)
_RECOVERY: Column[ModelFigures] = Column("recovery", _recovery, "recovery: tool faults dealt with", hide_if_empty=True)
_FALSE_SUCCESS: Column[ModelFigures] = Column(
    "false success", _false_success, "false success: not done, yet claimed", hide_if_empty=True
)
_CALLS: Column[ModelFigures] = Column("calls", lambda found: amount(found.mean_calls, ".1f"))
_COST: Column[ModelFigures] = Column(
    "cost", lambda found: mean_cost(found.mean_cost, found.estimated_requests), hide_if_empty=True
)
_TIME: Column[ModelFigures] = Column("time", lambda found: seconds(found.mean_duration_s))

_CONDUCT = (_RECOVERY, _FALSE_SUCCESS)
_LAYOUTS: tuple[Layout[ModelFigures], ...] = (
    Layout((_NAME,), (_SUCCESS, _INTERVAL, _N, _FLAWED, _FLAWED_INTERVAL, *_CONDUCT, _CALLS, _COST, _TIME), 2),
    Layout((_NAME,), (_SUCCESS, _N, _FLAWED, *_CONDUCT, _CALLS, _COST, _TIME), 2),
    Layout((_NAME,), (_SUCCESS, _N, _FLAWED, *_CONDUCT, _CALLS, _COST, _TIME), 1),
    Layout((_NAME,), (_SUCCESS, _N, _FLAWED, *_CONDUCT, _COST, _TIME), 1),
    Layout((_NAME,), (_SUCCESS, _N, _FLAWED, *_CONDUCT, _COST), 1),
    Layout((_NAME,), (_SUCCESS, _N, _FLAWED, _RECOVERY, _COST), 1),
    Layout((_NAME,), (_SUCCESS, _N, _FLAWED, _COST), 1),
    Layout((_NAME,), (_SUCCESS, _N, _FLAWED), 1),
)
