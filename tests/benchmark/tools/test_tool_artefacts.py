"""The outputs of the tools that produce data."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.world import Resource, Sink, World
from pytest_ultra.core.json_types import Json

PEOPLE: list[dict[str, Any]] = [
    {"name": "Ada", "city": "Oslo", "age": 36, "pay": 10.5},
    {"name": "Bob", "city": "Rome", "age": 41, "pay": 20},
    {"name": "Cem", "city": "Oslo", "age": 29, "pay": 30},
]
DIRTY: list[dict[str, Any]] = [
    {"id": "a", "mail": "a@b.org", "day": "2024-02-29", "n": 1},
    {"id": "b", "mail": "a@b", "day": "2023-02-29", "n": -1},
    {"id": "a", "mail": None, "day": "today", "n": "1"},
    {"id": "c", "mail": " ", "day": 20240101, "n": True},
]
CSV = "name,age,note\nAda,36,\nBob,-4.50,true\nCem,007,x y\n"
WORLD = World(
    files={"in/a.csv": CSV, "in/b.txt": "hé", "out/c.csv": ""},
    resources={
        "http://x/open": Resource(PEOPLE, latency_ms=20),
        "http://x/text": Resource(CSV),
        "http://x/prose": Resource("Hello"),
        "http://x/closed": Resource({"a": 1}, service="crm", latency_ms=70),
        "http://x/ours": Resource([], service="erp"),
    },
    sinks={"http://x/in": Sink(service="crm")},
    sessions=("erp",),
    datastores={"stock": PEOPLE},
    topics={"taxes": [{"country": "NO", "percent": 25}]},
    cache={"old": 7},
    artefacts={"people": PEOPLE, "dirty": DIRTY, "csv": CSV, "empty": [], "record": {"a": 1, "b": "x"}},
)

FILES: list[tuple[str, dict[str, Json], Json]] = [
    ("reader", {"path": "in/a.csv"}, CSV),
    (
        "scanner",
        {"pattern": "in/*"},
        [
            {"path": "in/a.csv", "size": len(CSV), "modified": "just now"},
            {"path": "in/b.txt", "size": 3, "modified": "just now"},
        ],
    ),
    (
        "scanner",
        {"pattern": "*.csv"},
        [
            {"path": "in/a.csv", "size": len(CSV), "modified": "just now"},
            {"path": "out/c.csv", "size": 0, "modified": "just now"},
        ],
    ),
    ("scanner", {"pattern": "*.CSV"}, []),
    (
        "converter",
        {"data": "people", "to": "csv"},
        "name,city,age,pay\nAda,Oslo,36,10.5\nBob,Rome,41,20\nCem,Oslo,29,30\n",
    ),
    ("converter", {"data": "record", "to": "lines"}, "a: 1; b: x\n"),
    (
        "converter",
        {"data": "csv", "to": "lines"},
        "name: Ada; age: 36; note: \nname: Bob; age: -4.5; note: true\nname: Cem; age: 007; note: x y\n",
    ),
    ("converter", {"data": "record", "to": "json"}, '[{"a":1,"b":"x"}]'),
    ("converter", {"data": "prose", "to": "json"}, '[{"line":1,"text":"one, two"},{"line":2,"text":"aaaaa~"}]'),
    (
        "compressor",
        {"data": "prose", "method": "run_length"},
        {"method": "run_length", "original_characters": 15, "content": "one, two\n~5~a~1~~"},
    ),
    (
        "compressor",
        {"data": "lines", "method": "dedupe_lines"},
        {"method": "dedupe_lines", "original_characters": 5, "content": {"lines": ["a", "b"], "order": [0, 1, 0]}},
    ),
    (
        "compressor",
        {"data": "record", "method": "run_length"},
        {"method": "run_length", "original_characters": 15, "content": '{"a":1,"b":"x"}'},
    ),
]

PARSED: list[tuple[str, str, Json]] = [
    (
        "csv",
        CSV,
        [
            {"name": "Ada", "age": 36, "note": None},
            {"name": "Bob", "age": -4.5, "note": True},
            {"name": "Cem", "age": "007", "note": "x y"},
        ],
    ),
    ("csv", 'a,b\n"1,5","say ""hi"""\n\n', [{"a": "1,5", "b": 'say "hi"'}]),
    ("csv", "a,b\n", []),
    ("json", '[{"a": 1}, {"b": [2]}]', [{"a": 1}, {"b": [2]}]),
    ("json", ' {"a": "1"}', [{"a": "1"}]),
    ("lines", "x: 1\n\ny", [{"line": 1, "text": "x: 1"}, {"line": 2, "text": ""}, {"line": 3, "text": "y"}]),
    ("key_value", "a: 1\nb = x: y\n\n\na: 2\n", [{"a": 1, "b": "x: y"}, {"a": 2}]),
]

