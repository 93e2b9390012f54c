"""Builders for the JSON Schemas of tool parameters."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

MOST_ITEMS = 10_000
"""The largest offset and limit."""


def parameters(properties: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def text(description: str, max_length: int = 200) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": max_length, "description": description}


def handle(what: str) -> Schema:
    return {"type": "string", "description": f"Handle of {what}, an earlier output, for example data_3."}


def choice(description: str, *values: str) -> Schema:
    return {"type": "string", "enum": list(values), "description": description}


def number(description: str, minimum: float, maximum: float) -> Schema:
    return {"type": "number", "minimum": minimum, "maximum": maximum, "description": description}


def integer(description: str, minimum: int, maximum: int) -> Schema:
    return {"type": "integer", "minimum": minimum, "maximum": maximum, "description": description}


def string_list(description: str, max_items: int = 20) -> Schema:
    items = {"type": "string", "minLength": 1, "maxLength": 200}
    return {
        "type": "array",
        "items": items,
        "minItems": 1,
        "maxItems": max_items,
        "uniqueItems": True,
        "description": description,
    }


def string_map(description: str, max_items: int = 20) -> Schema:
    values = {"type": "string", "minLength": 1, "maxLength": 200}
    return {
        "type": "object",
        "additionalProperties": values,
        "minProperties": 1,
        "maxProperties": max_items,
        "description": description,
    }


def page(item: str) -> dict[str, Schema]:
    """Return the optional arguments of a tool that can give a part of what it finds."""
    return {
        "offset": integer(f"How many {item}s to pass over; 0 if left out.", 0, MOST_ITEMS),
        "limit": integer(f"How many {item}s to take at most; all if left out.", 1, MOST_ITEMS),
    }


def scalar(description: str) -> Schema:
    """Return the schema of a text, a number or a boolean."""
    return {**_SCALAR, "description": description}


def scalar_or_list(description: str, max_items: int = 20) -> Schema:
    types = [*_SCALAR["type"], "array"]
    return {
        **_SCALAR,
        "type": types,
        "items": _SCALAR,
        "minItems": 1,
        "maxItems": max_items,
        "description": description,
    }


_SCALAR: Schema = {
    "type": ["string", "number", "boolean"],
    "minimum": -(10**15),
    "maximum": 10**15,
    "maxLength": 200,
}
