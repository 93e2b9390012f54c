"""Calls that change nothing of the rows they are given but their order: what a plan can do without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_ultra.core.json_types import Row
from pytest_ultra.core.workflow import Call

MOST_KINDS = 3
"""Values of a field that a plan lists."""
MOST_CATEGORIES = 12
"""Distinct values of a field that plans filter by."""
_NEAREST = 2


def idle_calls(rows: Sequence[Row], before: Sequence[Row], data: str) -> Iterator[Call]:
    """Yield calls that keep every row as it is, or change nothing but the order of the rows.

    `before` are the rows as they came from their source: what is no longer among `rows` can be left out once more.
    """
    for field in rows[0] if rows else ():
        cells = [row.get(field) for row in rows]
        if any(cell in (None, "") for cell in cells):
            continue
        yield Call("data_processing_validator", {"data": data, "field": field, "rule": "required"})
        earlier = [cell for row in before if (cell := row.get(field)) not in (None, "")]
        if all(isinstance(cell, str) for cell in cells):
            texts = [cell for cell in earlier if isinstance(cell, str)]
            yield from _for_texts([str(cell) for cell in cells], texts, data, field)
        numbers = [cell for cell in cells if isinstance(cell, int | float)]
        if len(numbers) == len(cells):
            yield from _for_numbers(numbers, [cell for cell in earlier if isinstance(cell, int | float)], data, field)


def _for_texts(cells: Sequence[str], before: Sequence[str], data: str, field: str) -> Iterator[Call]:
    kinds = sorted(set(cells))
    if len(kinds) == len(cells):
        yield Call("data_processing_validator", {"data": data, "field": field, "rule": "unique"})
        return
    if all(kind == kind.strip().lower() for kind in kinds):
        yield Call("data_processing_transformer", {"data": data, "operation": "normalize", "field": field})
    if 1 < len(kinds) <= MOST_KINDS:
        yield _filter(data, field, "in", [*kinds])
    known = {kind.strip().lower() for kind in kinds}
    gone = sorted({cell for cell in before if cell == cell.strip().lower() and cell not in known})
    if len(kinds) + len(gone) <= MOST_CATEGORIES:
        yield from (_filter(data, field, "ne", kind) for kind in gone)
        if len(gone) > 1:
            yield _filter(data, field, "not_in", gone[:_NEAREST])


def _for_numbers(cells: Sequence[float], before: Sequence[float], data: str, field: str) -> Iterator[Call]:
    for order in ("ascending", "descending"):
        yield Call("data_processing_transformer", {"data": data, "operation": "sort", "field": field, "order": order})
    lowest, highest = min(cells), max(cells)
    below = sorted({cell for cell in before if cell < lowest}, reverse=True)[:_NEAREST]
    above = sorted({cell for cell in before if cell > highest})[:_NEAREST]
    yield from (_filter(data, field, "gte", limit) for limit in (lowest, *below))
    yield from (_filter(data, field, "gt", limit) for limit in below)
    yield from (_filter(data, field, "lte", limit) for limit in (highest, *above))
    yield from (_filter(data, field, "lt", limit) for limit in above)
    yield _filter(data, field, "between", [(below or [lowest])[-1], (above or [highest])[-1]])


def _filter(data: str, field: str, operator: str, value: str | float | list[str] | list[float]) -> Call:
    return Call("data_processing_filter", {"data": data, "field": field, "operator": operator, "value": value})
