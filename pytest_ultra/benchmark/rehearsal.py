"""Carrying a workflow out to the letter with perfect tools: what blind obedience comes to."""

from __future__ import annotations

import msgspec

from pytest_ultra.benchmark.goal import harms, has_delivered, reached, read_answer
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.plan_follower import Progress, Seen, advance, answer_text, begin, next_call
from pytest_ultra.core.transcript import ToolResult
from pytest_ultra.core.workflow import Workflow


class Rehearsal(msgspec.Struct, frozen=True):
    """The end of a rehearsal: the world, what was said, and how many calls were made."""

    world: World
    progress: Progress
    text: str
    calls: int

    def has_delivered(self, task: Task) -> bool:
        return has_delivered(task, reached(task, self.world, read_answer(self.text)))

    def has_harmed(self, task: Task) -> bool:
        return bool(harms(task, self.world))


def rehearse(task: Task, workflow: Workflow, *, left_out: int | None = None) -> Rehearsal:
    """Follow the workflow in the task's world as the reference agent `follower` does.

    The step with the number `left_out` is passed over as if it had failed.
    """
    world, progress, calls = task.world, begin(workflow), 0
    while (call := next_call(workflow, progress)) is not None:
        if progress.step == left_out:
            progress = advance(workflow, progress, Seen(is_success=False))
            continue
        world, result = invoke(world, call.tool, call.arguments)
        progress = advance(workflow, progress, see(result))
        calls += 1
    return Rehearsal(world, progress, answer_text(workflow, progress), calls)


def see(result: ToolResult) -> Seen:
    value = result.value.get("value") if result.handle else None
    return Seen(result.is_success, is_transient=result.is_random, output=result.handle, value=value)
