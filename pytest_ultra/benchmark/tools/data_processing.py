"""The data processing tools, which turn text into rows, and rows into other rows."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from pytest_ultra.benchmark.tables import READERS, UnreadableTextError, write_cell
from pytest_ultra.benchmark.tools.base import Effect, Tool
from pytest_ultra.benchmark.tools.inputs import (
    Number,
    add,
    format_value,
    get_numbers,
    get_rows,
    get_text,
    identity,
    invalid_arguments,
    is_equal,
    is_number,
    number_in,
    require_fields,
    round_number,
    wrong_data,
)
from pytest_ultra.benchmark.tools.parameters import choice, handle, parameters, scalar_or_list, text
from pytest_ultra.benchmark.tools.row_rules import RULES
from pytest_ultra.benchmark.tools.transformations import PARAMETERS, transform
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json, Row


def parse(world: World, arguments: dict[str, Any]) -> Effect:
    content, format_ = get_text(world, arguments), arguments["format"]
    try:
        return Effect(world, READERS[format_](content))
    except UnreadableTextError as error:
        raise wrong_data(f"The text cannot be read as {format_}: {error}.") from None


def validate(world: World, arguments: dict[str, Any]) -> Effect:
    rows, field = get_rows(world, arguments), arguments["field"]
    require_fields(rows, field)
    return Effect(world, RULES[arguments["rule"]](rows, field))


def filter_rows(world: World, arguments: dict[str, Any]) -> Effect:
    rows, field, value = get_rows(world, arguments), arguments["field"], arguments["value"]
    require_fields(rows, field)
    if isinstance(value, list) and arguments["operator"] not in ("in", "not_in", "between"):
        raise invalid_arguments(f"value: the operator {arguments['operator']!r} takes no list.")
    test = _TESTS[arguments["operator"]]
    return Effect(world, [row for row in rows if test(row.get(field), value)])


def _contains(cell: Json, value: Json) -> bool:
    return write_cell(value) in write_cell(cell)


def _ordering(compare: Callable[[Any, Any], bool]) -> Callable[[Json, Json], bool]:
    """Return a test that compares numbers as numbers and text as text; a mix of both is an earned error."""

    def test(cell: Json, value: Json) -> bool:
        number = number_in(value)
        if is_number(cell) and number is not None:
            return compare(cell, number)
        if isinstance(cell, str) and isinstance(value, str):
            return compare(cell, value)
        raise wrong_data(f"{format_value(cell)} cannot be compared with {format_value(value)}.")

    return test


def _is_among(cell: Json, values: Json) -> bool:
    return any(is_equal(cell, value) for value in _as_list("in", values))


def _is_between(cell: Json, limits: Json) -> bool:
    """Both limits count as between."""
    bounds = _as_list("between", limits)
    if len(bounds) != len(("low", "high")):
        raise invalid_arguments("value: the operator 'between' needs a list of two values, the lower one first.")
    return _ordering(operator.ge)(cell, bounds[0]) and _ordering(operator.le)(cell, bounds[1])


def _as_list(name: str, value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise invalid_arguments(f"value: the operator {name!r} needs a list of values.")
    return value


_TESTS: dict[str, Callable[[Json, Json], bool]] = {
    "eq": is_equal,
    "ne": lambda cell, value: not is_equal(cell, value),
    "gt": _ordering(operator.gt),
    "gte": _ordering(operator.ge),
    "lt": _ordering(operator.lt),
    "lte": _ordering(operator.le),
    "in": _is_among,
    "not_in": lambda cell, values: not _is_among(cell, values),
    "between": _is_between,
    "contains": _contains,
}


def aggregate(world: World, arguments: dict[str, Any]) -> Effect:
    rows, group_by = get_rows(world, arguments), arguments.get("group_by")
    if group_by is None:
        return Effect(world, [_summarize(rows, arguments)])
    require_fields(rows, group_by)
    groups: dict[object, list[Row]] = {}
    for row in rows:
        groups.setdefault(identity(row.get(group_by)), []).append(row)
    return Effect(world, [{group_by: part[0].get(group_by)} | _summarize(part, arguments) for part in groups.values()])


def _summarize(rows: list[Row], arguments: dict[str, Any]) -> Row:
    function, field = arguments["function"], arguments["field"]
    if function == "count":
        require_fields(rows, field)
        return {f"count_{field}": sum(row.get(field) is not None for row in rows)}
    numbers = get_numbers(rows, field)
    if not numbers:
        raise wrong_data(f"There are no rows, so there is no {function}.")
    return {f"{function}_{field}": round_number(_FUNCTIONS[function](numbers))}


_FUNCTIONS: dict[str, Callable[[list[Number]], Number]] = {
    "sum": add,
    "mean": lambda numbers: add(numbers) / len(numbers),
    "min": min,
    "max": max,
}

TOOLS = (
    Tool(
        "data_processing_parser",
        "Read text of a known format into rows. Produces a table in which numbers are numbers.",
        parameters(
            {
                "data": handle("the text to read"),
                "format": choice(
                    "Format of the text; key_value has 'key: value' lines, an empty line ends a row.", *READERS
                ),
            }
        ),
        ("PARSER_BUSY", "TIMEOUT", "TEMPORARILY_UNAVAILABLE"),
        parse,
    ),
    Tool(
        "data_processing_transformer",
        "Sort, cut, join or tidy up the rows of a table by one operation. Produces the changed table.",
        PARAMETERS,
        ("WORKER_BUSY", "TRY_AGAIN_LATER"),
        transform,
    ),
    Tool(
        "data_processing_validator",
        "Check one field of every row against a rule of quality. Produces a table of the rows that pass.",
        parameters(
            {
                "data": handle("the table to check"),
                "field": text("Field to check."),
                "rule": choice("Rule to check by; unique keeps the first row of each value.", *RULES),
            }
        ),
        ("RULE_ENGINE_RESTARTING", "TIMEOUT"),
        validate,
        weight=1.5,
    ),
    Tool(
        "data_processing_filter",
        "Keep the rows of a table whose field compares with a given value as asked. Produces a table of those rows.",
        parameters(
            {
                "data": handle("the table to filter"),
                "field": text("Field to compare."),
                "operator": choice("How the field must compare with the value.", *_TESTS),
                "value": scalar_or_list(
                    "Value to compare with; text compares case-sensitively. For in and not_in: a list of values. "
                    "For between: a list of the lowest and the highest value, which count too."
                ),
            }
        ),
        ("WORKER_BUSY", "TIMEOUT"),
        filter_rows,
    ),
    Tool(
        "data_processing_aggregator",
        "Compute one figure over all rows of a table, or one for each group. Produces a table with the figure as "
        "<function>_<field>: one row, or a row for each group.",
        parameters(
            {
                "data": handle("the table to aggregate"),
                "function": choice(
                    "Figure to compute; count counts the rows in which the field has a value.", "count", *_FUNCTIONS
                ),
                "field": text("Field to compute it over."),
                "group_by": text("Field whose equal values make a group; left out, all rows are one group."),
            },
            optional=("group_by",),
        ),
        ("WORKER_BUSY", "TRY_AGAIN_LATER", "TIMEOUT"),
        aggregate,
    ),
)
