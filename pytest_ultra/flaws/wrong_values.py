"""Plausible wrong arguments: what a careless author could have written in a call's place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_ultra.benchmark.rehearsal import rehearse
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Workflow, referenced_step

FIELD_ARGUMENTS = ("field", "group_by", "left_field", "right", "value_field", "cost_field")


def alternatives(task: Task, call: Call, name: str, fields: list[str]) -> list[Json]:
    """Return other values that the argument could have, schema and all; `fields` are the input table's columns.

    References have no alternatives here. Names of things in the world come first, made-up ones last.
    """
    value = call.arguments[name]
    if referenced_step(value) is not None:
        return []
    return [option for option in _propose(task, call, name, fields) if option != value]


def _propose(task: Task, call: Call, name: str, fields: list[str]) -> list[Json]:
    value = call.arguments[name]
    schema = TOOLS[call.tool].parameters["properties"][name]
    if "enum" in schema:
        return list(schema["enum"])
    if name in FIELD_ARGUMENTS and value in fields:
        return list(fields)
    if isinstance(value, str):
        return [*_named_like(task.world, value), *_made_up(value)]
    return _other_value(value, fields)


def wrong_types(value: Json) -> list[Json]:
    """Return values of a type that the argument does not take."""
    return [[value]] if isinstance(value, str) else [f"about {value}", [value]]


def is_name_in(world: World, value: Json) -> bool:
    """Tell whether something in the world has this name."""
    return isinstance(value, str) and any(value in part for part in _named_parts(world))


def input_fields(task: Task, workflow: Workflow) -> dict[int, list[str]]:
    """Return for each step the columns of the table that it works on; none where it works on no table."""
    rehearsal = rehearse(task, workflow)
    made = {number: _columns(rehearsal.world, seen.output) for number, seen in rehearsal.progress.done.items()}
    steps = enumerate(workflow.steps, start=1)
    return {number: next((made.get(used, []) for used in step.call.references), []) for number, step in steps}


def _columns(world: World, handle: Json) -> list[str]:
    value = world.artefacts.get(handle) if isinstance(handle, str) else None
    is_table = isinstance(value, list) and value and isinstance(value[0], dict)
    return list(value[0]) if is_table and isinstance(value, list) else []


def _named_parts(world: World) -> tuple[Mapping[str, object], ...]:
    return (
        world.files,
        world.resources,
        world.sinks,
        world.credentials,
        world.datastores,
        world.topics,
        world.cache,
        world.queues,
    )


def _named_like(world: World, value: str) -> list[str]:
    """Return the other names in that part of the world which has this one."""
    return next((list(part) for part in _named_parts(world) if value in part), [])


def _made_up(value: str) -> list[str]:
    stem, dot, ending = value.rpartition(".")
    if dot and "/" not in ending and "@" not in value:
        return [f"{stem}_old.{ending}", f"{stem}_copy.{ending}", f"archive/{value.rpartition('/')[2]}"]
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
    """Shift the targets by one, leave one out, or take another field."""
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
