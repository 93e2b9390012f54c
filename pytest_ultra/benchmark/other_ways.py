"""The other ways of a workflow: what to call where a tool, or what it works on, is down."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pytest_ultra.benchmark.fault_proofs import find_down_target
from pytest_ultra.benchmark.routes import find_route
from pytest_ultra.benchmark.step_milestones import match_steps, on_steps
from pytest_ultra.benchmark.task import Task
from pytest_ultra.core.workflow import Step, Workflow


def with_other_ways(task: Task, workflow: Workflow) -> Workflow:
    """Return the workflow with a fallback for each step that a permanent fault can take down.

    Steps that are none of the task's actions, as in a plan of the user's own, get none.
    """
    step_of = match_steps(task, workflow)
    steps = list(workflow.steps)
    for milestone, number in step_of.items():
        steps[number - 1] = _with_other_way(task, steps[number - 1], milestone, step_of)
    return msgspec.structs.replace(workflow, steps=tuple(steps))


def _with_other_way(task: Task, step: Step, milestone: int, step_of: Mapping[int, int]) -> Step:
    target = None if step.fallback else find_down_target(task, step.call)
    route = None if target is None else find_route(task, (target,))
    other = None if route is None else on_steps(route.calls[milestone], step_of)
    return step if other is None else msgspec.structs.replace(step, fallback=other)
