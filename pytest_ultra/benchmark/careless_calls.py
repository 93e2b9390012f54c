"""Calls of another tool that somebody makes in place of a step who did not look at the data or the documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_ultra.core.json_types import Json, Row
from pytest_ultra.core.workflow import Call


def careless_calls(call: Call, rows: Sequence[Row]) -> Iterator[Call]:
    """Yield calls that look as if they did the same; `rows` is the table that the step works on.

    They clean or cut the same field by another tool: rows that are equal in every field in place of rows with the same
    key, empty texts in place of missing values, any number in place of one in another unit, a rule of thumb in place of
    the limit of a policy.
    """
    arguments, data = call.arguments, call.arguments.get("data")
    field = arguments.get("left_field", arguments.get("field"))
    if not isinstance(field, str) or data is None:
        return
    if arguments.get("rule") == "unique":
        yield Call("data_processing_transformer", {"data": data, "operation": "deduplicate"})
        return
    is_number = any(isinstance(row.get(field), int | float) for row in rows)
    for tool, others in (_FOR_NUMBERS if is_number else _FOR_TEXTS).items():
        if tool != call.tool:
            for other in others:
                yield Call(tool, _arguments(tool, data, field, other))


def _arguments(tool: str, data: Json, field: str, others: dict[str, Json]) -> dict[str, Json]:
    """Return the arguments in the order in which plans have them."""
    if tool == "data_processing_transformer":
        return {"data": data, **others, "field": field}
    return {"data": data, "field": field, **others}


_FOR_NUMBERS: dict[str, Sequence[dict[str, Json]]] = {
    "data_processing_validator": ({"rule": "numeric"}, {"rule": "positive"}, {"rule": "required"}),
    "data_processing_filter": ({"operator": "ne", "value": 0},),
}
_FOR_TEXTS: dict[str, Sequence[dict[str, Json]]] = {
    "data_processing_validator": ({"rule": "required"},),
    "data_processing_transformer": ({"operation": "normalize"}, {"operation": "trim"}, {"operation": "lowercase"}),
    "data_processing_filter": ({"operator": "ne", "value": ""},),
}
