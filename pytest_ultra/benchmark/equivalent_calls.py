"""Calls of another tool that may do the same as a given one; whether they do is proved where they are used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pytest_ultra.benchmark.tables import write_cell
from pytest_ultra.benchmark.tools.inputs import kind_of
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call


def equivalent_calls(call: Call, data: Json) -> Iterator[Call]:
    """Yield calls of other tools that may have the effect of this one; `data` is the input that it works on."""
    return _EQUIVALENTS[call.tool](call.arguments, data) if call.tool in _EQUIVALENTS else iter(())


def _of_validator(arguments: dict[str, Any], _: Json) -> Iterator[Call]:
    if arguments["rule"] == "unique":  # the same where rows with the same key are equal in every field
        yield Call("data_processing_transformer", {"data": arguments["data"], "operation": "deduplicate"})
    tests = {"required": ("ne", ""), "positive": ("gt", 0)}
    if arguments["rule"] in tests:
        operator, value = tests[arguments["rule"]]
        kept = {"data": arguments["data"], "field": arguments["field"], "operator": operator, "value": value}
        yield Call("data_processing_filter", kept)


def _of_filter(arguments: dict[str, Any], _: Json) -> Iterator[Call]:
    rules = ("ne", "", "required"), ("gt", 0, "positive")
    asked = arguments["operator"], arguments["value"]
    rule = next((rule for operator, value, rule in rules if (operator, value) == asked), None)
    if rule is not None:
        checked = {"data": arguments["data"], "field": arguments["field"], "rule": rule}
        yield Call("data_processing_validator", checked)


def _of_transformer(arguments: dict[str, Any], _: Json) -> Iterator[Call]:
    if arguments["operation"] == "select":
        mapping = {field: field for field in arguments["fields"]}
        yield Call("integration_mapper", {"data": arguments["data"], "mapping": mapping})


def _of_mapper(arguments: dict[str, Any], _: Json) -> Iterator[Call]:
    mapping = arguments["mapping"]
    if all(old == new for old, new in mapping.items()):
        selected = {"data": arguments["data"], "operation": "select", "fields": list(mapping)}
        yield Call("data_processing_transformer", selected)


def _of_poster(arguments: dict[str, Any], data: Json) -> Iterator[Call]:
    """Route a table by a column that has one value, so that all rows go to the one address."""
    rows = data if isinstance(data, list) and kind_of(data) == "table" else []
    for field in rows[0] if rows else ():
        values = [write_cell(row.get(field)) for row in rows]
        if values[0] and len(set(values)) == 1:
            routed = {"data": arguments["data"], "field": field, "routes": {values[0]: arguments["url"]}}
            yield Call("network_router", routed)
            return


_EQUIVALENTS: dict[str, Callable[[dict[str, Any], Json], Iterator[Call]]] = {
    "data_processing_validator": _of_validator,
    "data_processing_filter": _of_filter,
    "data_processing_transformer": _of_transformer,
    "integration_mapper": _of_mapper,
    "network_poster": _of_poster,
}
