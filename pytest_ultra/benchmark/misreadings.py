"""What a task's workflow becomes when decisions are got wrong."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ultra.benchmark.decisions import Decision, Misreading
from pytest_ultra.benchmark.facts import FactKind
from pytest_ultra.benchmark.task import Action, Task
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Step, Workflow, reference, referenced_step


def naive_workflow(task: Task, decisions: Sequence[Decision]) -> Workflow:
    """Return what an agent does that gets these decisions wrong for want of the skill, and everything else right."""
    naive = [decision.naive for decision in decisions]
    return misread_workflow(task, [misreading for misreading in naive if misreading is not None])


def misread_workflow(task: Task, misreadings: Sequence[Misreading]) -> Workflow:
    """Return the workflow that carries the misreadings out; without any, a workflow that reaches the goal.

    What builds on a dropped milestone works on its input instead.
    """
    dropped = {index for misreading in misreadings for index in misreading.dropped}
    changes = {
        (change.milestone, change.argument): change.value for misreading in misreadings for change in misreading.changes
    }
    firsts = _first_actions(task)
    calls = {index: _change(action.call, index, changes) for index, action in firsts.items() if index not in dropped}
    number = {index: position for position, index in enumerate(calls, start=1)}
    inputs = {index: _input_of(firsts[index]) for index in dropped if index in firsts}
    added = [call for misreading in misreadings for call in misreading.added]
    made = [_renumber(call, number, inputs) for call in (*calls.values(), *added)]
    answers = [milestone for milestone in task.milestones if milestone.fact.kind is FactKind.ANSWER]
    answer = _resolve(answers[0].needs[-1], number, inputs) if answers else None
    return Workflow(tuple(map(Step, made)), answer)


def _first_actions(task: Task) -> dict[int, Action]:
    """Return for each milestone the first action that reaches it, in order."""
    firsts: dict[int, Action] = {}
    for action in task.actions:
        firsts.setdefault(action.reaches, action)
    return firsts


def _change(call: Call, index: int, changes: dict[tuple[int, str], Json]) -> Call:
    return Call(call.tool, {name: changes.get((index, name), value) for name, value in call.arguments.items()})


def _input_of(action: Action) -> int | None:
    """Return the index of the milestone whose output an action works on."""
    data = referenced_step(action.call.arguments.get("data"))
    return None if data is None else data - 1


def _renumber(call: Call, number: dict[int, int], inputs: dict[int, int | None]) -> Call:
    def translate(milestone: int) -> Json:
        step = _resolve(milestone - 1, number, inputs)
        return "the input" if step is None else reference(step)

    return call.with_references(translate)


def _resolve(index: int | None, number: dict[int, int], inputs: dict[int, int | None]) -> int | None:
    while index is not None and index not in number:
        index = inputs.get(index)
    return None if index is None else number[index]
