"""tool_misuse: steps name a plausible but wrong tool.

With the visibility `plan`, the wrong tool has the arguments of the right one.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_ultra.core.axes import FlawKind, Visibility
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Step, Workflow, reference
from pytest_ultra.flaws.candidate import Candidate, Change, Draw, draw_weighted
from pytest_ultra.flaws.plan_context import PlanContext
from pytest_ultra.flaws.step_damage import damage_steps
from pytest_ultra.flaws.tool_signature import DataKind, ToolSignature

_KIND = FlawKind.TOOL_MISUSE


def inject(draw: Draw, optimal: Workflow, size: int) -> Candidate | None:
    return damage_steps(draw, optimal, size, changes)


def changes(draw: Draw, workflow: Workflow, number: int) -> list[Change]:
    """Return the wrong tools that a step could name, drawn as often as sound plans have them.

    With the visibility `world`, they are those that somebody takes who did not look at the data.
    """
    found = [] if draw.visibility is Visibility.PLAN else list(_without_looking(draw, workflow, number))
    if draw.visibility is Visibility.WORLD:
        return found
    step = workflow.steps[number - 1]
    proposed = [
        Call(wrong, arguments)
        for wrong in draw.context.offered
        if wrong != step.call.tool and (arguments := _arguments(draw, workflow, number, wrong))
    ]
    while proposed:
        weights = [draw.context.tool_commonness(call.tool) for call in proposed]
        wrong = proposed.pop(draw_weighted(weights, draw.chance))
        how = f"names {wrong.tool} instead of {step.call.tool}"
        way = _way(draw.context, step.call, wrong.tool)
        found.append(Change(_KIND, Step(wrong, None, step.only_if_failed), way, how, is_usual=True))
    return found


def _without_looking(draw: Draw, workflow: Workflow, number: int) -> Iterator[Change]:
    right = workflow.steps[number - 1].call.tool
    for misreading in draw.context.misreadings(workflow):
        if misreading.dropped == (number,) and len(misreading.added) == 1 and not misreading.changes:
            step = misreading.added[0]
            if step.call.tool != right:
                how = f"names {step.call.tool} instead of {right}, as one does without looking: {misreading.question}"
                yield Change(_KIND, step, "misread", how, Visibility.WORLD)


def _way(context: PlanContext, call: Call, wrong: str) -> str:
    right = context.tools.get(call.tool)
    return "sibling" if right and context.tools[wrong].category == right.category else "stranger"


def _arguments(draw: Draw, workflow: Workflow, number: int, wrong: str) -> dict[str, Json] | None:
    call = workflow.steps[number - 1].call
    if draw.visibility is Visibility.PLAN:
        return dict(call.arguments)
    if not _fits(draw.context, workflow, number, wrong):
        return None
    arguments = draw.context.arguments_for(workflow, number, wrong, draw.chance)
    if arguments is None:
        return None
    handles = {name: reference(call.references[0]) for name in draw.context.tools[wrong].handles if call.references}
    return {
        name: handles.get(name, arguments.get(name))
        for name in draw.context.tools[wrong].parameters["properties"]
        if name in arguments or name in handles
    }


def _fits(context: PlanContext, workflow: Workflow, number: int, wrong: str) -> bool:
    """Return whether the wrong tool takes what the right one takes, and makes what the later steps need."""
    call = workflow.steps[number - 1].call
    right, other = context.tools.get(call.tool), context.tools[wrong]
    if right is None:
        return False
    is_needed = any(number in step.call.references for step in workflow.steps) or workflow.answer == number
    makes_output = other.makes(Call(wrong, {})) is not None
    if other.open_arguments:
        return makes_output or not is_needed
    is_chained = bool(call.references) == bool(other.handles)
    return is_chained and _takes(context, workflow, call, other) and makes_output == is_needed


def _takes(context: PlanContext, workflow: Workflow, call: Call, other: ToolSignature) -> bool:
    for used in call.references:
        source = workflow.steps[used - 1].call
        kind = context.tools[source.tool].makes(source) if source.tool in context.tools else DataKind.UNKNOWN
        if kind is not DataKind.UNKNOWN and kind not in other.takes:
            return False
    return True
