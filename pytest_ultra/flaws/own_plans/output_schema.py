"""What the JSON Schema of a tool's output says of the parts of it that a plan refers to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_ultra.core.output_path import Path

_REF = "#/$defs/"


def find_part(schema: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """Return the schema of the part of an output at a path; empty where nothing is said.

    Raises LookupError if an output has no such part.
    """
    part = _resolve(schema, schema)
    for name in path:
        if "type" not in part:
            return {}
        wanted = "object" if isinstance(name, str) else "array"
        if part["type"] != wanted:
            raise LookupError(f"it is no {wanted}")
        properties = part.get("properties")
        if isinstance(name, int):
            inner = part.get("items", {})
        elif properties is None:
            inner = part.get("additionalProperties", {})
        elif name in properties:
            inner = properties[name]
        else:
            raise LookupError(f"it has no field {name!r}")
        part = _resolve(schema, inner)
    return part


def is_misfit(given: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Return whether no value of the one schema can fit the other, as far as their types say."""
    types = [_types(given), _types(wanted)]
    if not all(types):
        return False
    if "number" in types[1]:
        types[1] = types[1] | {"integer"}
    return not types[0] & types[1]


def _types(schema: Mapping[str, Any]) -> set[str]:
    found = schema.get("type", ())
    return {found} if isinstance(found, str) else set(found)


def _resolve(root: Mapping[str, Any], schema: Any) -> Mapping[str, Any]:
    """Return a schema with what it refers to within its root in its place; one that says nothing is empty."""
    if not isinstance(schema, Mapping):
        return {}
    target = schema.get("$ref")
    if isinstance(target, str):
        found = root.get("$defs", {}).get(target.removeprefix(_REF)) if target.startswith(_REF) else None
        return found if isinstance(found, Mapping) and "$ref" not in found else {}
    return schema
