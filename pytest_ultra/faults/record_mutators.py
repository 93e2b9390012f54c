"""More ways in which the results of real tools are wrong: records with swapped or missing fields, rows that come twice.

The built-in benchmark draws from `MUTATORS` alone, so that its tasks stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from pytest_ultra.core.json_types import Json, Row
from pytest_ultra.faults.mutators import Mutator, on_rows
from pytest_ultra.faults.result_text import read_rows


def _swap_fields(rows: list[Row], chance: Random) -> list[Row] | None:
    """Exchange two fields of the same type, such as two dates, in all rows."""
    names = list(rows[0])
    if any(list(row) != names for row in rows):
        return None
    pairs = [
        (first, second)
        for number, first in enumerate(names)
        for second in names[number + 1 :]
        if _have_one_type(rows, first, second) and any(row[first] != row[second] for row in rows)
    ]
    if not pairs:
        return None
    first, second = chance.choice(pairs)
    return [{**row, first: row[second], second: row[first]} for row in rows]


def _have_one_type(rows: list[Row], first: str, second: str) -> bool:
    return len({type(row[name]) for row in rows for name in (first, second)}) == 1


def _drop_values(rows: list[Row], chance: Random) -> list[Row] | None:
    """Set a field to null, in about half of the rows."""
    fields = [name for name in rows[0] if any(row.get(name) is not None for row in rows)]
    if not fields:
        return None
    field = chance.choice(fields)
    filled = [number for number, row in enumerate(rows) if row.get(field) is not None]
    emptied = chance.sample(filled, max(1, len(filled) // 2))
    return [{**row, field: None} if number in emptied else row for number, row in enumerate(rows)]


def _repeat_rows(value: Json, chance: Random) -> Json:
    """Give some rows of a table, or members of a list, twice in a row."""
    table = read_rows(value)
    if table is not None:
        rows, write = table
        return write(_repeat(rows, chance))
    return _repeat(value, chance) if isinstance(value, list) and value else None


def _repeat(members: list[Json], chance: Random) -> list[Json]:
    again = chance.sample(range(len(members)), max(1, len(members) // 3))
    return [member for number, member in enumerate(members) for _ in range(2 if number in again else 1)]


RECORD_MUTATORS: Mapping[str, Mutator] = {
    mutator.name: mutator
    for mutator in (
        Mutator("swapped_fields", "two fields with each other's values", on_rows(1, _swap_fields)),
        Mutator("missing_values", "a field that is empty where the same call brings a value", on_rows(1, _drop_values)),
        Mutator("repeated_rows", "rows that come twice, and once if the call is made again", _repeat_rows),
    )
}
"""By name. Stored records name them, so a name keeps its meaning."""
