"""Tools from functions: their schemas, what agents' arguments become, and what cannot be a tool."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
import pytest

from pytest_ultra import Suite, ToolError, World, tool


@dataclass
class Line:
    sku: str
    count: int = 1


class Desk(World):
    notes: list[str] = []  # noqa: RUF012 - each episode gets a copy


@tool(transient=["BUSY"])
def book(  # noqa: PLR0917 - so that arguments of many kinds are there
    desk: Desk,
    lines: list[Line],
    day: date,
    how: Literal["fast", "slow"] = "slow",
    limit: Annotated[int, msgspec.Meta(ge=1, le=9)] = 3,
    tags: list[str] = [],  # noqa: B006 - a tool of the user
) -> dict[str, object]:
    """Book some lines.

    Two lines of words.

    Args:
        lines: what to book,
            in full
        day (date): the day
    """
    desk.notes.append(f"{lines[0].sku} x {lines[0].count} on {day:%A}")
    return {"how": how, "limit": limit, "tags": tags, "day": day}


suite = Suite("desk", Desk, [book])


def test_the_schema_says_what_signature_and_docstring_say() -> None:
    function = book.schema["function"]
    assert (function["name"], function["description"]) == ("book", "Book some lines. Two lines of words.")
    parameters = function["parameters"]
    assert parameters["required"] == ["lines", "day"]
    assert parameters["additionalProperties"] is False
    assert parameters["properties"]["lines"]["description"] == "what to book, in full"
    assert parameters["properties"]["day"] == {"description": "the day", "type": "string", "format": "date"}
    assert parameters["properties"]["how"] == {"enum": ["fast", "slow"], "default": "slow"}
    assert parameters["properties"]["limit"] == {"type": "integer", "minimum": 1, "maximum": 9, "default": 3}
    assert parameters["$defs"]["Line"]["required"] == ["sku"]


def test_arguments_become_what_the_annotations_say_and_results_are_json() -> None:
    after, result = suite.open().call("book", {"lines": [{"sku": "a"}], "day": "2026-11-27"})
    assert result.value == {"how": "slow", "limit": 3, "tags": [], "day": "2026-11-27"}
    assert after.state() == {"notes": ["a x 1 on Friday"]}
    assert result.change is not msgspec.UNSET
    assert result.change.added == (("notes[]", "a x 1 on Friday"),)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (None, "MALFORMED_ARGUMENTS", "not a JSON object"),
        ({"day": "2026-11-27"}, "INVALID_ARGUMENTS", "missing required field `lines`"),
        ({"lines": [{"sku": "a"}], "day": "2026-11-27", "x": 1}, "INVALID_ARGUMENTS", "unknown field `x`"),
        ({"lines": [{"sku": 1}], "day": "2026-11-27"}, "INVALID_ARGUMENTS", "at `$.lines[0].sku`"),
        ({"lines": [], "day": "2026-11-27"}, "NOT_FOUND", "list index out of range"),
    ],
)
def test_an_error_is_a_result_and_changes_nothing(arguments: Any, code: str, message: str) -> None:
    stage = suite.open()
    after, result = stage.call("book", arguments)
    assert (result.code, after.state()) == (code, {"notes": []})
    assert message in result.message


def raising(error: Exception) -> Callable[..., Any]:
    def work(desk: Desk) -> None:
        desk.notes.append("half")
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ToolError("LOCKED", "come back"), "LOCKED", "come back"),
        (KeyError("o7"), "NOT_FOUND", "'o7'"),
        (ValueError("too much"), "INVALID_ARGUMENTS", "too much"),
        (StopIteration(), "TOOL_FAILED", "StopIteration"),
    ],
)
def test_an_exception_is_an_error_of_its_kind(error: Exception, code: str, message: str) -> None:
    after, result = Suite("desk", Desk, [raising(error)]).open().call("work", {})
    assert (result.code, result.message, after.state()) == (code, message, {"notes": []})


def test_a_tool_can_still_be_called_as_a_function() -> None:
    desk = Desk(notes=["old"])
    assert book(desk, [Line("b", 2)], date(2026, 11, 27))["how"] == "slow"
    assert desk.notes == ["old", "b x 2 on Friday"]
    assert Desk().notes == []


def no_world() -> None: ...
def star(desk: Desk, *names: str) -> None: ...
def untyped(desk: Desk, name) -> None: ...  # type: ignore[no-untyped-def] # noqa: ANN001
def strange(desk: Desk, name: re.Pattern[str]) -> None: ...
async def waiting(desk: Desk) -> None: ...


def star_free(desk: Desk) -> None: ...


def define_world_without_value() -> None:
    class Bad(World):
        x: int


@pytest.mark.parametrize(
    ("define", "message"),
    [
        (lambda: tool(no_world), "'no_world' takes no world; its first argument is the world"),
        (lambda: tool(star), "'names' of the tool 'star' cannot be given by its name"),
        (lambda: tool(untyped), "'name' of the tool 'untyped' has no type; annotate it"),
        (lambda: tool(strange).schema, "'strange' has an argument that no JSON Schema describes"),
        (lambda: tool(waiting), "'waiting' is a coroutine function; give a plain one"),
        (lambda: tool(name="a b")(book.function), "'a b' is no name for a tool"),
        (lambda: tool(weight=0)(book.function), "'book' has the weight 0; give a number above 0"),
        (lambda: tool(transient=[])(book.function), "'book' names no transient error; give codes"),
        (lambda: Suite("a b", Desk, [book]), "'a b' is no name for a suite"),
        (lambda: Suite("s", Desk, []), "a suite needs tools"),
        (lambda: Suite("s", Desk, [book, tool(name="book")(star_free)]), "two tools have the name 'book'"),
        (lambda: Suite("s", dict, [book]), "no subclass of pytest_ultra.World, so it cannot be copied"),
        (lambda: Suite("s", Desk, [book], snapshot=dict), "has a World, whose fields are its state"),
        (lambda: Desk(note=[]), "Desk has no field 'note'; it has notes"),
        (define_world_without_value, "the field 'x' of the world Bad has no value"),
    ],
)
def test_what_cannot_be_says_what_would_be_right(define: Callable[[], object], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        define()
