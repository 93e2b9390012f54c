"""semantic_drift: from some step on, the plan serves a different goal."""

from __future__ import annotations

from random import Random

from pytest_ultra.core.axes import FlawKind
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.plan_follower import StepResult
from pytest_ultra.core.workflow import Call, Step, Workflow
from pytest_ultra.flaws.candidate import Candidate, Change, replace_steps
from pytest_ultra.flaws.plan_context import PlanContext
from pytest_ultra.flaws.wrong_values import alternatives, input_fields, is_name

MOST_TRIES = 6

_KIND = FlawKind.SEMANTIC_DRIFT


def inject(context: PlanContext, optimal: Workflow, size: int, chance: Random) -> Candidate | None:
    """Change the last `size` steps, one after the other, each to something that still runs.

    A step is changed even if no change of it would run: then the drift is a dead end.
    """
    drifting = optimal
    changed: dict[int, Change] = {}
    for number in range(len(optimal.steps) - size + 1, len(optimal.steps) + 1):
        options = _options(context, drifting, number)
        chance.shuffle(options)
        working = (option for option in options[:MOST_TRIES] if _works(context, drifting, number, option))
        chosen = next(working, options[0] if options else None)
        if chosen is None:
            return None
        changed[number] = chosen
        steps = (*drifting.steps[: number - 1], chosen.step, *drifting.steps[number:])
        drifting = Workflow(steps, optimal.answer)
    return replace_steps(optimal, changed)


def _options(context: PlanContext, workflow: Workflow, number: int) -> list[Change]:
    call = workflow.steps[number - 1].call
    fields = input_fields(context, workflow)[number]
    return [
        _change(context, call, name, value)
        for name in sorted(call.arguments)
        for value in alternatives(context, call, name, fields)
    ]


def _change(context: PlanContext, call: Call, name: str, value: Json) -> Change:
    step = Step(Call(call.tool, {**call.arguments, name: value}))
    way = _way(context, call.arguments[name])
    return Change(_KIND, step, way, f"serves another goal: {_WORDS[way]} ({name})")


_WORDS = {"other_subject": "another subject", "other_place": "another place", "other_question": "another question"}


def _way(context: PlanContext, value: Json) -> str:
    """Return what drifts: the subject (a known name), the place of the result, or the question."""
    if is_name(context.names, value):
        return "other_subject"
    is_place = isinstance(value, str) and not value.isidentifier()
    return "other_place" if is_place else "other_question"


def _works(context: PlanContext, workflow: Workflow, number: int, change: Change) -> bool:
    changed_plan = Workflow((*workflow.steps[: number - 1], change.step))
    return context.rehearse(changed_plan).done.get(number, StepResult(is_success=False)).is_success
