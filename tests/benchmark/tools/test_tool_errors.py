"""The errors that the agent earns: every code, and the exact messages."""

from __future__ import annotations

import pytest

from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.base import EarnedCode
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.world import Resource, Sink, World
from pytest_ultra.core.json_types import Json

WORLD = World(
    files={"secret.txt": "x"},
    resources={"http://x/closed": Resource("x", service="crm")},
    sinks={"http://x/in": Sink(service="crm"), "http://x/free": Sink()},
    datastores={"stock": []},
    topics={"taxes": []},
    credentials={"crm": "robot"},
    cache={"k": 1},
    artefacts={
        "text": "a,b\n1\n",
        "rows": [{"a": 1, "b": "x", "c": 0}, {"a": None, "b": 2, "c": 1}],
        "record": {"a": 1},
        "value": 3,
        "empty": [],
        "huge": [{"a": 10**16}],
        "large": [{"a": 10**12}],
        "costs": [{"v": 1, "c": -1}],
        "many": [{"v": 2**0.5 * 1.37**i, "c": 2**0.5 * 1.37**i} for i in range(40)],
    },
)

FILTER: dict[str, Json] = {"data": "rows", "field": "a", "operator": "gt", "value": 1}
SORT: dict[str, Json] = {"data": "rows", "operation": "sort", "field": "a"}
CALCULATE: dict[str, Json] = {"data": "rows", "left_field": "c", "operator": "/", "right": "c", "result_field": "d"}

NOT_FOUND: list[tuple[str, dict[str, Json], str]] = [
    ("file_operations_reader", {"path": "x"}, "There is no file 'x'. Files can be listed by a pattern of their paths."),
    ("network_fetcher", {"url": "x"}, "There is no resource at 'x'."),
    ("network_poster", {"url": "x", "data": "rows"}, "There is no address to post to at 'x'."),
    ("network_monitor", {"urls": ["http://x/closed", "x"]}, "There is no resource at 'x'."),
    ("network_router", {"data": "rows", "field": "b", "routes": {"x": "y"}}, "There is no address to post to at 'y'."),
    ("integration_authenticator", {"service": "x"}, "There is no account for the service 'x'."),
    ("integration_connector", {"datastore": "x"}, "There is no datastore 'x'. Catalogues name the datastores."),
    ("utility_cache", {"action": "get", "key": "x"}, "There is no cache entry 'x'. The keys can be listed."),
    (
        "utility_helper",
        {"topic": "x"},
        "There is no reference on the topic 'x'. Without a topic, the topics are listed.",
    ),
    (
        "file_operations_reader",
        {"path": "p" * 61},
        f"There is no file '{'p' * 60}...'. Files can be listed by a pattern of their paths.",
    ),
]

NOT_AUTHENTICATED: list[tuple[str, dict[str, Json]]] = [
    ("network_fetcher", {"url": "http://x/closed"}),
    ("network_poster", {"url": "http://x/in", "data": "rows"}),
    ("network_router", {"data": "rows", "field": "b", "routes": {"x": "http://x/free", "y": "http://x/in"}}),
]

WRONG_DATA: list[tuple[str, dict[str, Json], str]] = [
    (
        "file_operations_converter",
        {"data": "value", "to": "csv"},
        "A table, a record or text is needed, but value is a single value.",
    ),
    ("data_processing_parser", {"data": "rows", "format": "csv"}, "Text is needed, but rows is a table."),
    (
        "data_processing_parser",
        {"data": "text", "format": "csv"},
        "The text cannot be read as csv: record 2 has 1 cells, the header 2.",
    ),
    ("data_processing_filter", FILTER | {"data": "text"}, "A table is needed, but text is a text."),
    ("data_processing_filter", FILTER | {"data": "record"}, "A table is needed, but record is a record."),
    ("data_processing_filter", FILTER, "null cannot be compared with 1."),
    ("data_processing_filter", FILTER | {"value": "x"}, '1 cannot be compared with "x".'),
    ("data_processing_transformer", SORT, "The field 'a' has null, which has no place in an order."),
    (
        "data_processing_transformer",
        SORT | {"field": "b"},
        "The field 'b' mixes numbers and text, which have no common order.",
    ),
    (
        "data_processing_aggregator",
        {"data": "rows", "function": "sum", "field": "b"},
        "Row 1 has \"x\" in 'b', which cannot be computed with.",
    ),
    (
        "data_processing_aggregator",
        {"data": "empty", "function": "mean", "field": "a"},
        "There are no rows, so there is no mean.",
    ),
    ("computation_calculator", CALCULATE, "Row 1 would be divided by zero."),
    (
        "computation_calculator",
        CALCULATE | {"data": "large", "left_field": "a", "operator": "*", "right": "a"},
        "The result is too large to be computed with.",
    ),
    (
        "computation_analyzer",
        {"data": "huge", "field": "a"},
        "Row 1 has 10000000000000000 in 'a', which cannot be computed with.",
    ),
    ("computation_analyzer", {"data": "empty", "field": "a"}, "There are no rows to analyze."),
    ("computation_predictor", {"data": "large", "field": "a", "periods": 1}, "A trend needs at least two rows."),
    (
        "computation_simulator",
        {"data": "large", "field": "a", "rate_percent": 1000, "periods": 60},
        "The result is too large to be computed with.",
    ),
    (
        "computation_optimizer",
        {"data": "costs", "value_field": "v", "cost_field": "c", "budget": 1},
        "A cost is negative.",
    ),
    (
        "computation_optimizer",
        {"data": "many", "value_field": "v", "cost_field": "c", "budget": 99999},
        "There are too many choices among 40 rows to find the best one.",
    ),
]

