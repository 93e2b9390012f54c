"""logical_inconsistency: a condition or a data reference contradicts another step."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pytest_ultra.core.axes import FlawKind
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Step, Workflow, reference, referenced_step
from pytest_ultra.flaws.candidate import Candidate, Change, change_steps, choose
from pytest_ultra.flaws.plan_context import PlanContext

_KIND = FlawKind.LOGICAL_INCONSISTENCY


def inject(context: PlanContext, optimal: Workflow, size: int, chance: Random) -> Candidate | None:
    chosen = choose(chance, range(2, len(optimal.steps) + 1), size)
    return change_steps(context, optimal, chosen, changes, chance) if chosen else None


def changes(context: PlanContext, workflow: Workflow, number: int, chance: Random) -> list[Change]:  # noqa: ARG001 - a Changer
    """Return the contradictions that a step could have; the first step has none."""
    found = (_on_failure_only(workflow, number), _past_the_result(workflow, number), _turned_round(workflow, number))
    return [change for some in found for change in some]


def _on_failure_only(workflow: Workflow, number: int) -> Iterator[Change]:
    """Do the step only if an earlier one failed, although it or a later step needs both."""
    call = workflow.steps[number - 1].call
    for earlier in call.references or (number - 1,):
        if 0 < earlier < number:
            step = Step(call, only_if_failed=earlier)
            yield Change(
                _KIND, step, "contrary_condition", f"is tied to the failure of step {earlier}, which it builds on"
            )


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
    "operator": {"gt": "lte", "lt": "gte", "gte": "lt", "lte": "gt", "eq": "ne", "ne": "eq"},
    "order": {"ascending": "descending", "descending": "ascending"},
    "function": {"min": "max", "max": "min"},
}


def _turned_round(workflow: Workflow, number: int) -> Iterator[Change]:
    """Turn a condition into its opposite, which contradicts the other steps."""
    call = workflow.steps[number - 1].call
    for name, opposites in _OPPOSITES.items():
        opposite = opposites.get(str(call.arguments.get(name)))
        if opposite is not None:
            step = Step(Call(call.tool, {**call.arguments, name: opposite}))
            yield Change(_KIND, step, "opposite", f"{name} is the opposite of what the other steps are about")
