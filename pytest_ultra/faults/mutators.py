"""Implicit faults: each mutator makes a result that looks fine and is wrong, from the right one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random

import msgspec

from pytest_ultra.core.json_types import Json, Row
from pytest_ultra.faults.result_text import read_rows


class Mutator(msgspec.Struct, frozen=True):
    """One way in which a result is wrong.

    `gives_away` says by what the wrong result differs from a right one. `change` returns the wrong result, or None if
    the value cannot be wrong in this way; it does not change the value in place.
    """

    name: str
    gives_away: str
    change: Callable[[Json, Random], Json]


def mutate(name: str, value: Json, seed: int) -> Json:
    """Return the value as the named mutator changes it; None if it cannot, or if nothing would differ.

    The same arguments give the same result. Raises KeyError for an unknown name.
    """
    changed = MUTATORS[name].change(value, Random(f"{name}|{seed}"))
    return None if changed == value else changed


def mutator_names(seed: int) -> list[str]:
    """Return the names of all mutators, in an order drawn from the seed."""
    names = list(MUTATORS)
    Random(f"mutators|{seed}").shuffle(names)
    return names


_FEWEST_ROWS = 4
_SHOWN = 3  # rows at the top, which a reader sees first
_FACTOR = 1000
_DAYS_PER_YEAR = re.compile(r"\b(20\d\d)(-\d\d-\d\d)")


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numeric(rows: list[Row]) -> list[str]:
    """Return the columns in which most rows have a number, some of them not 0."""
    numbers = {name: [row.get(name) for row in rows if _is_number(row.get(name))] for name in rows[0]}
    return [name for name, found in numbers.items() if 2 * len(found) > len(rows) and any(found)]


def _change_numbers(row: Row, field: str, change: Callable[[float], float]) -> Row:
    return {**row, field: change(row[field])} if _is_number(row.get(field)) else row


def on_rows(fewest: int, change: Callable[[list[Row], Random], list[Row] | None]) -> Callable[[Json, Random], Json]:
    """Make a change of rows work on tables, on text that holds one, and, if one row is enough, on an object."""

    def change_value(value: Json, chance: Random) -> Json:
        if isinstance(value, dict):
            found = change([value], chance) if value and fewest == 1 else None
            return found[0] if found else None
        table = read_rows(value)
        if table is None or len(table[0]) < fewest:
            return None
        rows, write = table
        changed = change(rows, chance)
        return None if changed is None else write(changed)

    return change_value


def _truncate(value: Json, chance: Random) -> Json:
    """Drop the end of a table, or of text of several lines."""
    table = read_rows(value)
    if table is not None:
        rows, write = table
        return write(rows[: _cut(len(rows), chance)]) if len(rows) >= _FEWEST_ROWS else None
    lines = value.splitlines(keepends=True) if isinstance(value, str) else []
    return "".join(lines[: _cut(len(lines), chance)]) if len(lines) >= _FEWEST_ROWS else None


def _cut(n: int, chance: Random) -> int:
    """Return how many of `n` rows are left: between two fifths and four fifths, at least one and not all."""
    return max(1, min(n - 1, chance.randint(2 * n // 5, 4 * n // 5)))


def _make_stale(rows: list[Row], chance: Random) -> list[Row] | None:
    """Go back to an earlier edition: without the newest rows, with older figures, dated a year earlier."""
    fields = _numeric(rows)
    if not fields:
        return None
    field, kept = chance.choice(fields), rows[: len(rows) - chance.randint(1, max(1, len(rows) // 4))]
    earlier = [_change_numbers(row, field, lambda number: _earlier(number, chance)) for row in kept]
    return [{name: _a_year_before(cell) for name, cell in row.items()} for row in earlier]


def _earlier(number: float, chance: Random) -> float:
    """Return the number, or one that is up to a fifth away from it, with as many decimals."""
    share = chance.choice((0, 0, 5, 8, 12, 20)) / 100
    change = abs(number) * share * chance.choice((-1, 1))
    return round(number + change) if isinstance(number, int) else round(number + change, 2)


def _a_year_before(cell: Json) -> Json:
    return _DAYS_PER_YEAR.sub(lambda date: f"{int(date[1]) - 1}{date[2]}", cell) if isinstance(cell, str) else cell


def _change_unit(rows: list[Row], chance: Random) -> list[Row] | None:
    """Give a column in a unit a thousand times smaller or larger."""
    fields = _numeric(rows)
    if not fields:
        return None
    field, change = chance.choice(fields), chance.choice((_in_smaller_unit, _in_larger_unit))
    return [_change_numbers(row, field, change) for row in rows]


def _in_smaller_unit(number: float) -> float:
    return round(number * _FACTOR, 6)


def _in_larger_unit(number: float) -> float:
    return round(number / _FACTOR, 6)


def _shift_columns(rows: list[Row], chance: Random) -> list[Row] | None:
    """Move the cells of some columns one column on, those of the last to the first of them."""
    names = list(rows[0])
    if len(names) < 2 or any(list(row) != names for row in rows):  # noqa: PLR2004 - one column has no other
        return None
    first = chance.randint(0, len(names) - 2)
    moved = names[first:]
    sources = dict(zip(moved, moved[-1:] + moved[:-1], strict=True))
    return [{name: row[sources.get(name, name)] for name in names} for row in rows]


def _make_impossible(rows: list[Row], chance: Random) -> list[Row] | None:
    """Put a negative figure near the top of a column that has none."""
    fields = [name for name in _numeric(rows) if not any(_is_number(row.get(name)) and row[name] < 0 for row in rows)]
    if not fields:
        return None
    field, place = chance.choice(fields), chance.randint(0, min(len(rows), _SHOWN) - 1)
    figure = rows[place].get(field)
    wrong = -figure if _is_number(figure) and figure else -chance.randint(1, 99)
    return [{**row, field: wrong} if number == place else row for number, row in enumerate(rows)]


MUTATORS: Mapping[str, Mutator] = {
    mutator.name: mutator
    for mutator in (
        Mutator("truncated", "fewer rows than the source holds, and than the same call brings again", _truncate),
        Mutator(
            "stale",
            "rows and figures of an earlier edition, which the same call does not bring again",
            on_rows(_FEWEST_ROWS, _make_stale),
        ),
        Mutator(
            "wrong_unit",
            "figures of another order of magnitude than the field has, and than the same call brings again",
            on_rows(1, _change_unit),
        ),
        Mutator("shifted_column", "cells that do not fit the names of their columns", on_rows(2, _shift_columns)),
        Mutator("impossible_value", "a negative figure in a field that has none", on_rows(1, _make_impossible)),
    )
}
"""All mutators by name. Stored transcripts name them, so a name keeps its meaning."""
