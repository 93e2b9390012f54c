"""semantic_drift: from some step on, the plan serves a different goal."""

from __future__ import annotations

from random import Random

from pytest_ultra.benchmark.flaws.alternatives import alternatives
from pytest_ultra.benchmark.flaws.candidate import Candidate, replace_steps
from pytest_ultra.benchmark.flaws.parameters import input_fields
from pytest_ultra.benchmark.following import Seen
from pytest_ultra.benchmark.rehearsal import rehearse
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.workflow import Call, Step, Workflow

MOST_TRIES = 6


def inject(task: Task, optimal: Workflow, size: int, chance: Random) -> Candidate | None:
    """Change the last `size` steps, one after the other, each to something that still works on what is there.

    A step for which nothing else would work is changed all the same: the drift is then a dead end.
    """
    drifting = optimal
    first = len(optimal.steps) - size + 1
    for number in range(first, len(optimal.steps) + 1):
        step = _drift(task, drifting, number, chance)
        if step is None:
            return None
        drifting = Workflow((*drifting.steps[: number - 1], step, *drifting.steps[number:]), optimal.answer)
    changed = {number: drifting.steps[number - 1] for number in range(first, len(optimal.steps) + 1)}
    return replace_steps(optimal, changed, dict.fromkeys(changed, "serves another goal"))


def _drift(task: Task, workflow: Workflow, number: int, chance: Random) -> Step | None:
    call = workflow.steps[number - 1].call
    fields = input_fields(task, workflow)[number]
    options = [
        Call(call.tool, {**call.arguments, name: value})
        for name in sorted(call.arguments)
        for value in alternatives(task, call, name, fields)
    ]
    chance.shuffle(options)
    working = (option for option in options[:MOST_TRIES] if _works(task, workflow, number, option))
    chosen = next(working, options[0] if options else None)
    return Step(chosen) if chosen else None


def _works(task: Task, workflow: Workflow, number: int, call: Call) -> bool:
    begun = Workflow((*workflow.steps[: number - 1], Step(call)))
    return rehearse(task, begun).progress.done.get(number, Seen(is_success=False)).is_success
