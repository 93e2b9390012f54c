"""Simpler JSON Schemas, for endpoints that take only a part of the language. Results are still checked in full."""

from __future__ import annotations

from typing import Any

from pytest_ultra.providers.dialects.dialect import Schemas

_ANNOTATIONS = frozenset({"type", "description", "enum", "items", "properties", "required", "anyOf"})
_NUMBERS = frozenset({"minimum", "maximum"})
_OPEN = frozenset({"additionalProperties"})
_KEPT = {Schemas.PLAIN: _ANNOTATIONS | _NUMBERS | _OPEN, Schemas.BARE: _ANNOTATIONS - {"anyOf"}}


def simplify(schema: Any, schemas: Schemas) -> Any:
    """Return a schema with only the keywords of `plain` or `bare`. What it describes is the same or wider."""
    if not isinstance(schema, dict) or schemas is Schemas.FULL:
        return schema
    if schemas is Schemas.BARE and isinstance(schema.get("anyOf"), list):
        alternative = _only_alternative(schema["anyOf"])
        schema = {**alternative, **{name: value for name, value in schema.items() if name != "anyOf"}}
    simple = {name: _simplify_value(name, value, schemas) for name, value in schema.items() if name in _KEPT[schemas]}
    types = simple.get("type")
    return simple if not isinstance(types, list) else _without_type_list(simple, types, schemas)


def _simplify_value(name: str, value: Any, schemas: Schemas) -> Any:
    if name == "properties" and isinstance(value, dict):
        return {own: simplify(inner, schemas) for own, inner in value.items()}
    if name == "anyOf" and isinstance(value, list):
        return [simplify(inner, schemas) for inner in value]
    return simplify(value, schemas) if name in ("items", "additionalProperties") else value


def _without_type_list(schema: dict[str, Any], types: list[Any], schemas: Schemas) -> dict[str, Any]:
    """Write a list of types as `anyOf`; where that is not taken either, only the description is left."""
    rest = {name: value for name, value in schema.items() if name != "type"}
    named = [name for name in types if name != "null"] or types
    if schemas is Schemas.BARE:
        return {"type": named[0], **rest} if len(named) == 1 else rest
    return {**rest, "anyOf": [_alternative(name, rest) for name in types]}


def _alternative(name: Any, rest: dict[str, Any]) -> dict[str, Any]:
    """Return one type with the keywords that it cannot do without: an array's items."""
    return {"type": name, "items": rest["items"]} if name == "array" and "items" in rest else {"type": name}


def _only_alternative(alternatives: list[Any]) -> dict[str, Any]:
    """Return the alternative to null; nothing if there are several."""
    found = [one for one in alternatives if isinstance(one, dict) and one.get("type") != "null"]
    return found[0] if len(found) == 1 else {}
