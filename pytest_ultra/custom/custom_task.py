"""A task of a user's suite as data: all that its episodes and its score need, without the user's code."""

from __future__ import annotations

from typing import Any

import msgspec

from pytest_ultra.core.case import SuiteTaskKey
from pytest_ultra.core.guidance import Guidance
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import StateChange
from pytest_ultra.core.workflow import Call, Step, Workflow


class StepRecord(msgspec.Struct, frozen=True):
    """What a step of the reference workflow came to: its arguments, its output, and whether it changed the world.

    `fallback` is the call that does the same if the tool is down.
    """

    tool: str
    arguments: dict[str, Json]
    output: Json
    has_changed: bool
    fallback: Call | None = None


class CustomTask(msgspec.Struct, frozen=True):
    """One task. `schemas` are the tools as agents see them, `before` the state of the world at the beginning.

    `goal` is what the reference changes, and `answer` what it returns, None without one. With `is_checked`, a check of
    the user's decides instead. `steps` are those of the reference, none if the task has no reference. `read_only`
    names the tools that change nothing, `outputs` holds the JSON Schemas of what tools return, where
    their annotations say it.
    """

    key: SuiteTaskKey
    words: str
    tools: tuple[str, ...]
    schemas: tuple[dict[str, Any], ...]
    system: str
    before: dict[str, Json]
    steps: tuple[StepRecord, ...]
    goal: StateChange
    answer: Json
    is_checked: bool
    read_only: tuple[str, ...]
    outputs: dict[str, dict[str, Any]] = {}


def with_fallbacks(task: CustomTask, workflow: Workflow) -> Workflow:
    """Return a workflow with the fallbacks of the task's reference at the steps that make the same calls."""
    fallbacks = {number: step.fallback for number, step in enumerate(task.steps, start=1) if step.fallback}
    if len(workflow.steps) != len(task.steps) or not fallbacks:
        return workflow
    steps = tuple(Step(step.call, fallbacks.get(n), step.only_if_failed) for n, step in enumerate(workflow.steps, 1))
    return msgspec.structs.replace(workflow, steps=steps)


CustomGuidance = Guidance[CustomTask]
"""The guidance of a case of a user's suite."""
