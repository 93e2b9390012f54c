"""parameter_error: gives an argument a wrong value, or leaves an optional one out.

With the visibility `plan`, the value is of a wrong type, the argument is a needed one, or a reference goes astray.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_ultra.core.axes import FlawKind, Visibility
from pytest_ultra.core.workflow import Call, Step, Workflow, reference, referenced_step
from pytest_ultra.flaws.candidate import Candidate, Change, Draw, with_arguments
from pytest_ultra.flaws.misread_decisions import misread_arguments
from pytest_ultra.flaws.plan_context import Decoy
from pytest_ultra.flaws.step_damage import damage_steps

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
    others: list[Change] = []
    for name in names:
        if draw.visibility is Visibility.PLAN:
            found = list(_obvious(workflow, number, name))
        else:
            found = list(_hidden(draw, workflow, number, name))
        wanted = [change for change in found if change.visibility is draw.visibility]
        if wanted:
            return wanted
        others = others or found
    return others


def _hidden(draw: Draw, workflow: Workflow, number: int, name: str) -> Iterator[Change]:
    step = workflow.steps[number - 1]
    for decoy in draw.context.decoys(workflow, number, name):
        yield _change(step, name, decoy, "has a wrong value")
    signature = draw.context.tools.get(step.call.tool)
    if signature and name not in signature.parameters["required"]:
        yield _left_out(step, name, Visibility.JOB)


def _obvious(workflow: Workflow, number: int, name: str) -> Iterator[Change]:
    step = workflow.steps[number - 1]
    value = step.call.arguments[name]
    yield _left_out(step, name, Visibility.PLAN)
    if (used := referenced_step(value)) is not None:
        for other in range(1, len(workflow.steps) + 1):
            if other not in (used, number):
                decoy = Decoy(reference(other), Visibility.PLAN, "wrong_reference")
                yield _change(step, name, decoy, "is the output of the wrong step")
    else:
        yield _change(step, name, Decoy([value], Visibility.PLAN, "wrong_type"), "has a wrong type")


def _left_out(step: Step, name: str, visibility: Visibility) -> Change:
    others = {key: argument for key, argument in step.call.arguments.items() if key != name}
    return Change(_KIND, Step(Call(step.call.tool, others)), "left_out", f"{name} is left out", visibility)


def _change(step: Step, name: str, decoy: Decoy, what: str) -> Change:
    return Change(_KIND, with_arguments(step, **{name: decoy.value}), decoy.way, f"{name} {what}", decoy.visibility)
