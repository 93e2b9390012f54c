"""The thirty tools as the model sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from pytest_ultra.benchmark.tools import CATEGORIES, TOOLS, tool_schema
from pytest_ultra.benchmark.tools.base import EarnedCode, Tool

OPERATIONS = {
    "file_operations": "reader scanner writer converter compressor",
    "data_processing": "parser transformer validator filter aggregator",
    "network": "fetcher validator poster monitor router",
    "computation": "calculator analyzer predictor simulator optimizer",
    "integration": "authenticator mapper queue scheduler connector",
    "utility": "logger cache tracker helper notifier",
}
every_tool = pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)


def texts_of(schema: dict[str, Any]) -> Iterator[str]:
    yield schema.get("description", "")
    for part in schema.get("properties", {}).values():
        yield from texts_of(part)


def test_the_tools_are_the_published_thirty_in_order() -> None:
    assert list(TOOLS) == [f"{category}_{word}" for category, words in OPERATIONS.items() for word in words.split()]
    assert tuple(OPERATIONS) == CATEGORIES
    assert all(tool.category in CATEGORIES for tool in TOOLS.values())


@every_tool
def test_a_schema_is_valid_and_closed_and_describes_every_argument(tool: Tool) -> None:
    assert jsonschema_rs.meta.is_valid(tool.parameters)
    assert tool.parameters["additionalProperties"] is False
    assert set(tool.parameters["required"]) <= set(tool.parameters["properties"])
    assert all(list(texts_of(tool.parameters))[1:])


@every_tool
def test_a_tool_has_distinct_transient_codes_and_a_weight_in_range(tool: Tool) -> None:
    assert 2 <= len(set(tool.transient_codes)) == len(tool.transient_codes) <= 4
    assert not set(tool.transient_codes) & {code.value for code in EarnedCode}
    assert 0.5 <= tool.weight <= 2


PASSING = re.compile(
    "BUSY|TIMEOUT|LOCKED|RATE_LIMITED|TOO_MANY|TRY_AGAIN|TEMPORARILY|RESTARTING|REBUILDING|WARMING_UP|OVERLOADED|CONGESTED|"
    "EXHAUSTED|ROTATING|MOVING|FULL|RESET|GATEWAY"
)
"""What a transient error code has: a state that passes."""


@every_tool
def test_transient_codes_sound_transient(tool: Tool) -> None:
    assert all(PASSING.search(code) for code in tool.transient_codes)


@every_tool
def test_a_tool_never_names_another(tool: Tool) -> None:
    words = set(re.findall(r"\w+", " ".join([tool.description, *texts_of(tool.parameters)]).lower()))
    others = {word for name in TOOLS for word in (name, name.rpartition("_")[2]) if not tool.name.endswith(word)}
    assert not words & others


def test_a_tool_schema_has_the_chat_completions_format() -> None:
    tool = TOOLS["file_operations_reader"]
    assert tool_schema(tool) == {
        "type": "function",
        "function": {
            "name": "file_operations_reader",
            "description": tool.description,
            "parameters": {
                "type": "object",
                "properties": {
                    "path": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 200,
                        "description": "Path of the file to read.",
                    },
                    "offset": {
                        "type": "integer",
                        "minimum": 0,
                        "maximum": 10_000,
                        "description": "How many lines to pass over; 0 if left out.",
                    },
                    "limit": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": 10_000,
                        "description": "How many lines to take at most; all if left out.",
                    },
                },
                "required": ["path"],
                "additionalProperties": False,
            },
        },
    }
