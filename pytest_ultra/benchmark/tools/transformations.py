"""The operations of the transformer, and the arguments that each of them takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_ultra.benchmark.tables import write_json
from pytest_ultra.benchmark.tools.base import Effect
from pytest_ultra.benchmark.tools.inputs import (
    format_value,
    get_rows,
    identity,
    invalid_arguments,
    is_number,
    quote,
    require_fields,
    wrong_data,
)
from pytest_ultra.benchmark.tools.parameters import MOST_ITEMS, choice, handle, integer, parameters, string_list, text
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json, Row


def transform(world: World, arguments: dict[str, Any]) -> Effect:
    name = arguments["operation"]
    operation, needed, possible = OPERATIONS[name]
    given = arguments.keys() - {"data", "operation"}
    for argument in sorted(given | needed):
        if argument not in given:
            raise invalid_arguments(f"{argument}: the operation {name!r} needs this argument.")
        if argument not in needed | possible:
            raise invalid_arguments(f"{argument}: the operation {name!r} takes no such argument.")
    others = get_rows(world, arguments, "other") if "other" in arguments else []
    return Effect(world, operation(get_rows(world, arguments), {**arguments, "other": others}))


def _sort(rows: list[Row], arguments: dict[str, Any]) -> list[Row]:
    field = arguments["field"]
    require_fields(rows, field)
    kinds = {_sort_kind(row.get(field), field) for row in rows}
    if len(kinds) > 1:
        raise wrong_data(f"The field {quote(field)} mixes numbers and text, which have no common order.")
    return sorted(rows, key=lambda row: row[field], reverse=arguments.get("order") == "descending")


def _sort_kind(cell: Json, field: str) -> str:
    if is_number(cell) or isinstance(cell, str):
        return "text" if isinstance(cell, str) else "number"
    raise wrong_data(f"The field {quote(field)} has {format_value(cell)}, which has no place in an order.")


def _select(rows: list[Row], arguments: dict[str, Any]) -> list[Row]:
    fields = arguments["fields"]
    require_fields(rows, *fields)
    return [{field: row.get(field) for field in fields} for row in rows]


def _limit(rows: list[Row], arguments: dict[str, Any]) -> list[Row]:
    offset = int(arguments.get("offset", 0))
    return rows[offset : offset + int(arguments["count"])]


def _join(rows: list[Row], arguments: dict[str, Any]) -> list[Row]:
    """Add to each row the fields of its partner, the first row of the other table with the same value.

    A field that both have keeps the row's own value. Rows without a partner are left out.
    """
    field, others = arguments["field"], arguments["other"]
    other_field = arguments.get("other_field", field)
    require_fields(rows, field)
    require_fields(others, other_field)
    partners: dict[object, Row] = {}
    for other in others:
        partners.setdefault(identity(other.get(other_field)), other)
    pairs = ((row, partners.get(identity(row.get(field)))) for row in rows)
    return [
        row | {name: cell for name, cell in partner.items() if name not in row} for row, partner in pairs if partner
    ]


def _deduplicate(rows: list[Row], _: dict[str, Any]) -> list[Row]:
    firsts: dict[str, Row] = {}
    for row in rows:
        firsts.setdefault(write_json(sorted(row.items())), row)
    return list(firsts.values())


def _on_text(change: Callable[[str], str]) -> Callable[[list[Row], dict[str, Any]], list[Row]]:
    def operation(rows: list[Row], arguments: dict[str, Any]) -> list[Row]:
        field = arguments["field"]
        require_fields(rows, field)
        return [{**row, field: change(row[field])} if isinstance(row.get(field), str) else row for row in rows]

    return operation


Operation = Callable[[list[Row], dict[str, Any]], list[Row]]
OPERATIONS: dict[str, tuple[Operation, set[str], set[str]]] = {  # function, required arguments, optional arguments
    "sort": (_sort, {"field"}, {"order"}),
    "select": (_select, {"fields"}, set()),
    "limit": (_limit, {"count"}, {"offset"}),
    "deduplicate": (_deduplicate, set(), set()),
    "uppercase": (_on_text(str.upper), {"field"}, set()),
    "lowercase": (_on_text(str.lower), {"field"}, set()),
    "trim": (_on_text(str.strip), {"field"}, set()),
    "normalize": (_on_text(lambda text: text.strip().lower()), {"field"}, set()),
    "join": (_join, {"other", "field"}, {"other_field"}),
}

PARAMETERS = parameters(
    {
        "data": handle("the table to change"),
        "operation": choice(
            "What to do: sort by a field, select fields, limit to some rows in a row, deduplicate rows that are equal "
            "in every field, change the text of a field (normalize is trim and lowercase), or join another table.",
            *OPERATIONS,
        ),
        "field": text("For sort, join and changes of text: the field."),
        "order": choice("For sort: ascending if left out.", "ascending", "descending"),
        "fields": string_list("For select: the fields to keep, in this order."),
        "count": integer("For limit: how many rows to keep from the top.", 1, 1000),
        "offset": integer("For limit: how many rows at the top to pass over; 0 if left out.", 0, MOST_ITEMS),
        "other": handle("the table to join: each row gets the fields of its partner there, or is left out without one"),
        "other_field": text(
            "For join: the field of the other table that must be equal; if left out, it has the same name."
        ),
    },
    optional=("field", "order", "fields", "count", "offset", "other", "other_field"),
)
