"""tool_misuse: steps name a plausible but wrong tool.

With the visibility `plan`, the wrong tool has the arguments of the right one.
"""

from __future__ import annotations

from pytest_ultra.core.axes import FlawKind, Visibility
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Step, Workflow, reference
from pytest_ultra.flaws.candidate import Candidate, Change, Draw, damage_steps
from pytest_ultra.flaws.misread_decisions import misread_tools
from pytest_ultra.flaws.plan_context import PlanContext
from pytest_ultra.flaws.tool_signature import DataKind, ToolSignature

_KIND = FlawKind.TOOL_MISUSE


def inject(draw: Draw, optimal: Workflow, size: int) -> Candidate | None:
    if draw.visibility is Visibility.WORLD:
        return misread_tools(draw, optimal, size)
    return damage_steps(draw, optimal, size, changes)


def changes(draw: Draw, workflow: Workflow, number: int) -> list[Change]:
    """Return the wrong tools that a step could name; none with the visibility `world`."""
    if draw.visibility is Visibility.WORLD:
        return []
    call = workflow.steps[number - 1].call
    found = []
    for wrong in draw.context.offered:
        if wrong != call.tool and (arguments := _arguments(draw, workflow, number, wrong)):
            step = Step(Call(wrong, arguments), None, workflow.steps[number - 1].only_if_failed)
            how = f"names {wrong} instead of {call.tool}"
            found.append(Change(_KIND, step, _way(draw.context, call, wrong), how))
    return found


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
    if right is None or bool(call.references) != bool(other.handles):
        return False
    is_needed = any(number in step.call.references for step in workflow.steps) or workflow.answer == number
    return _takes(context, workflow, call, other) and (other.makes(Call(wrong, {})) is not None) == is_needed


def _takes(context: PlanContext, workflow: Workflow, call: Call, other: ToolSignature) -> bool:
    for used in call.references:
        source = workflow.steps[used - 1].call
        kind = context.tools[source.tool].makes(source) if source.tool in context.tools else DataKind.UNKNOWN
        if kind is not DataKind.UNKNOWN and kind not in other.takes:
            return False
    return True