KEPT: list[tuple[str, dict[str, Json], list[int]]] = [
    ("validator", {"field": "mail", "rule": "required"}, [0, 1]),
    ("validator", {"field": "n", "rule": "numeric"}, [0, 1]),
    ("validator", {"field": "n", "rule": "positive"}, [0]),
    ("validator", {"field": "mail", "rule": "email"}, [0]),
    ("validator", {"field": "day", "rule": "date"}, [0]),
    ("validator", {"field": "id", "rule": "unique"}, [0, 1, 3]),
    ("validator", {"field": "n", "rule": "unique"}, [0, 1, 2, 3]),
    ("filter", {"field": "n", "operator": "eq", "value": "1"}, [0, 2]),
    ("filter", {"field": "n", "operator": "eq", "value": 1}, [0, 2]),
    ("filter", {"field": "n", "operator": "eq", "value": True}, [3]),
    ("filter", {"field": "n", "operator": "ne", "value": 1.0}, [1, 2, 3]),
    ("filter", {"field": "mail", "operator": "eq", "value": ""}, [2]),
    ("filter", {"field": "mail", "operator": "contains", "value": "b.org"}, [0]),
    ("filter", {"field": "id", "operator": "gt", "value": "a"}, [1, 3]),
    ("filter", {"field": "id", "operator": "lte", "value": "b"}, [0, 1, 2]),
]

PROCESSED: list[tuple[str, dict[str, Json], Json]] = [
    ("filter", {"field": "age", "operator": "gte", "value": 36}, PEOPLE[:2]),
    ("filter", {"field": "age", "operator": "lt", "value": "36"}, PEOPLE[2:]),
    ("transformer", {"operation": "sort", "field": "age"}, [PEOPLE[2], PEOPLE[0], PEOPLE[1]]),
    ("transformer", {"operation": "sort", "field": "city", "order": "descending"}, [PEOPLE[1], PEOPLE[0], PEOPLE[2]]),
    (
        "transformer",
        {"operation": "select", "fields": ["age", "name"]},
        [{"age": row["age"], "name": row["name"]} for row in PEOPLE],
    ),
    ("transformer", {"operation": "limit", "count": 2.0}, PEOPLE[:2]),
    ("transformer", {"operation": "deduplicate"}, PEOPLE),
    (
        "transformer",
        {"operation": "uppercase", "field": "city"},
        [row | {"city": row["city"].upper()} for row in PEOPLE],
    ),
    (
        "transformer",
        {"operation": "lowercase", "field": "name"},
        [row | {"name": row["name"].lower()} for row in PEOPLE],
    ),
    ("transformer", {"operation": "trim", "field": "age"}, PEOPLE),
    ("aggregator", {"function": "count", "field": "name"}, [{"count_name": 3}]),
    (
        "aggregator",
        {"function": "sum", "field": "pay", "group_by": "city"},
        [{"city": "Oslo", "sum_pay": 40.5}, {"city": "Rome", "sum_pay": 20}],
    ),
    ("aggregator", {"function": "mean", "field": "age"}, [{"mean_age": 35.333333}]),
    ("aggregator", {"function": "min", "field": "age"}, [{"min_age": 29}]),
    (
        "aggregator",
        {"function": "max", "field": "pay", "group_by": "city"},
        [{"city": "Oslo", "max_pay": 30}, {"city": "Rome", "max_pay": 20}],
    ),
]

