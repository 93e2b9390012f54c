"""tool_misuse: steps name a plausible but wrong tool."""

from __future__ import annotations

from random import Random
from typing import Any

from pytest_ultra.core.axes import FlawKind
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Step, Workflow, reference, referenced_step
from pytest_ultra.flaws.candidate import Candidate, Change, change_steps, choose
from pytest_ultra.flaws.plan_context import PlanContext

_KIND = FlawKind.TOOL_MISUSE


def inject(context: PlanContext, optimal: Workflow, size: int, chance: Random) -> Candidate | None:
    chosen = choose(chance, range(1, len(optimal.steps) + 1), size)
    return change_steps(context, optimal, chosen, changes, chance) if chosen else None


def changes(context: PlanContext, workflow: Workflow, number: int, chance: Random) -> list[Change]:
    """Return the wrong tools that a step could name: those of the same category, if any is offered."""
    call = workflow.steps[number - 1].call
    found = [_change(context, workflow, number, wrong, chance) for wrong in context.offered if wrong != call.tool]
    siblings = [change for change in found if change.way == "sibling"]
    return siblings or found


def _change(context: PlanContext, workflow: Workflow, number: int, wrong: str, chance: Random) -> Change:
    call = workflow.steps[number - 1].call
    step = Step(Call(wrong, _adapt(context, call, wrong, number, chance)))
    return Change(_KIND, step, _way(context, workflow, call, wrong), f"names {wrong} instead of {call.tool}")


def _way(context: PlanContext, workflow: Workflow, call: Call, wrong: str) -> str:
    if context.tools[wrong].category == context.tools[call.tool].category:
        return "sibling"
    return "tool_of_another_step" if wrong in {step.call.tool for step in workflow.steps} else "stranger"


def _adapt(context: PlanContext, call: Call, tool: str, number: int, chance: Random) -> dict[str, Json]:
    """Fill the wrong tool's parameters with what the right call had, as a careless author would."""
    schema = context.tools[tool].parameters
    return {
        name: call.arguments[name] if name in call.arguments else _fill(call, name, details, number, chance)
        for name, details in schema["properties"].items()
        if name in schema["required"] or name in call.arguments
    }


def _fill(call: Call, name: str, details: dict[str, Any], number: int, chance: Random) -> Json:
    if "enum" in details:
        return chance.choice(details["enum"])
    if name == "data":
        return reference(call.references[0] if call.references else max(number - 1, 1))
    kind = details.get("type")
    if kind in ("number", "integer"):
        return chance.randint(2, 9)
    texts = [value for value in call.arguments.values() if isinstance(value, str) and referenced_step(value) is None]
    text = chance.choice(texts) if texts else "default"
    return {"object": {text: text}, "array": [text]}.get(str(kind), text)
