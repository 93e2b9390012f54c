"""parameter_error: arguments are wrong in value, type, path or reference."""

from __future__ import annotations

from random import Random

from pytest_ultra.benchmark.flaws.alternatives import alternatives, wrong_types
from pytest_ultra.benchmark.flaws.candidate import Candidate, choose, replace_steps
from pytest_ultra.benchmark.rehearsal import rehearse
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.workflow import Call, Step, Workflow, reference, referenced_step
from pytest_ultra.benchmark.world import Json, World

Change = tuple[Json, str]


def inject(task: Task, optimal: Workflow, size: int, chance: Random) -> Candidate | None:
    chosen = choose(chance, range(1, len(optimal.steps) + 1), size)
    if chosen is None:
        return None
    changed: dict[int, Step] = {}
    how: dict[int, str] = {}
    columns = input_fields(task, optimal)
    for number in chosen:
        call = optimal.steps[number - 1].call
        name = chance.choice(sorted(call.arguments))
        changes = _changes(task, optimal, number, name, columns[number])
        if not changes:
            return None
        value, how[number] = chance.choice(changes)
        changed[number] = Step(Call(call.tool, {**call.arguments, name: value}))
    return replace_steps(optimal, changed, how)


def input_fields(task: Task, workflow: Workflow) -> dict[int, list[str]]:
    """Return for each step the columns of the table that it works on; none where it works on no table."""
    rehearsal = rehearse(task, workflow)
    made = {number: _columns(rehearsal.world, seen.output) for number, seen in rehearsal.progress.done.items()}
    steps = enumerate(workflow.steps, start=1)
    return {number: next((made[used] for used in step.call.references), []) for number, step in steps}


def _columns(world: World, handle: Json) -> list[str]:
    value = world.artefacts.get(handle) if isinstance(handle, str) else None
    is_table = isinstance(value, list) and value and isinstance(value[0], dict)
    return list(value[0]) if is_table and isinstance(value, list) else []


def _changes(task: Task, optimal: Workflow, number: int, name: str, fields: list[str]) -> list[Change]:
    call = optimal.steps[number - 1].call
    value = call.arguments[name]
    if (used := referenced_step(value)) is not None:
        others = [step for step in range(1, len(optimal.steps) + 1) if step not in (used, number)]
        return [(reference(step), f"{name} is the output of the wrong step") for step in others]
    wrong = [(option, f"{name} has a wrong value") for option in alternatives(task, call, name, fields)]
    return wrong + [(option, f"{name} has a wrong type") for option in wrong_types(value)]
