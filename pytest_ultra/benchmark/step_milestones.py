"""Which milestone of its task each step of a workflow reaches."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_ultra.benchmark.routes import renumbered
from pytest_ultra.benchmark.task import Task
from pytest_ultra.core.workflow import Call, Workflow


def match_steps(task: Task, workflow: Workflow) -> Mapping[int, int]:
    """Return for each milestone that a step reaches, by its index, the number of that step.

    A step reaches the milestone of the action that is the same call; if there is none, that of the first action with
    the same tool and literals. Each milestone is reached once: a step that repeats another reaches none, nor does a
    step that is none of the task's actions.
    """
    step_of: dict[int, int] = {}
    for number, step in enumerate(workflow.steps, start=1):
        similar = [
            action
            for action in task.actions
            if action.reaches not in step_of and action.call.says_the_same_as(step.call)
        ]
        same = (action for action in similar if on_steps(action.call, step_of) == step.call)
        action = next(same, similar[0] if similar else None)
        if action is not None:
            step_of[action.reaches] = number
    return step_of


def on_steps(call: Call, step_of: Mapping[int, int]) -> Call | None:
    """Return the call with references to steps instead of milestones; None if a milestone has no step."""
    has_all = all(milestone - 1 in step_of for milestone in call.references)
    return renumbered(call, step_of) if has_all else None
