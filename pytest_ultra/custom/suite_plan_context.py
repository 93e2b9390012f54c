"""The surroundings of a plan of a user's suite, for the flaw injectors: its tools, its world, and a way to rehearse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Workflow, referenced_step
from pytest_ultra.custom.custom_task import CustomTask
from pytest_ultra.custom.tool_run import Stage
from pytest_ultra.flaws.own_plans.schema_context import Rehearse, SchemaContext
from pytest_ultra.flaws.own_plans.tool_listing import ToolDescription
from pytest_ultra.flaws.plan_context import Decoy

MOST_SIBLINGS = 6

_Where = tuple[str, ...]
"""Where a value stands: the names of fields on the way to it, without those that differ between siblings."""


class SuitePlanContext(SchemaContext):
    """See `flaws.plan_context.PlanContext`. What is known of the tools' schemas is joined with what the world holds."""

    def __init__(self, task: CustomTask, reference: Workflow, rehearse: Rehearse, stage: Stage) -> None:
        seed = "/".join(map(str, msgspec.structs.astuple(task.key)))
        super().__init__(reference, describe_tools(task), seed, words=task.words, rehearse=rehearse)
        self._task = task
        self._stage = stage

    @cached_property
    def idle_look_ups(self) -> Sequence[Call]:
        """Calls that succeed, change nothing, and look at what the plan is not about."""
        return [call for call in super().idle_look_ups if self._only_looks(call)]

    def _only_looks(self, call: Call) -> bool:
        if call.tool not in self._task.read_only:
            return False
        result = self._stage.call(call.tool, call.arguments)[1]
        return result.is_success and result.change is msgspec.UNSET

    def decoys(self, workflow: Workflow, number: int, argument: str) -> Sequence[Decoy]:
        """Return what stands in the world beside the right value, and what its schema and the plan suggest."""
        call = workflow.steps[number - 1].call
        value, signature = call.arguments[argument], self.tools.get(call.tool)
        if signature is None or referenced_step(value) is not None:
            return ()
        visibility = self.visibility(workflow, number, argument)
        found = [
            Decoy(other, visibility, "sibling_value")
            for other in self._siblings(value)
            if signature.violation(Call(call.tool, {**call.arguments, argument: other})) is None
        ]
        known = [decoy.value for decoy in found]
        return [*found, *(decoy for decoy in super().decoys(workflow, number, argument) if decoy.value not in known)]

    def _siblings(self, value: Json) -> list[Json]:
        """Return the values that stand where this one does, in the world or in what tools returned."""
        if isinstance(value, dict | list | bool) or value is None:
            return []
        places = {where for where, held in self._held if held == value and type(held) is type(value)}
        others = [held for where, held in self._held if where in places and held != value]
        return list(dict.fromkeys(other for other in others if type(other) is type(value)))[:MOST_SIBLINGS]

    @cached_property
    def _held(self) -> list[tuple[_Where, Json]]:
        """The single values in the world at the beginning, and in the outputs of the reference's steps."""
        found: list[tuple[_Where, Json]] = []
        for name, value in self._stage.state().items():
            found += _values(value, (name,))
        for step in self._task.steps:
            found += _values(step.output, (step.tool,))
        return found


def _values(value: Json, where: _Where) -> Iterator[tuple[_Where, Json]]:
    """Yield the single values in a value; the keys of an object of objects are values too."""
    if isinstance(value, dict):
        is_table = bool(value) and all(isinstance(inner, dict) for inner in value.values())
        for name, inner in value.items():
            if is_table:
                yield (*where, "{}"), name
            yield from _values(inner, (*where, "*" if is_table else name))
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, (*where, "*"))
    else:
        yield where, value


def describe_tools(task: CustomTask) -> Mapping[str, ToolDescription]:
    """Return the tools of a task as the linter and the injectors know them."""

    def describe(function: Mapping[str, Any]) -> ToolDescription:
        name = function["name"]
        output = task.outputs.get(name)
        return ToolDescription(name, function["parameters"], function["description"], output, name in task.read_only)

    return {schema["function"]["name"]: describe(schema["function"]) for schema in task.schemas}
