"""Tool calls by an agent: faults, handles, previews; only a success changes the world."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.tools.previews import preview
from pytest_ultra.benchmark.world import Resource, Sink, World
from pytest_ultra.core.bounds import parse_arguments
from pytest_ultra.core.json_types import Json

WORLD = World(files={"a.txt": "hello"})
READ = {"path": "a.txt"}


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("reader", READ, "UNKNOWN_TOOL"),
        ("file_operations_reader", None, "MALFORMED_ARGUMENTS"),
        ("file_operations_reader", {}, "INVALID_ARGUMENTS"),
        ("file_operations_reader", {"path": "b.txt"}, "NOT_FOUND"),
    ],
)
def test_an_earned_error_changes_nothing_and_is_not_random(
    tool: str, arguments: dict[str, Any] | None, code: str
) -> None:
    world, result = invoke(WORLD, tool, arguments)
    assert world is WORLD
    assert (result.code, result.is_random) == (code, False)


def test_handles_count_only_the_artefacts() -> None:
    world, first = invoke(WORLD, "file_operations_reader", READ)
    world, _ = invoke(world, "utility_tracker", {"name": "t", "data": "data_1"})
    world, second = invoke(world, "file_operations_scanner", {"pattern": "*"})
    assert (first.handle, second.handle) == ("data_1", "data_2")
    assert world.artefacts == {"data_1": "hello", "data_2": [{"path": "a.txt", "size": 5, "modified": "just now"}]}
    assert first.value == {"handle": "data_1", "kind": "text", "value": "hello"}


WIDE = [{"id": n, "text": "x" * 300} for n in range(10)]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (3, {"kind": "value", "value": 3}),
        ("hi", {"kind": "text", "value": "hi"}),
        ({"a": 1}, {"kind": "record", "value": {"a": 1}}),
        ([], {"kind": "table", "rows": 0, "fields": [], "value": []}),
        ([{"a": 1}, {"b": 2}], {"kind": "table", "rows": 2, "fields": ["a", "b"], "value": [{"a": 1}, {"b": 2}]}),
        ("x" * 2000, {"kind": "text", "characters": 2000, "beginning": "x" * 500}),
        ([1] * 1000, {"kind": "value", "characters": 2001, "beginning": "[" + "1," * 249 + "1"}),
        (
            WIDE,
            {
                "kind": "table",
                "rows": 10,
                "fields": ["id", "text"],
                "first_rows": [{"id": n, "text": "x" * 200 + "... (300 characters)"} for n in range(5)],
            },
        ),
        (
            {"method": "m", "content": ["x" * 2000]},
            {
                "kind": "record",
                "fields": ["method", "content"],
                "cut": {"method": "m", "content": '["' + "x" * 198 + "... (2004 characters)"},
            },
        ),
    ],
)
def test_a_preview_shows_small_values_whole_and_the_beginning_of_large_ones(value: Json, shown: Json) -> None:
    assert preview("data_3", value) == {"handle": "data_3"} | shown


@pytest.mark.parametrize(
    "text", ["", "null", "[]", '"x"', "{", "{'a': 1}", '{"a": NaN}', '{"a": "\ud800"}', "[" * 10**5]
)
def test_arguments_that_are_not_a_json_object_are_none(text: str) -> None:
    assert parse_arguments(text) is None


def test_arguments_are_read_from_json() -> None:
    assert parse_arguments(' {"a": [1, "é", null]} ') == {"a": [1, "é", None]}


CELLS: st.SearchStrategy[Json] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-99, 99),
    st.floats(-1e16, 1e16),
    st.sampled_from(["", "x", "7", "2024-01-01"]),
    st.lists(st.integers(), max_size=2),
)
TABLES = st.lists(st.dictionaries(st.sampled_from("abc"), CELLS, max_size=3), max_size=4)
TEXTS = st.sampled_from(["a,b\n1,2\n3,x\n", "a: 1\n", '[{"a": 1}]', "~~~~aaaa", ""]) | st.text(max_size=20)
WORLDS = st.builds(
    lambda values: World(
        files={"a": "a,b\n1,2"},
        resources={"a": Resource([{"a": 1}]), "b": Resource("x", service="a")},
        sinks={"a": Sink(), "b": Sink(service="b")},
        credentials={"a": "x"},
        sessions=("b",),
        datastores={"a": [{"a": 2}]},
        topics={"a": []},
        cache={"a": {"b": 1}},
        artefacts=dict(zip(("a", "b", "c"), values, strict=True)),
    ),
    st.tuples(TABLES, TABLES | TEXTS, TEXTS | st.dictionaries(st.sampled_from("abc"), CELLS) | CELLS),
)
NAMES = st.sampled_from(["a", "b", "c", "2025-01-01T10:00"])


def values_of(schema: dict[str, Any]) -> st.SearchStrategy[Json]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    numbers = st.floats(schema.get("minimum", 0), schema.get("maximum", 1))
    by_type: dict[str, st.SearchStrategy[Json]] = {
        "string": NAMES,
        "number": numbers | st.integers(0, 9),
        "boolean": st.booleans(),
        "integer": st.sampled_from([1, 2.0, 60]),
        "array": st.lists(NAMES, min_size=1, max_size=3, unique=True),
        "object": st.dictionaries(NAMES, NAMES, min_size=1, max_size=3),
    }
    types = schema["type"]
    return st.one_of([by_type[name] for name in ([types] if isinstance(types, str) else types)])


def arguments_of(name: str) -> st.SearchStrategy[dict[str, Json]]:
    schema = TOOLS[name].parameters
    values = {key: values_of(part) for key, part in schema["properties"].items()}
    required = {key: values[key] for key in schema["required"]}
    return st.fixed_dictionaries(required, optional={key: values[key] for key in values.keys() - required.keys()})


@pytest.mark.parametrize("tool", TOOLS)
@settings(max_examples=60, deadline=None)
@given(data=st.data(), world=WORLDS)
def test_a_call_never_raises_and_never_changes_the_given_world(tool: str, data: st.DataObject, world: World) -> None:
    before = msgspec.json.encode(world)
    arguments = data.draw(arguments_of(tool))
    after, result = invoke(world, tool, arguments)
    assert msgspec.json.encode(world) == before
    assert result.is_success or after is world
    assert msgspec.json.encode(result)
    assert invoke(world, tool, arguments) == (after, result)


CALLS = """
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.world import World
rows = [{"city": c, "x": n, "y": n} for n, c in enumerate("abcabc")]
world = World(files={"b": "1", "a": "2"}, artefacts={"data_1": rows})
print(list(TOOLS))
for name, arguments in [
    ("data_processing_aggregator", {"data": "data_1", "function": "sum", "field": "x", "group_by": "city"}),
    ("data_processing_transformer", {"data": "data_1", "operation": "deduplicate", "order": "ascending", "count": 1}),
    ("data_processing_validator", {"data": "data_1", "field": "city", "rule": "unique"}),
    ("computation_optimizer", {"data": "data_1", "value_field": "x", "cost_field": "y", "budget": 7}),
    ("file_operations_scanner", {"pattern": "*"}),
    ("file_operations_reader", {"a": 1, "b": 2, "c": 3}),
]:
    print(invoke(world, name, arguments))
"""


def test_results_do_not_depend_on_the_hash_seed() -> None:
    outputs = {
        subprocess.run(  # noqa: S603 - our own interpreter and our own code
            [sys.executable, "-c", CALLS],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (1, 2, 3)
    }
    assert len(outputs) == 1
