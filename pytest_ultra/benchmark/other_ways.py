"""The other ways of a workflow: what to call where a tool, or what it works on, is down."""

from __future__ import annotations

import msgspec

from pytest_ultra.benchmark.fault_proofs import find_down_target
from pytest_ultra.benchmark.routes import find_route, renumbered
from pytest_ultra.benchmark.task import Task
from pytest_ultra.core.workflow import Step, Workflow


def with_other_ways(task: Task, workflow: Workflow) -> Workflow:
    """Return the workflow with a fallback for each step that a permanent fault can take down.

    Steps that are none of the task's actions, as in a plan of the user's own, get none.
    """
    milestones = milestones_of(task, workflow)
    numbers = {milestone: number for number, milestone in enumerate(milestones, start=1) if milestone is not None}
    pairs = zip(workflow.steps, milestones, strict=True)
    steps = tuple(_with_other_way(task, step, milestone, numbers) for step, milestone in pairs)
    return msgspec.structs.replace(workflow, steps=steps)


def _with_other_way(task: Task, step: Step, milestone: int | None, numbers: dict[int, int]) -> Step:
    target = None if milestone is None or step.fallback else find_down_target(task, step.call)
    if target is None or milestone is None:
        return step
    route = find_route(task, (target,))
    if route is None or not numbers.keys() >= {number - 1 for number in route.calls[milestone].references}:
        return step
    return msgspec.structs.replace(step, fallback=renumbered(route.calls[milestone], numbers))


def milestones_of(task: Task, workflow: Workflow) -> list[int | None]:
    """Return the index of the milestone that each step reaches, None for a step that is none of the task's actions.

    It is that of the first action with the same tool and literals whose milestone no earlier step reaches.
    """
    found: list[int | None] = []
    for step in workflow.steps:
        reached = (action.reaches for action in task.actions if action.call.says_the_same_as(step.call))
        found.append(next((milestone for milestone in reached if milestone not in found), None))
    return found
