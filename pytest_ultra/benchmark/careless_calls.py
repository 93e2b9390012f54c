"""Calls of another tool that somebody makes in place of a step who did not look at the data or the documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_ultra.core.json_types import Json, Row
from pytest_ultra.core.workflow import Call

MOST_CATEGORIES = 12
"""Distinct values of a field that plans filter by."""


def careless_calls(call: Call, rows: Sequence[Row]) -> Iterator[Call]:
    """Yield calls that look as if they did the same; `rows` is the table that the step works on.

    They clean or cut the same field by another tool, in a way that sound plans have: rows with any value in place of
    those in order, a rule of thumb in place of the limit of a policy, another kind in place of the excluded one.
    """
    arguments, data = call.arguments, call.arguments.get("data")
    field = arguments.get("left_field", arguments.get("field"))
    if not isinstance(field, str) or data is None:
        return
    cells = [cell for row in rows if (cell := row.get(field)) not in (None, "")]
    others = [*_validations(data, field), *_filters(data, field, cells), *_changes(data, field, cells)]
    yield from (other for other in others if other.tool != call.tool)


def _validations(data: Json, field: str) -> Iterator[Call]:
    yield Call("data_processing_validator", {"data": data, "field": field, "rule": "required"})


def _filters(data: Json, field: str, cells: Sequence[Json]) -> Iterator[Call]:
    numbers = sorted({cell for cell in cells if isinstance(cell, int | float)})
    if numbers:
        choices: list[tuple[str, Json]] = [
            ("gte", numbers[len(numbers) // 4]),
            ("between", [numbers[len(numbers) // 5], numbers[-1 - len(numbers) // 5]]),
            ("ne", numbers[0]),
        ]
    else:
        kinds = sorted({cell for cell in cells if isinstance(cell, str) and cell == cell.strip().lower()})
        choices = [("ne", kind) for kind in kinds] if len(kinds) <= MOST_CATEGORIES else []
    for operator, value in choices:
        yield Call("data_processing_filter", {"data": data, "field": field, "operator": operator, "value": value})


def _changes(data: Json, field: str, cells: Sequence[Json]) -> Iterator[Call]:
    if any(isinstance(cell, str) for cell in cells):
        yield Call("data_processing_transformer", {"data": data, "operation": "normalize", "field": field})
    else:
        for order in ("ascending", "descending"):
            call = {"data": data, "operation": "sort", "field": field, "order": order}
            yield Call("data_processing_transformer", {**call})
