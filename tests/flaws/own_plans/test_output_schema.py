"""What the linter knows of a plan's references from the schemas of tools' outputs."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ultra.core.output_path import Path
from pytest_ultra.core.workflow import Call, Step, Workflow, reference
from pytest_ultra.flaws.linter import lint
from pytest_ultra.flaws.own_plans.output_schema import find_part, is_misfit
from pytest_ultra.flaws.own_plans.schema_context import make_signatures
from pytest_ultra.flaws.own_plans.tool_listing import ToolDescription

ORDER = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "lines": {"type": "array", "items": {"type": "integer"}}},
}
ORDERS = {
    "$ref": "#/$defs/Orders",
    "$defs": {"Orders": {"type": "array", "items": {"$ref": "#/$defs/Order"}}, "Order": ORDER},
}


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ((), {"type": "array", "items": {"$ref": "#/$defs/Order"}}),
        ((0,), ORDER),
        ((3, "id"), {"type": "string"}),
        ((0, "lines", 1), {"type": "integer"}),
    ],
)
def test_a_part_is_found_through_definitions(path: Path, part: dict[str, Any]) -> None:
    assert find_part(ORDERS, path) == part


@pytest.mark.parametrize("path", [("id",), (0, "name"), (0, "id", "x"), (0, 0)])
def test_a_part_that_no_output_has_is_an_error(path: Path) -> None:
    with pytest.raises(LookupError):
        find_part(ORDERS, path)


@pytest.mark.parametrize("schema", [{}, {"$ref": "other.json"}, {"anyOf": [{"type": "object"}]}, {"type": "object"}])
def test_where_nothing_is_said_any_part_may_be(schema: dict[str, Any]) -> None:
    assert find_part(schema, ("a",)) == {}
    assert not is_misfit(find_part(schema, ("a", 1)), {"type": "string"})


@pytest.mark.parametrize(
    ("given", "wanted", "misfit"),
    [
        ("string", "integer", True),
        ("integer", "number", False),
        ("number", "integer", True),
        (["string", "null"], "string", False),
    ],
)
def test_types_that_have_nothing_in_common_are_a_misfit(given: Any, wanted: Any, misfit: bool) -> None:  # noqa: FBT001
    assert is_misfit({"type": given}, {"type": wanted}) is misfit


@pytest.mark.parametrize(
    ("path", "messages"),
    [
        ((0, "id"), []),
        ((0, "name"), ["id: what step 1 returns has no such part: it has no field 'name'"]),
        ((0, "lines"), ["id: what step 1 returns is of type array"]),
    ],
)
def test_the_linter_flags_what_a_tool_does_not_return(path: Path, messages: list[str]) -> None:
    tools = {
        "orders": ToolDescription("orders", {"type": "object", "properties": {}, "required": []}, output=ORDERS),
        "refund": ToolDescription(
            "refund", {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
        ),
    }
    plan = Workflow((Step(Call("orders", {})), Step(Call("refund", {"id": reference(1, path)}))))
    assert [finding.message for finding in lint(plan, make_signatures(tools))] == messages
