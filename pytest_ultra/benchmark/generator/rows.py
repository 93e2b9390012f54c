"""The rows of tables: drawn clean, and made dirty."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
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
    return round(stored, 8) if measure.is_larger else round(stored)


def category_of(table: Table, name: str) -> Category | None:
    return next((category for category in table.categories if category.name == name), None)


def mark_missing(rows: list[Row], field: str, mark: Json, rng: Random, share: float) -> list[Row]:
    """Write a mark that stands for a missing value into some cells beyond the preview."""
    chosen = _choose(rows, rng, share, is_in_preview=False)
    return [
        {**row, field: mark} if place in chosen and row[field] is not None else row for place, row in enumerate(rows)
    ]


def pad(rows: list[Row], field: str, rng: Random, share: float) -> list[Row]:
    """Put spaces around some cells beyond the preview."""
    chosen = _choose(rows, rng, share, is_in_preview=False)
    return [
        {**row, field: rng.choice((f" {row[field]}", f"{row[field]} ", f" {row[field]} "))} if place in chosen else row
        for place, row in enumerate(rows)
    ]


def add_states(rows: list[Row], field: str, states: Sequence[str], rng: Random, share: float) -> list[Row]:
    """Add a field with each entry's state: the first one, but one of the others in some rows beyond the preview."""
    usual, *others = states
    chosen = _choose(rows, rng, share, is_in_preview=False)
    return [{**row, field: rng.choice(others) if place in chosen else usual} for place, row in enumerate(rows)]


def add_strays(rows: list[Row], date: str, period: Period, rng: Random, share: float) -> list[Row]:
    """Date some rows beyond the preview to the last days before the period."""
    chosen = _choose(rows, rng, share, is_in_preview=False)
    return [
        {**row, date: (period.first - dt.timedelta(days=rng.randint(1, 4))).isoformat()} if place in chosen else row
        for place, row in enumerate(rows)
    ]


def add_revisions(
    rows: list[Row], table: Table, field: str, rng: Random, share: float, *, fixed: Sequence[str]
) -> list[Row]:
    """Add a field with the number of the revision, and later revisions of some rows, anywhere beyond the preview.

    A later revision differs in its measures and in some categories, but for those in `fixed`.
    """
    changed = [{**row, field: 1} for row in rows]
    measures = [measure for measure in table.measures if measure.name not in fixed]
    categories = [category for category in table.categories if category.name not in fixed]
    for row in rng.sample(changed[1:], max(2, int(len(rows) * share))):
        for number in range(2, 2 + rng.choice((1, 1, 2))):
            cells: Row = {measure.name: draw_number(measure, rng) for measure in measures}
            cells |= {category.name: rng.choice(category.values) for category in categories if rng.random() < 0.5}
            changed.insert(rng.randint(PREVIEWED, len(changed)), {**row, **cells, field: number})
    return changed


def add_total(rows: list[Row], table: Table, name: str, mark: Json = None) -> list[Row]:
    """Add a last row with the sums of all others, which has no other fields but the key and the date.

    `mark` stands for a missing value.
    """
    columns = {measure.name: [row[measure.name] for row in rows] for measure in table.measures}
    sums = {field: _add(cell for cell in cells if cell != mark) for field, cells in columns.items()}
    dates = {table.date: max(row[table.date] for row in rows)}
    return [*rows, {field: ({table.key: name} | dates | sums).get(field) for field in rows[0]}]


def _add(cells: Iterable[Json]) -> int | float:
    total = round(math.fsum(cell for cell in cells if isinstance(cell, int | float)), 2)
    return int(total) if total == int(total) else total
