"""parameter_error: gives arguments a wrong value, type or reference, or leaves them out."""

from __future__ import annotations

from random import Random

from pytest_ultra.core.axes import FlawKind
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Step, Workflow, reference, referenced_step
from pytest_ultra.flaws.candidate import Candidate, Change, change_steps, choose
from pytest_ultra.flaws.plan_context import PlanContext
from pytest_ultra.flaws.wrong_values import alternatives, input_fields, wrong_types

_KIND = FlawKind.PARAMETER_ERROR


def inject(context: PlanContext, optimal: Workflow, size: int, chance: Random) -> Candidate | None:
    chosen = choose(chance, range(1, len(optimal.steps) + 1), size)
    return change_steps(context, optimal, chosen, changes, chance) if chosen else None


def changes(context: PlanContext, workflow: Workflow, number: int, chance: Random) -> list[Change]:
    """Return the ways in which one argument of a step, drawn by chance, could be wrong."""
    call = workflow.steps[number - 1].call
    name = chance.choice(sorted(call.arguments))
    value = call.arguments[name]
    others = {key: argument for key, argument in call.arguments.items() if key != name}
    left_out = Change(_KIND, Step(Call(call.tool, others)), "left_out", f"{name} is left out")
    if (used := referenced_step(value)) is not None:
        steps = [step for step in range(1, len(workflow.steps) + 1) if step not in (used, number)]
        wrong = [
            _change(call, name, reference(step), "wrong_reference", "is the output of the wrong step") for step in steps
        ]
    else:
        options = alternatives(context, call, name, input_fields(context, workflow)[number])
        wrong = [_change(call, name, option, "wrong_value", "has a wrong value") for option in options]
        wrong += [_change(call, name, option, "wrong_type", "has a wrong type") for option in wrong_types(value)]
    return [*wrong, left_out]


def _change(call: Call, name: str, value: Json, way: str, what: str) -> Change:
    return Change(_KIND, Step(Call(call.tool, {**call.arguments, name: value})), way, f"{name} {what}")