UNKNOWN_FIELD: list[tuple[str, dict[str, Json]]] = [
    ("data_processing_filter", FILTER | {"field": "z"}),
    ("data_processing_transformer", SORT | {"field": "z"}),
    ("data_processing_transformer", {"data": "rows", "operation": "select", "fields": ["a", "z"]}),
    ("data_processing_transformer", {"data": "rows", "operation": "trim", "field": "z"}),
    ("data_processing_validator", {"data": "rows", "field": "z", "rule": "required"}),
    ("data_processing_aggregator", {"data": "rows", "function": "count", "field": "z"}),
    ("data_processing_aggregator", {"data": "rows", "function": "sum", "field": "c", "group_by": "z"}),
    ("network_router", {"data": "rows", "field": "z", "routes": {"x": "http://x/free"}}),
    ("computation_calculator", CALCULATE | {"left_field": "z"}),
    ("computation_calculator", CALCULATE | {"right": "z"}),
    ("computation_analyzer", {"data": "rows", "field": "z"}),
    ("computation_predictor", {"data": "rows", "field": "z", "periods": 1}),
    ("computation_simulator", {"data": "rows", "field": "z", "rate_percent": 1, "periods": 1}),
    ("computation_optimizer", {"data": "rows", "value_field": "c", "cost_field": "z", "budget": 1}),
    ("integration_mapper", {"data": "rows", "mapping": {"a": "a", "z": "b"}}),
]

INVALID: list[tuple[str, dict[str, Json], str]] = [
    ("file_operations_reader", {}, "arguments: 'path' is missing."),
    ("file_operations_reader", {"path": 3}, "path: 3 is not of type string."),
    (
        "file_operations_reader",
        {"path": "x", "file": "y"},
        "arguments: there is no argument 'file'.",
    ),
    ("file_operations_converter", {"data": "rows", "to": "xml"}, 'to: "xml" is not one of csv, json, lines.'),
    ("network_monitor", {"urls": ["x", 3]}, "urls.1: 3 is not of type string."),
    ("file_operations_writer", {}, "arguments: 'path', 'data' is missing."),
    ("file_operations_reader", {"path": ["x" * 99]}, 'path: ["' + "x" * 58 + "... is not of type string."),
    ("file_operations_reader", {"path": ""}, 'path: "" breaks the rule minLength 1.'),
    ("network_monitor", {"urls": []}, "urls: [] breaks the rule minItems 1."),
    ("integration_mapper", {"data": "rows", "mapping": {"a": 1}}, "mapping.a: 1 is not of type string."),
    ("computation_calculator", CALCULATE | {"right": None}, "right: null is not of type string, number."),
    (
        "computation_predictor",
        {"data": "rows", "field": "a", "periods": 61},
        "periods: 61 breaks the rule maximum 60.",
    ),
    ("utility_cache", {"action": "put", "key": "k"}, "data: the action 'put' needs this argument."),
    ("utility_cache", {"action": "get", "key": "k", "data": "rows"}, "data: the action 'get' takes no such argument."),
    (
        "data_processing_transformer",
        {"data": "rows", "operation": "limit"},
        "count: the operation 'limit' needs this argument.",
    ),
    ("data_processing_transformer", SORT | {"count": 3}, "count: the operation 'sort' takes no such argument."),
    (
        "integration_mapper",
        {"data": "rows", "mapping": {"a": "x", "b": "x"}},
        "mapping: two fields would get the same name.",
    ),
]


