"""Tools are read from all the forms in which people describe them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, reference
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.flaws.own_plans.schema_context import make_signatures
from pytest_ultra.flaws.own_plans.schema_signature import SchemaSignature, is_read_only
from pytest_ultra.flaws.own_plans.tool_listing import ToolDescription, read_tools
from tests.flaws.own_plans.shop import TEXT, TOOLS, tool
from tests.fuzzing import fuzz

FIND = TOOLS[0]
SCHEMA = FIND["inputSchema"]
BODY = {"name": "find", "description": "Find a customer.", "parameters": SCHEMA}


@pytest.mark.parametrize(
    "listing",
    [
        [FIND],
        {"tools": [FIND]},
        {"jsonrpc": "2.0", "id": 1, "result": {"tools": [FIND]}},
        [{"type": "function", "function": BODY}],
        [{"type": "function", **BODY}],
        [{"name": "find", "description": "Find a customer.", "input_schema": SCHEMA}],
    ],
    ids=["MCP tools", "MCP listing", "JSON-RPC", "chat completions", "responses", "Anthropic"],
)
def test_a_tool_is_the_same_in_each_form(listing: Json) -> None:
    assert read_tools(listing) == {"find": ToolDescription("find", SCHEMA, "Find a customer.")}


def test_plain_schemas_by_name_are_tools_too() -> None:
    assert read_tools({"find": SCHEMA, "now": {}}) == {
        "find": ToolDescription("find", SCHEMA),
        "now": ToolDescription("now", {"properties": {}, "required": []}),
    }


@pytest.mark.parametrize(
    ("listing", "message"),
    [
        ("find", "tools.json: a text lists no tools; give a list of OpenAI's function dicts, the listing of an MCP"),
        ([], "tools.json has no tool; give"),
        ([3], "tools.json: [0]: a number describes no tool"),
        ([FIND, FIND], "tools.json: [1]: there are two tools 'find'; give each a name of its own"),
        ({"tools": [{"name": "find it"}]}, "tools.json: tools[0]: 'find it' is no name of a tool; a name has letters"),
        ([{"function": "find"}], "tools.json: [0].function: a text describes no function"),
        ({"find": {"type": "string"}}, "tools.json: find: the schema of the arguments is not of type object"),
        ({"find": {"properties": {"a": {"type": "txt"}}}}, "tools.json: find: no valid JSON Schema: "),
        ({"find": {"$ref": "http://x.example/s"}}, "tools.json: find: no valid JSON Schema: "),
        ({"find": {"$schema": "urn:none"}}, "tools.json: find: no valid JSON Schema: Unknown meta-schema"),
    ],
)
def test_an_error_names_the_file_the_place_and_what_would_be_right(listing: Json, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_tools(listing, "tools.json")
    assert str(caught.value).startswith(message)


@fuzz(30)
@given(st.data())
def test_any_other_document_is_refused_with_a_reason(data: st.DataObject) -> None:
    keys = st.sampled_from(["tools", "name", "function", "parameters", "inputSchema", "type", "properties", "required"])
    words = st.sampled_from(["object", "string", "find", "pick", ""])
    leaves = st.none() | st.booleans() | st.integers(-1, 3) | words
    document = data.draw(
        st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner), max_leaves=12)
    )
    try:
        tools = read_tools(document)
    except ConfigurationError:
        return
    for name, signature in make_signatures(tools).items():
        needed = tools[name].parameters["required"]
        assert not needed or signature.violation(Call(name, {})) is not None


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        (tool("get_order", ""), True),
        (tool("fs.readFile", ""), True),
        (tool("create_order", "Get it done."), False),
        (tool("orders", "Return the orders of a customer."), True),
        (tool("orders", "The orders of a customer."), False),
        ({**tool("sweep", ""), "annotations": {"readOnlyHint": True}}, True),
        ({**tool("get_order", ""), "annotations": {"readOnlyHint": False}}, False),
        ({"type": "function", "function": {"name": "sweep"}, "annotations": {"readOnlyHint": True}}, True),
    ],
)
def test_a_tool_looks_if_its_listing_says_so_or_its_name_or_description_begins_so(
    described: dict[str, Any],
    expected: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    (read,) = read_tools([described]).values()
    assert is_read_only(read) is expected


def violation(schema: Json, **arguments: Json) -> str | None:
    return SchemaSignature(read_tools({"t": schema})["t"]).violation(Call("t", arguments))


def test_an_output_fits_any_argument_and_literals_are_held_against_the_schema() -> None:
    schema = {"properties": {"n": {"type": "integer"}, "to": TEXT}, "required": ["n"]}
    assert violation(schema, n=1) is None
    assert violation(schema, n=reference(1), to=reference(2, ("id",))) is None
    assert violation(schema, n="1") == 'n: "1" breaks the rule type "integer"'
    assert violation(schema, to="a") == "'n' is missing"
    assert violation(schema, n=1, m=2) == "there is no argument 'm'"
    assert violation({**schema, "additionalProperties": True}, n=1, m=2) is None
    assert violation({"anyOf": [schema, {"required": ["m"]}]}, m=2) is None


def test_a_violation_deep_in_a_value_is_described_by_its_place_and_in_short() -> None:
    schema = {
        "properties": {"rows": {"type": "array", "items": {"$ref": "#/$defs/row"}}},
        "$defs": {"row": {"properties": {"n": {"maximum": 3}}, "required": ["id"]}},
    }
    assert violation(schema, rows=[{"id": 1}, {"id": 1, "n": 4}]) == "rows.1.n: 4 breaks the rule maximum 3"
    assert violation(schema, rows=[{"id": 1}, {}]) == "rows.1: 'id' is missing"
    assert violation({"properties": {"a": {"const": 1}}}, a="x" * 200) == f'a: "{"x" * 79}... breaks the rule const 1'
    assert violation({"properties": {"a": {"anyOf": [TEXT, {"type": "null"}]}}}, a=1) == (
        'a: 1 breaks the rule anyOf [{"type": "string"}, {"type": "null"}]'
    )
