"""Finding things out: lists, pages, queries and joins; and errors that say what exists."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ultra.benchmark.tools.base import EarnedCode
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json

ORDERS: list[Json] = [
    {"id": "A", "customer": "K1", "amount": 5, "placed_on": "2027-03-01"},
    {"id": "B", "customer": "K2", "amount": 7, "placed_on": "2027-03-02"},
    {"id": "C", "customer": "K9", "amount": 9, "placed_on": "2027-03-03"},
]
CUSTOMERS: list[Json] = [
    {"customer": "K1", "region": "north", "amount": 1},
    {"customer": "K1", "region": "east"},
    {"customer": "K2", "region": "south"},
]
WORLD = World(
    files={"in/a.txt": "one\ntwo\nthree\n"},
    modified={"in/a.txt": "2027-03-04T10:00"},
    datastores={"orders": ORDERS, "note": "text"},
    topics={"taxes": [], "prices": []},
    cache={"b": 1, "a": 2},
    artefacts={"orders": ORDERS, "customers": CUSTOMERS},
)


def make(tool: str, **arguments: Json) -> Json:
    """Return the artefact that a call makes."""
    world, result = invoke(WORLD, tool, arguments)
    assert result.is_success, result.message
    return world.artefacts[result.handle or ""]


def error(tool: str, world: World = WORLD, **arguments: Any) -> tuple[str | None, str]:
    _, result = invoke(world, tool, arguments)
    return result.code, result.message


def ids(rows: Json) -> list[str]:
    return [row["id"] for row in rows]


def test_a_file_can_be_read_in_pages_of_lines() -> None:
    assert make("file_operations_reader", path="in/a.txt", offset=1, limit=1) == "two\n"
    assert make("file_operations_reader", path="in/a.txt", limit=2) == "one\ntwo\n"
    assert make("file_operations_reader", path="in/a.txt", offset=2) == "three\n"
    assert make("file_operations_reader", path="in/a.txt", offset=9) == ""


def test_a_listing_tells_when_a_file_was_changed() -> None:
    assert make("file_operations_scanner", pattern="in/*")[0]["modified"] == "2027-03-04T10:00"
    world, _ = invoke(WORLD, "file_operations_writer", {"path": "in/a.txt", "data": "orders"})
    world, result = invoke(world, "file_operations_scanner", {"pattern": "in/*"})
    assert world.artefacts[result.handle or ""][0]["modified"] == "just now"


def test_a_datastore_can_be_queried_and_taken_in_pages() -> None:
    assert ids(make("integration_connector", datastore="orders", field="customer", value="K2")) == ["B"]
    assert ids(make("integration_connector", datastore="orders", field="amount", value="9")) == ["C"]
    assert ids(make("integration_connector", datastore="orders", offset=1, limit=1)) == ["B"]
    assert make("integration_connector", datastore="orders") == ORDERS


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ({"field": "customer"}, EarnedCode.INVALID_ARGUMENTS, "field, value: one needs the other."),
        ({"value": "K1"}, EarnedCode.INVALID_ARGUMENTS, "field, value: one needs the other."),
        (
            {"field": "x", "value": 1},
            EarnedCode.UNKNOWN_FIELD,
            "There is no field 'x'; the fields are: id, customer, amount, placed_on.",
        ),
    ],
)
def test_a_wrong_query_is_an_earned_error(arguments: dict[str, Json], code: EarnedCode, message: str) -> None:
    assert error("integration_connector", datastore="orders", **arguments) == (code, message)


def test_only_a_table_can_be_queried() -> None:
    message = "Only a table can be queried or taken in parts."
    assert error("integration_connector", datastore="note", limit=1) == (EarnedCode.WRONG_DATA, message)


def test_topics_and_cache_keys_can_be_listed() -> None:
    assert make("utility_helper") == [{"topic": "prices"}, {"topic": "taxes"}]
    assert make("utility_cache", action="list") == [{"key": "a"}, {"key": "b"}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"action": "list", "key": "a"}, "key: the action 'list' takes no such argument."),
        ({"action": "get"}, "key: the action 'get' needs this argument."),
        ({"action": "get", "key": "a", "data": "orders"}, "data: the action 'get' takes no such argument."),
        ({"action": "put", "key": "a"}, "data: the action 'put' needs this argument."),
    ],
)
def test_a_cache_action_takes_its_own_arguments(arguments: dict[str, Json], message: str) -> None:
    assert error("utility_cache", **arguments) == (EarnedCode.INVALID_ARGUMENTS, message)


def test_a_join_adds_the_fields_of_the_first_partner_and_leaves_out_rows_without_one() -> None:
    joined = make("data_processing_transformer", data="orders", operation="join", other="customers", field="customer")
    assert joined == [
        {"id": "A", "customer": "K1", "amount": 5, "placed_on": "2027-03-01", "region": "north"},
        {"id": "B", "customer": "K2", "amount": 7, "placed_on": "2027-03-02", "region": "south"},
    ]


def test_a_join_can_name_another_field_of_the_other_table() -> None:
    call: dict[str, Any] = {"data": "orders", "operation": "join", "field": "id", "other_field": "customer"}
    call["other"] = "orders"
    assert make("data_processing_transformer", **call) == []
    _, message = error("data_processing_transformer", **{**call, "other": "rows"})
    assert message == "There is no earlier output with the handle 'rows'; the handles are: orders, customers."
    _, message = error("data_processing_transformer", **{**call, "field": "x"})
    assert message.startswith("There is no field 'x'")


def test_rows_can_be_paged_and_text_normalized() -> None:
    page = make("data_processing_transformer", data="orders", operation="limit", count=1, offset=1)
    assert ids(page) == ["B"]
    world = World(artefacts={"d": [{"a": " North "}, {"a": None}, {"a": "SOUTH"}]})
    world, result = invoke(world, "data_processing_transformer", {"data": "d", "operation": "normalize", "field": "a"})
    assert world.artefacts[result.handle or ""] == [{"a": "north"}, {"a": None}, {"a": "south"}]


@pytest.mark.parametrize(
    ("field", "operator", "value", "kept"),
    [
        ("id", "in", ["A", "C"], ["A", "C"]),
        ("amount", "in", ["5", 9], ["A", "C"]),
        ("id", "not_in", ["A", "C"], ["B"]),
        ("amount", "between", [5, 7], ["A", "B"]),
        ("placed_on", "between", ["2027-03-02", "2027-03-03"], ["B", "C"]),
    ],
)
def test_a_filter_takes_lists_and_ranges(field: str, operator: str, value: Json, kept: list[str]) -> None:
    assert ids(make("data_processing_filter", data="orders", field=field, operator=operator, value=value)) == kept


@pytest.mark.parametrize(
    ("operator", "value", "message"),
    [
        ("in", "A", "value: the operator 'in' needs a list of values."),
        ("between", ["A"], "value: the operator 'between' needs a list of two values, the lower one first."),
        ("eq", ["A"], "value: the operator 'eq' takes no list."),
    ],
)
def test_a_filter_rejects_a_value_of_the_wrong_form(operator: str, value: Json, message: str) -> None:
    found = error("data_processing_filter", data="orders", field="id", operator=operator, value=value)
    assert found == (EarnedCode.INVALID_ARGUMENTS, message)


def test_an_unknown_handle_is_answered_with_those_that_exist() -> None:
    _, message = error("utility_tracker", World(), name="n", data="data_1")
    assert message == "There is no earlier output with the handle 'data_1'; there is no output yet."
    many = World(artefacts={f"data_{number}": 1 for number in range(1, 31)})
    _, message = error("utility_tracker", many, name="n", data="x")
    assert message.endswith("; the handles are: data_1, ..., " + ", ".join(f"data_{n}" for n in range(21, 31)) + ".")
