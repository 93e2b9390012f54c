"""Short ways to write the JSON Schemas of tools' parameters."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def parameters(properties: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def text(description: str, longest: int = 200) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": longest, "description": description}


def handle(what: str) -> Schema:
    return {"type": "string", "description": f"Handle of {what}, an earlier output, for example data_3."}


def choice(description: str, *values: str) -> Schema:
    return {"type": "string", "enum": list(values), "description": description}


def number(description: str, smallest: float, largest: float) -> Schema:
    return {"type": "number", "minimum": smallest, "maximum": largest, "description": description}


def integer(description: str, smallest: int, largest: int) -> Schema:
    return {"type": "integer", "minimum": smallest, "maximum": largest, "description": description}


def texts(description: str, most: int = 20) -> Schema:
    items = {"type": "string", "minLength": 1, "maxLength": 200}
    return {
        "type": "array",
        "items": items,
        "minItems": 1,
        "maxItems": most,
        "uniqueItems": True,
        "description": description,
    }


def names_to_names(description: str, most: int = 20) -> Schema:
    values = {"type": "string", "minLength": 1, "maxLength": 200}
    return {
        "type": "object",
        "additionalProperties": values,
        "minProperties": 1,
        "maxProperties": most,
        "description": description,
    }
