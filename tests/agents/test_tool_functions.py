"""Functions made from tools' schemas say what the schemas say, and pass on what they are called with."""

from __future__ import annotations

import asyncio
import inspect
import json
import typing
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.agents.tool_functions import make_async_function, make_function
from pytest_ultra.benchmark.tools import TOOLS, tool_schema
from pytest_ultra.core.json_types import ToolSchema

ALL = [tool_schema(tool) for tool in TOOLS.values()]


def repeat(name: str, arguments: dict[str, Any]) -> str:
    return json.dumps([name, arguments])


async def repeat_later(name: str, arguments: dict[str, Any]) -> str:
    return repeat(name, arguments)


def schema(**properties: Any) -> ToolSchema:
    required = [name for name in properties if name.startswith("must")]
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": "act", "description": "Act.", "parameters": parameters}}


@pytest.mark.parametrize("tool", ALL, ids=lambda tool: tool["function"]["name"])
def test_a_tool_of_the_benchmark_keeps_its_schema(tool: ToolSchema) -> None:
    """Derive the schema from the function as frameworks do: by its hints and its defaults."""
    function = make_function(tool, repeat)
    described = tool["function"]
    signature = inspect.signature(function)
    hints = typing.get_type_hints(function)
    assert function.__name__ == described["name"]
    assert set(signature.parameters) == set(described["parameters"]["properties"])
    mandatory = {name for name, one in signature.parameters.items() if one.default is inspect.Parameter.empty}
    assert mandatory == set(described["parameters"]["required"])
    assert hints.pop("return") is str
    for name, wanted in described["parameters"]["properties"].items():
        derived = msgspec.json.schema(hints[name])
        kinds = derived.get("anyOf", [derived])
        if "enum" in wanted:
            assert sorted(next(kind["enum"] for kind in kinds if "enum" in kind)) == sorted(wanted["enum"])
        else:
            listed = wanted["type"] if isinstance(wanted["type"], list) else [wanted["type"]]
            found = {kind["type"] for kind in kinds if kind["type"] != "null" or name in mandatory}
            assert found == set(listed)


@pytest.mark.parametrize("tool", ALL, ids=lambda tool: tool["function"]["name"])
def test_the_docstring_has_the_description_and_those_of_the_arguments(tool: ToolSchema) -> None:
    doc = make_function(tool, repeat).__doc__ or ""
    assert doc.startswith(tool["function"]["description"] + "\n\nArgs:\n")
    for name, one in tool["function"]["parameters"]["properties"].items():
        assert f"\n    {name}: {one['description']}" in doc


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.integers()))


@given(must=VALUES, may=VALUES, is_positional=st.booleans())
def test_arguments_are_passed_on_and_those_left_out_are_not(must: Any, may: Any, *, is_positional: bool) -> None:
    function = make_function(schema(may={"type": "string"}, must={"type": "string"}), repeat)
    name, arguments = json.loads(function(must, may) if is_positional else function(may=may, must=must))
    assert (name, arguments) == ("act", {"must": must} if may is None else {"must": must, "may": may})


def test_unknown_arguments_and_missing_ones_are_left_to_the_tool() -> None:
    function = make_function(schema(must={"type": "string"}), repeat)
    assert json.loads(function(other=1)) == ["act", {"other": 1}]


def test_a_coroutine_function_does_the_same() -> None:
    function = make_async_function(schema(must={"type": "string"}), repeat_later)
    assert inspect.iscoroutinefunction(function)
    assert json.loads(asyncio.run(_await(function, 1))) == ["act", {"must": 1}]


async def _await(function: Any, value: object) -> str:
    return str(await function(value))


@pytest.mark.parametrize(
    ("property_", "annotation"),
    [
        ({"type": "array", "items": {"type": "integer"}}, list[int]),
        ({"type": "array"}, list[Any]),
        ({"type": "object", "additionalProperties": {"type": "number"}}, dict[str, float]),
        ({"type": "object"}, dict[str, Any]),
        ({"type": ["string", "number"]}, str | float),
        ({"type": ["string", "null"]}, str | None),
        ({"enum": ["a", 1]}, Literal["a", 1]),
        ({}, Any),
        ({"type": "something new"}, Any),
    ],
)
def test_annotations_of_schemas(property_: dict[str, Any], annotation: Any) -> None:
    assert make_function(schema(must=property_), repeat).__annotations__["must"] == annotation


def test_a_name_that_python_cannot_have_is_passed_by_keyword() -> None:
    function = make_function(schema(**{"from": {"type": "string"}, "a-b": {"type": "string"}}), repeat)
    assert not inspect.signature(function).parameters
    assert json.loads(function(**{"from": 1, "a-b": 2})) == ["act", {"from": 1, "a-b": 2}]
