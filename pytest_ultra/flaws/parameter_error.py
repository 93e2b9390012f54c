"""parameter_error: gives an argument a wrong value, or leaves an optional one out.

With the visibility `plan`, the value is of a wrong type, the argument is a needed one, or a reference goes astray.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_ultra.core.axes import FlawKind, Visibility
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Step, Workflow, reference, referenced_step
from pytest_ultra.flaws.candidate import Candidate, Change, Draw, damage_steps, with_arguments
from pytest_ultra.flaws.misread_decisions import misread_arguments

_KIND = FlawKind.PARAMETER_ERROR


def inject(draw: Draw, optimal: Workflow, size: int) -> Candidate | None:
    if draw.visibility is Visibility.WORLD and draw.chance.choice((True, False)):
        misread = misread_arguments(draw, optimal, size, _KIND)
        if misread is not None:
            return misread
    return damage_steps(draw, optimal, size, changes)


def changes(draw: Draw, workflow: Workflow, number: int) -> list[Change]:
    """Return the ways in which one argument of a step, drawn by chance, could be wrong."""
    call = workflow.steps[number - 1].call
    names = sorted(call.arguments)
    draw.chance.shuffle(names)
    for name in names:
        if draw.visibility is Visibility.PLAN:
            found = list(_obvious(workflow, number, name))
        else:
            found = list(_hidden(draw, workflow, number, name))
        if found:
            return found
    return []


def _hidden(draw: Draw, workflow: Workflow, number: int, name: str) -> Iterator[Change]:
    step = workflow.steps[number - 1]
    for decoy in draw.context.decoys(workflow, number, name):
        if decoy.visibility is draw.visibility:
            yield _change(step, name, decoy.value, decoy.way, "has a wrong value")
    signature = draw.context.tools.get(step.call.tool)
    if draw.visibility is Visibility.JOB and signature and name not in signature.parameters["required"]:
        yield _left_out(step, name)


def _obvious(workflow: Workflow, number: int, name: str) -> Iterator[Change]:
    step = workflow.steps[number - 1]
    value = step.call.arguments[name]
    yield _left_out(step, name)
    if (used := referenced_step(value)) is not None:
        for other in range(1, len(workflow.steps) + 1):
            if other not in (used, number):
                yield _change(step, name, reference(other), "wrong_reference", "is the output of the wrong step")
    else:
        yield _change(step, name, [value], "wrong_type", "has a wrong type")


def _left_out(step: Step, name: str) -> Change:
    others = {key: argument for key, argument in step.call.arguments.items() if key != name}
    return Change(_KIND, Step(Call(step.call.tool, others)), "left_out", f"{name} is left out")


def _change(step: Step, name: str, value: Json, way: str, what: str) -> Change:
    return Change(_KIND, with_arguments(step, **{name: value}), way, f"{name} {what}")