def earned_error(tool: str, arguments: dict[str, Json] | None) -> tuple[str | None, str]:
    after, result = invoke(WORLD, tool, arguments)
    assert after is WORLD
    assert not result.is_random
    return result.code, result.message


@pytest.mark.parametrize(("tool", "arguments", "message"), NOT_FOUND)
def test_a_missing_entry_is_not_found(tool: str, arguments: dict[str, Json], message: str) -> None:
    assert earned_error(tool, arguments) == (EarnedCode.NOT_FOUND, message)


@pytest.mark.parametrize(("tool", "arguments"), NOT_AUTHENTICATED)
def test_a_service_needs_a_session(tool: str, arguments: dict[str, Json]) -> None:
    message = "This address needs an open session with the service 'crm'."
    assert earned_error(tool, arguments) == (EarnedCode.NOT_AUTHENTICATED, message)


@pytest.mark.parametrize(("tool", "arguments", "message"), WRONG_DATA)
def test_data_that_a_tool_cannot_process_is_rejected(tool: str, arguments: dict[str, Json], message: str) -> None:
    assert earned_error(tool, arguments) == (EarnedCode.WRONG_DATA, message)


@pytest.mark.parametrize(("tool", "arguments"), UNKNOWN_FIELD)
def test_an_error_about_an_unknown_field_lists_the_known_ones(tool: str, arguments: dict[str, Json]) -> None:
    message = "There is no field 'z'; the fields are: a, b, c."
    assert earned_error(tool, arguments) == (EarnedCode.UNKNOWN_FIELD, message)


def test_an_error_lists_only_the_first_twenty_fields() -> None:
    world = World(artefacts={"data_1": [{f"f{n}": n for n in range(30)}]})
    _, result = invoke(world, "computation_analyzer", {"data": "data_1", "field": "x"})
    assert result.message.endswith("f18, f19, ...."), result.message


@pytest.mark.parametrize(("tool", "arguments", "message"), INVALID)
def test_an_error_about_invalid_arguments_says_where_and_why(
    tool: str, arguments: dict[str, Json], message: str
) -> None:
    assert earned_error(tool, arguments) == (EarnedCode.INVALID_ARGUMENTS, message)


@pytest.mark.parametrize(
    "at", ["tomorrow", "2025-13-01T00:00", "2025-01-01T24:00", "2025-01-01 10:00", "2025-01-01T10:00:00"]
)
def test_only_one_spelling_of_a_time_is_valid(at: str) -> None:
    code, message = earned_error("integration_scheduler", {"name": "n", "at": at, "data": "rows"})
    assert code == EarnedCode.INVALID_ARGUMENTS
    assert message.startswith("at: ")


SAMPLES: dict[str, Json] = {"url": "http://x/free", "routes": {"x": "http://x/free"}, "mapping": {"a": "b"}}
SAMPLES |= {"at": "2025-01-01T10:00", "operation": "deduplicate", "action": "put", "budget": 1, "rate_percent": 1}
SAMPLES |= {"periods": 1, "right": 1, "value": 1}


def sample_arguments(tool: str, handle: str) -> dict[str, Json]:
    schema = TOOLS[tool].parameters
    named = {*schema["required"], *({"data", "at", "message", "subject"} & schema["properties"].keys())}
    values = {name: schema["properties"][name].get("enum", ["a"])[0] for name in named}
    key: dict[str, Json] = {"key": "k"} if tool == "utility_cache" else {}
    return {name: SAMPLES.get(name, value) for name, value in values.items()} | {"data": handle} | key


@pytest.mark.parametrize("handle", ["data_9", "rows ", "<output of step 1>", "a,b\n1,2", ""])
@pytest.mark.parametrize("tool", [name for name, tool in TOOLS.items() if "data" in tool.parameters["properties"]])
def test_any_text_that_is_not_a_handle_is_an_unknown_handle(tool: str, handle: str) -> None:
    handles = ", ".join(WORLD.artefacts)
    message = f"There is no earlier output with the handle {handle!r}; the handles are: {handles}."
    assert earned_error(tool, sample_arguments(tool, handle)) == (EarnedCode.UNKNOWN_HANDLE, message)


def test_an_unknown_tool_is_reported_before_its_arguments() -> None:
    assert earned_error("reader", None) == (EarnedCode.UNKNOWN_TOOL, "There is no tool named 'reader'.")


def test_arguments_that_are_not_an_object_are_malformed() -> None:
    message = "The arguments are not a JSON object."
    assert earned_error("file_operations_reader", None) == (EarnedCode.MALFORMED_ARGUMENTS, message)