ADDRESSES: list[tuple[str, dict[str, Json], Json]] = [
    ("network_fetcher", {"url": "http://x/open"}, PEOPLE),
    ("network_fetcher", {"url": "http://x/ours"}, []),
    (
        "network_validator",
        {"url": "http://x/open"},
        {"url": "http://x/open", "exists": True, "service": None, "kind": "table", "rows": 3},
    ),
    (
        "network_validator",
        {"url": "http://x/text"},
        {"url": "http://x/text", "exists": True, "service": None, "kind": "text", "rows": 3},
    ),
    (
        "network_validator",
        {"url": "http://x/prose"},
        {"url": "http://x/prose", "exists": True, "service": None, "kind": "text", "rows": None},
    ),
    (
        "network_validator",
        {"url": "http://x/closed"},
        {"url": "http://x/closed", "exists": True, "service": "crm", "kind": "record", "rows": None},
    ),
    (
        "network_validator",
        {"url": "http://x/in"},
        {"url": "http://x/in", "exists": True, "service": "crm", "kind": "sink", "rows": None, "payloads": 0},
    ),
    (
        "network_validator",
        {"url": "http://y"},
        {"url": "http://y", "exists": False, "service": None, "kind": None, "rows": None},
    ),
    (
        "network_monitor",
        {"urls": ["http://x/closed", "http://x/open", "http://x/ours"]},
        [
            {"url": "http://x/closed", "latency_ms": 70, "status": "unauthorized"},
            {"url": "http://x/open", "latency_ms": 20, "status": "ok"},
            {"url": "http://x/ours", "latency_ms": 50, "status": "ok"},
        ],
    ),
    ("integration_connector", {"datastore": "stock"}, PEOPLE),
    (
        "integration_mapper",
        {"data": "people", "mapping": {"age": "years", "name": "name"}},
        [{"years": row["age"], "name": row["name"]} for row in PEOPLE],
    ),
    ("utility_cache", {"action": "get", "key": "old"}, 7),
    ("utility_helper", {"topic": "taxes"}, [{"country": "NO", "percent": 25}]),
]


def produce(tool: str, arguments: dict[str, Json], world: World = WORLD) -> Json:
    after, result = invoke(world, tool, arguments)
    assert result.handle is not None, result.message
    return after.artefacts[result.handle]


@pytest.mark.parametrize(("tool", "arguments", "expected"), FILES)
def test_file_tools_read_find_convert_and_compress(tool: str, arguments: dict[str, Json], expected: Json) -> None:
    world = World(files=WORLD.files, artefacts=WORLD.artefacts | {"prose": "one, two\naaaaa~", "lines": "a\nb\na"})
    assert produce(f"file_operations_{tool}", arguments, world) == expected


@pytest.mark.parametrize(("format_", "content", "rows"), PARSED)
def test_the_parser_reads_text_into_rows(format_: str, content: str, rows: Json) -> None:
    world = World(artefacts={"data_1": content})
    assert produce("data_processing_parser", {"data": "data_1", "format": format_}, world) == rows


@pytest.mark.parametrize(("tool", "arguments", "kept"), KEPT)
def test_validator_and_filter_keep_the_right_rows(tool: str, arguments: dict[str, Json], kept: list[int]) -> None:
    rows = produce(f"data_processing_{tool}", {"data": "dirty", **arguments})
    assert rows == [DIRTY[index] for index in kept]


@pytest.mark.parametrize(("tool", "arguments", "expected"), PROCESSED)
def test_data_tools_produce_the_expected_rows(tool: str, arguments: dict[str, Json], expected: Json) -> None:
    assert produce(f"data_processing_{tool}", {"data": "people", **arguments}) == expected


@pytest.mark.parametrize(("tool", "arguments", "expected"), ADDRESSES)
def test_source_tools_return_the_content_of_the_world(tool: str, arguments: dict[str, Json], expected: Json) -> None:
    assert produce(tool, arguments) == expected


def test_deduplication_keeps_the_first_of_equal_rows_whatever_the_order_of_their_fields() -> None:
    world = World(artefacts={"data_1": [{"a": 1, "b": 2}, {"a": 3}, {"b": 2, "a": 1}]})
    rows = produce("data_processing_transformer", {"data": "data_1", "operation": "deduplicate"}, world)
    assert rows == [{"a": 1, "b": 2}, {"a": 3}]


def test_trim_removes_spaces_around_text() -> None:
    world = World(artefacts={"data_1": [{"a": " x y "}, {"a": 1}]})
    rows = produce("data_processing_transformer", {"data": "data_1", "operation": "trim", "field": "a"}, world)
    assert rows == [{"a": "x y"}, {"a": 1}]


def test_a_table_without_rows_has_every_field() -> None:
    assert produce("data_processing_filter", {"data": "empty", "field": "x", "operator": "eq", "value": 1}) == []
    grouped = {"data": "empty", "function": "sum", "field": "x", "group_by": "y"}
    assert produce("data_processing_aggregator", grouped) == []
    assert produce("data_processing_aggregator", {"data": "empty", "function": "count", "field": "x"}) == [
        {"count_x": 0}
    ]
