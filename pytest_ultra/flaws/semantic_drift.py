"""semantic_drift: from some step on, the plan serves a neighbouring goal, and does so consistently."""

from __future__ import annotations

from pytest_ultra.core.axes import FlawKind, Visibility
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Step, Workflow, referenced_step
from pytest_ultra.flaws.candidate import Candidate, Change, Draw, replace_steps, with_arguments
from pytest_ultra.flaws.misread_decisions import misread_arguments
from pytest_ultra.flaws.plan_context import PlanContext

_KIND = FlawKind.SEMANTIC_DRIFT


def inject(draw: Draw, optimal: Workflow, size: int) -> Candidate | None:
    """Change the last `size` steps. What one of them changes stays changed in those after it.

    With the visibility `plan`, the drift does not run: the plan names a field or a thing that it has dropped.
    """
    count = len(optimal.steps)
    among = range(count - size + 1, count + 1)
    if draw.visibility is Visibility.WORLD:
        misread = misread_arguments(draw, optimal, size, _KIND, among=among)
        if misread is not None:
            return misread
    drifting = optimal
    changed: dict[int, Change] = {}
    replaced: list[tuple[Json, Json]] = []
    for number in among:
        step = drifting.steps[number - 1]
        followed = _follow(step, replaced)
        is_own = followed == step or draw.visibility is Visibility.PLAN
        own = _draw_value(draw, drifting, number) if is_own else None
        if own is not None:
            name, value = own
            replaced.append((step.call.arguments[name], value))
            followed = _follow(with_arguments(step, **{name: value}), replaced[:-1])
        if followed == step:
            return None
        changed[number] = _change(draw.context, step, followed)
        drifting = Workflow((*drifting.steps[: number - 1], followed, *drifting.steps[number:]), optimal.answer)
    return replace_steps(optimal, changed)


def _follow(step: Step, replaced: list[tuple[Json, Json]]) -> Step:
    """Replace what earlier steps of the drift have replaced."""
    arguments = {}
    for name, value in step.call.arguments.items():
        if referenced_step(value) is None and isinstance(value, str):
            new = next((after for before, after in replaced if before == value and isinstance(before, str)), value)
            if new != value:
                arguments[name] = new
    return with_arguments(step, **arguments) if arguments else step


def _draw_value(draw: Draw, workflow: Workflow, number: int) -> tuple[str, Json] | None:
    """Draw an argument and its wrong value."""
    call = workflow.steps[number - 1].call
    options: dict[str, list[Json]] = {}
    for name in sorted(call.arguments):
        decoys = draw.context.decoys(workflow, number, name)
        if draw.visibility is Visibility.PLAN:
            values: list[Json] = [[call.arguments[name]]] if referenced_step(call.arguments[name]) is None else []
        else:
            values = [decoy.value for decoy in decoys if decoy.visibility is draw.visibility]
        if values:
            options[name] = values
    if not options:
        return None
    name = draw.chance.choice(sorted(options))
    return name, draw.chance.choice(options[name])


def _change(context: PlanContext, right: Step, wrong: Step) -> Change:
    names = [name for name, value in wrong.call.arguments.items() if right.call.arguments.get(name) != value]
    way = _way(right.call.arguments[names[0]], context)
    return Change(_KIND, wrong, way, f"serves another goal: {_WORDS[way]} ({', '.join(names)})")


_WORDS = {"other_place": "another place or subject", "other_question": "another question"}


def _way(value: Json, context: PlanContext) -> str:
    is_thing = isinstance(value, str) and not value.isidentifier() and context.is_named(value)
    return "other_place" if is_thing else "other_question"
