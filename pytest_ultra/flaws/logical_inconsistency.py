"""logical_inconsistency: a condition, a comparison or a data reference contradicts another step or the job."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_ultra.core.axes import FlawKind, Visibility
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Step, Workflow, reference, referenced_step
from pytest_ultra.flaws.candidate import Candidate, Change, Draw, damage_steps, with_arguments
from pytest_ultra.flaws.misread_decisions import added_steps, misread_arguments

_KIND = FlawKind.LOGICAL_INCONSISTENCY


def inject(draw: Draw, optimal: Workflow, size: int) -> Candidate | None:
    if draw.visibility is Visibility.WORLD:
        return misread_arguments(draw, optimal, size, _KIND, is_branch=True) or added_steps(draw, optimal, size)
    return damage_steps(draw, optimal, size, changes)


def changes(draw: Draw, workflow: Workflow, number: int) -> list[Change]:
    """Return the contradictions that a step could have; none with the visibility `world`.

    A condition, which few sound plans have, is the last resort.
    """
    if draw.visibility is Visibility.WORLD:
        return []
    turned = list(_turned_round(workflow, number))
    if turned and draw.visibility is Visibility.JOB:
        return turned
    return [*turned, *_past_the_result(workflow, number), *_on_failure_only(draw, workflow, number)]


def _on_failure_only(draw: Draw, workflow: Workflow, number: int) -> Iterator[Change]:
    """Do the step only if an earlier one failed, although the job wants both.

    With the visibility `plan`, it may build on the step that is to fail.
    """
    step = workflow.steps[number - 1]
    for earlier in range(1, number):
        if draw.visibility is Visibility.PLAN or earlier not in _needs(workflow, number):
            how = f"is tied to the failure of step {earlier}, though both are needed"
            yield Change(_KIND, Step(step.call, step.fallback, earlier), "contrary_condition", how)


def _needs(workflow: Workflow, number: int) -> set[int]:
    direct = set(workflow.steps[number - 1].call.references)
    return direct.union(*(_needs(workflow, used) for used in direct if used < number))


def _past_the_result(workflow: Workflow, number: int) -> Iterator[Change]:
    """Work on the input of an earlier step instead of its output."""
    call = workflow.steps[number - 1].call
    for used in call.references:
        for before in workflow.steps[used - 1].call.references:
            arguments = {name: _replace(value, used, before) for name, value in call.arguments.items()}
            how = f"passes over step {used}, whose result it is there to use"
            yield Change(_KIND, Step(Call(call.tool, arguments)), "bypass", how)


def _replace(argument: Json, used: int, before: int) -> Json:
    return reference(before) if referenced_step(argument) == used else argument


_OPPOSITES = {
    "operator": {"gt": "lt", "lt": "gt", "gte": "lte", "lte": "gte", "+": "-", "-": "+"},
    "order": {"ascending": "descending", "descending": "ascending"},
    "function": {"min": "max", "max": "min"},
}


def _turned_round(workflow: Workflow, number: int) -> Iterator[Change]:
    """Turn a comparison into its opposite, which contradicts what the other steps are about."""
    step = workflow.steps[number - 1]
    for name, opposites in _OPPOSITES.items():
        opposite = opposites.get(str(step.call.arguments.get(name)))
        if opposite is not None:
            how = f"{name} is the opposite of what the other steps are about"
            yield Change(_KIND, with_arguments(step, **{name: opposite}), "opposite", how)
