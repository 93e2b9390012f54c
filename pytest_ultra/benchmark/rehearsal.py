"""Carrying a workflow out to the letter with perfect tools: what blind obedience leads to."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pytest_ultra.benchmark.goal import harms, has_reached_goal, read_answer
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tools.invoke import invoke, replace_artefact
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.axes import FaultKind
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.plan_follower import StepResult, advance, answer_text, begin, next_call
from pytest_ultra.core.transcript import ToolResult
from pytest_ultra.core.workflow import Workflow


class Rehearsal(msgspec.Struct, frozen=True):
    """The end of a rehearsal: the world, the steps' results, the final words, and how many calls were made."""

    task: Task
    world: World
    done: Mapping[int, StepResult]
    text: str
    calls: int

    @property
    def has_delivered(self) -> bool:
        return has_reached_goal(self.task, self.world, read_answer(self.text))

    @property
    def has_harmed(self) -> bool:
        return bool(harms(self.task, self.world))

    @property
    def effects(self) -> object:
        """All that is not an intermediate result: the world apart from artefacts and sessions, and the answer."""
        return msgspec.structs.replace(self.world, artefacts={}, sessions=()), self.text

    def columns(self, step: int) -> list[str]:
        """Return the columns of the table that a step made; none where it made no table."""
        handle = self.done[step].output if step in self.done else None
        value = self.world.artefacts.get(handle) if isinstance(handle, str) else None
        is_table = isinstance(value, list) and value and isinstance(value[0], dict)
        return list(value[0]) if is_table and isinstance(value, list) else []


def rehearse(
    task: Task, workflow: Workflow, *, left_out: int | None = None, wrong_outputs: Mapping[int, Json] | None = None
) -> Rehearsal:
    """Follow the workflow in the task's world as the reference agent `follower` does.

    The step with the number `left_out` is passed over as if it had failed. A step with a number in `wrong_outputs`
    makes that artefact in place of its own.
    """
    world, progress, calls = task.world, begin(workflow), 0
    while (call := next_call(workflow, progress)) is not None:
        if progress.step == left_out:
            progress = advance(workflow, progress, StepResult(is_success=False))
            continue
        world, result = invoke(world, call.tool, call.arguments)
        if wrong_outputs and progress.step in wrong_outputs:
            world, result = replace_artefact(world, result, wrong_outputs[progress.step])
        progress = advance(workflow, progress, step_result(result))
        calls += 1
    return Rehearsal(task, world, progress.done, answer_text(workflow, progress), calls)


def step_result(result: ToolResult) -> StepResult:
    """Return what a follower learns from a tool's result; a lost reply counts as what became of the call."""
    value = result.value.get("value") if result.handle else None
    kind, has_taken_effect = result.fault_kind, result.has_taken_effect
    is_lost = kind is FaultKind.LOST_REPLY and not has_taken_effect
    return StepResult(
        has_taken_effect,
        is_transient=kind is FaultKind.TRANSIENT or is_lost,
        is_down=kind is FaultKind.PERMANENT,
        output=result.handle,
        value=value,
    )
