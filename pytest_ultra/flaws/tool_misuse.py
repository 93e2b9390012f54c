"""tool_misuse: steps name a plausible but wrong tool."""

from __future__ import annotations

from random import Random
from typing import Any

from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.core.axes import FlawKind
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Step, Workflow, reference, referenced_step
from pytest_ultra.flaws.candidate import Candidate, Change, change_steps, choose

_KIND = FlawKind.TOOL_MISUSE


def inject(task: Task, optimal: Workflow, size: int, chance: Random) -> Candidate | None:
    chosen = choose(chance, range(1, len(optimal.steps) + 1), size)
    return change_steps(task, optimal, chosen, changes, chance) if chosen else None


def changes(task: Task, workflow: Workflow, number: int, chance: Random) -> list[Change]:
    """Return the wrong tools that a step could name: only of the same category where one of it is offered."""
    call = workflow.steps[number - 1].call
    found = [_change(workflow, call, wrong, number, chance) for wrong in task.tools if wrong != call.tool]
    siblings = [change for change in found if change.way == "sibling"]
    return siblings or found


def _change(workflow: Workflow, call: Call, wrong: str, number: int, chance: Random) -> Change:
    step = Step(Call(wrong, _adapt(call, wrong, number, chance)))
    return Change(_KIND, step, _way(workflow, call, wrong), f"names {wrong} instead of {call.tool}")


def _way(workflow: Workflow, call: Call, wrong: str) -> str:
    if TOOLS[wrong].category == TOOLS[call.tool].category:
        return "sibling"
    return "tool_of_another_step" if wrong in {step.call.tool for step in workflow.steps} else "stranger"


def _adapt(call: Call, tool: str, number: int, chance: Random) -> dict[str, Json]:
    """Fill the wrong tool's parameters with what the right call had, as a careless author would."""
    schema = TOOLS[tool].parameters
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
