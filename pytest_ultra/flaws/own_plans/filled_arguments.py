"""Arguments of one tool in place of a call of another, as a careless author would fill them in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, referenced_step
from pytest_ultra.flaws.own_plans.schema_signature import SchemaSignature

_MOST_ITEMS = 20
_MAX_SCHEMA_DEPTH = 4


class _NothingFitsError(Exception):
    """A needed argument cannot be filled in."""


def fill_arguments(
    signature: SchemaSignature, call: Call, earlier: Sequence[Call], chance: Random
) -> dict[str, Json] | None:
    """Return arguments that the tool takes, made of the replaced call's, those of `earlier` calls and the schema.

    An output that the replaced call works on is among them. None if there are no such arguments.
    """
    named = {name: value for before in reversed(earlier) for name, value in before.literals.items()}
    filled: dict[str, Json] = {}
    for name, schema in signature.parameters["properties"].items():
        if name in call.arguments:
            filled[name] = call.arguments[name]
        elif name in signature.parameters["required"]:
            unused = [value for value in call.arguments.values() if value not in filled.values()]
            try:
                filled[name] = named[name] if name in named else _fill(schema, unused, chance)
            except _NothingFitsError:
                return None
    made = Call(signature.tool.name, filled)
    is_chained = bool(made.references) == bool(call.references)
    return filled if is_chained and signature.violation(made) is None else None


def _fill(schema: Mapping[str, Any], unused: Sequence[Json], chance: Random) -> Json:
    """Return an unused argument of the replaced call, an output first, or what the schema suggests."""
    if not schema.keys() & {"enum", "const"}:
        outputs = [value for value in unused if referenced_step(value) is not None]
        alike = [value for value in unused if _type(value) == schema.get("type")]
        if outputs or alike:
            return (outputs or alike)[0]
    return make_value(schema, chance)


def make_value(schema: Mapping[str, Any], chance: Random, depth: int = 0) -> Json:
    """Return a value that the schema suggests; raise _NothingFitsError where it suggests none."""
    listed = [schema["const"]] if "const" in schema else schema.get("enum") or schema.get("examples")
    if isinstance(listed, list) and listed:
        return chance.choice(listed)
    if "default" in schema:
        return schema["default"]
    kind = schema.get("type")
    if kind == "boolean":
        return chance.choice((True, False))
    if kind in ("integer", "number"):
        return _make_number(schema, chance)
    if kind in ("array", "object") and depth < _MAX_SCHEMA_DEPTH:
        return _make_container(schema, chance, depth + 1)
    raise _NothingFitsError


def _make_container(schema: Mapping[str, Any], chance: Random, depth: int) -> Json:
    if schema["type"] == "object":
        properties = schema.get("properties", {})
        inner = {name: properties.get(name) for name in schema.get("required", ())}
        return {name: make_value(_or_nothing(part), chance, depth) for name, part in inner.items()}
    least = schema.get("minItems", 1)
    count = least if isinstance(least, int) and 1 <= least <= _MOST_ITEMS else 1
    return [make_value(_or_nothing(schema.get("items")), chance, depth) for _ in range(count)]


def _or_nothing(schema: Json) -> Mapping[str, Any]:
    return schema if isinstance(schema, dict) else {}


def _make_number(schema: Mapping[str, Any], chance: Random) -> int:
    low, high = schema.get("minimum", 1), schema.get("maximum")
    least = int(low) + (low > int(low))
    return chance.randint(least, max(least, min(int(high), least + 19) if high is not None else least + 19))


def _type(value: Json) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "integer", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null")


def make_call(signature: SchemaSignature, chance: Random) -> Call | None:
    """Return a call of a tool with what its schema alone suggests; None if it suggests nothing."""
    arguments = fill_arguments(signature, Call(signature.tool.name, {}), (), chance)
    return None if arguments is None else Call(signature.tool.name, arguments)
