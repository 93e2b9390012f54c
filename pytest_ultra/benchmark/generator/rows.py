"""The rows of tables: drawn clean, and made dirty."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from random import Random

from pytest_ultra.benchmark.generator.business.records import Category, Measure, Table
from pytest_ultra.benchmark.generator.periods import Period
from pytest_ultra.core.json_types import Json, Row

PREVIEWED = 5
"""A preview of a long table shows this many rows."""


def draw_rows(table: Table, rng: Random, size: int, period: Period, parents: Sequence[Json] = ()) -> list[Row]:
    """Draw rows with unique keys. `parents` are the keys that the parent field can have."""
    first = rng.randint(1000, 7000)
    days = [(period.first + dt.timedelta(days=number)).isoformat() for number in range(period.days)]
    return [_draw_row(table, rng, f"{table.prefix}-{first + number}", days, parents) for number in range(size)]


def _draw_row(table: Table, rng: Random, key: str, days: list[str], parents: Sequence[Json]) -> Row:
    row: Row = {table.key: key}
    if table.parent and parents:
        row[table.parent] = rng.choice(parents)
    for category in table.categories:
        row[category.name] = rng.choice(category.values)
    for measure in table.measures:
        row[measure.name] = draw_number(measure, rng)
    row[table.date] = rng.choice(days)
    return row


def draw_number(measure: Measure, rng: Random) -> int | float:
    scale = 10**measure.decimals
    drawn = rng.randint(measure.low * scale, measure.high * scale)
    return drawn / scale if measure.decimals else drawn


def revise(rows: list[Row], table: Table, rng: Random, change: float) -> list[Row]:
    """Return another version of the same data: some rows are not there, a share of the rows differs."""
    kept = [dict(row) for row in rows if rng.random() > 0.1]
    for row in kept:
        if rng.random() < change:
            measure = rng.choice(table.measures)
            row[measure.name] = draw_number(measure, rng)
        if rng.random() < change:
            category = rng.choice(table.categories)
            row[category.name] = rng.choice(category.values)
    return kept or [dict(row) for row in rows]


def duplicate(rows: list[Row], rng: Random, share: float, *, is_in_preview: bool) -> list[Row]:
    """Repeat some rows later on, one of them within the preview if wanted."""
    count = max(2, int(len(rows) * share))
    changed = list(rows)
    if is_in_preview:
        changed.insert(rng.randint(1, PREVIEWED - 1), dict(rows[0]))
    for row in rng.sample(rows[1:], count - is_in_preview):
        place = rng.randint(PREVIEWED + 1, len(changed))
        changed.insert(max(place, changed.index(row) + 1), dict(row))
    return changed


def misspell(rows: list[Row], field: str, rng: Random, share: float, *, is_in_preview: bool) -> list[Row]:
    """Change the case of some cells, or put spaces around them."""
    chosen = _choose(rows, rng, share, is_in_preview=is_in_preview)
    return [
        {**row, field: rng.choice(_SPELLINGS)(row[field])} if place in chosen and row[field] else row
        for place, row in enumerate(rows)
    ]


_SPELLINGS = (str.upper, str.capitalize, lambda text: f"{text} ", lambda text: f" {text.capitalize()}")


def blank(rows: list[Row], field: str, rng: Random, share: float, *, is_in_preview: bool) -> list[Row]:
    """Empty some cells."""
    chosen = _choose(rows, rng, share, is_in_preview=is_in_preview)
    return [{**row, field: None} if place in chosen else row for place, row in enumerate(rows)]


def _choose(rows: list[Row], rng: Random, share: float, *, is_in_preview: bool) -> frozenset[int]:
    """Choose places of rows: one of the previewed ones and some others, or only others."""
    others = range(PREVIEWED, len(rows)) if len(rows) > PREVIEWED + 3 else range(len(rows))
    chosen = rng.sample(others, max(2, int(len(others) * share)))
    return frozenset([*chosen, rng.randint(0, PREVIEWED - 2)] if is_in_preview else chosen)


def store_in_other_unit(rows: list[Row], measure: Measure) -> list[Row]:
    """Return the rows as a system stores them that uses the measure's other unit."""
    return [{**row, measure.name: _in_other_unit(row[measure.name], measure)} for row in rows]


def _in_other_unit(value: Json, measure: Measure) -> Json:
    if value is None:
        return None
    stored = value / measure.factor if measure.is_larger else value * measure.factor
    return round(stored, 2) if measure.is_larger else round(stored)


def category_of(table: Table, name: str) -> Category | None:
    return next((category for category in table.categories if category.name == name), None)
