"""Plausible wrong arguments: what a careless author could have written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Workflow, referenced_step
from pytest_ultra.flaws.plan_context import PlanContext


def alternatives(context: PlanContext, call: Call, name: str, fields: list[str]) -> list[Json]:
    """Return other values for the argument that its schema allows; `fields` are the input table's columns.

    References have no alternatives here. Existing names come first, invented ones last.
    """
    value = call.arguments[name]
    if referenced_step(value) is not None:
        return []
    return [option for option in _propose(context, call, name, fields) if option != value]


def _propose(context: PlanContext, call: Call, name: str, fields: list[str]) -> list[Json]:
    value = call.arguments[name]
    schema = context.tools[call.tool].parameters["properties"][name]
    if "enum" in schema:
        return list(schema["enum"])
    if name in context.field_arguments and value in fields:
        return list(fields)
    if isinstance(value, str):
        return [*_named_like(context.names, value), *_made_up(value)]
    return _other_value(value, fields)


def wrong_types(value: Json) -> list[Json]:
    """Return values of a type that the argument does not accept."""
    return [[value]] if isinstance(value, str) else [f"about {value}", [value]]


def is_name(names: Sequence[Collection[str]], value: Json) -> bool:
    """Return whether the value is one of the names."""
    return isinstance(value, str) and any(value in group for group in names)


def input_fields(context: PlanContext, workflow: Workflow) -> dict[int, list[str]]:
    """Return for each step the columns of the table that it works on; none where it works on no table."""
    rehearsal = context.rehearse(workflow)
    steps = enumerate(workflow.steps, start=1)
    return {number: next((rehearsal.columns(used) for used in step.call.references), []) for number, step in steps}


def _named_like(names: Sequence[Collection[str]], value: str) -> list[str]:
    """Return the names of the first group that holds this one."""
    return next((list(group) for group in names if value in group), [])


def _made_up(value: str) -> list[str]:
    stem, dot, suffix = value.rpartition(".")
    if dot and "/" not in suffix and "@" not in value:
        return [f"{stem}_old.{suffix}", f"{stem}_copy.{suffix}", f"archive/{value.rpartition('/')[2]}"]
    return [f"{value}-old", f"{value}-test", f"archive-{value}"]


def _other_value(value: Json, fields: list[str]) -> list[Json]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value + 3, value * 10]
    if isinstance(value, float):
        return [round(value * 2, 2), round(value / 2, 2), round(value + 10, 2)]
    if isinstance(value, dict):
        return _other_mappings(value, fields)
    if isinstance(value, list):
        return [value[1:], value[:-1], [f"{value[0]}-old", *value[1:]]]
    return []


def _other_mappings(value: dict[str, Any], fields: list[str]) -> list[Json]:
    """Shift the targets by one, omit one, or use another field."""
    keys, targets = list(value), list(value.values())
    options: list[Json] = []
    if len(keys) > 1:
        options.append(dict(zip(keys, targets[1:] + targets[:1], strict=True)))
        options.append({key: value[key] for key in keys[1:]})
    others = [field for field in fields if field not in value]
    if others:
        options.append({others[0]: targets[0], **{key: value[key] for key in keys[1:]}})
    options.append({f"{keys[0]}_old": targets[0], **{key: value[key] for key in keys[1:]}})
    return options
