"""tool_misuse: steps name a plausible but wrong tool."""

from __future__ import annotations

from random import Random
from typing import Any

from pytest_ultra.benchmark.flaws.candidate import Candidate, choose, replace_steps
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.benchmark.workflow import Call, Step, Workflow, reference, referenced_step
from pytest_ultra.benchmark.world import Json


def inject(task: Task, optimal: Workflow, size: int, chance: Random) -> Candidate | None:
    """Name another of the offered tools, one of the same category where there is one."""
    chosen = choose(chance, range(1, len(optimal.steps) + 1), size)
    if chosen is None:
        return None
    changed: dict[int, Step] = {}
    how: dict[int, str] = {}
    for number in chosen:
        call = optimal.steps[number - 1].call
        wrong = _wrong_tool(task, call.tool, chance)
        if wrong is None:
            return None
        changed[number] = Step(Call(wrong, _adapt(call, wrong, number, chance)))
        how[number] = f"names {wrong} instead of {call.tool}"
    return replace_steps(optimal, changed, how)


def _wrong_tool(task: Task, right: str, chance: Random) -> str | None:
    others = [name for name in task.tools if name != right]
    siblings = [name for name in others if TOOLS[name].category == TOOLS[right].category]
    return chance.choice(siblings or others) if others else None


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
