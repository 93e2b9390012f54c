"""semantic_drift: from some step on, the plan serves a neighbouring goal, and does so consistently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_ultra.core.axes import FlawKind, Visibility
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Step, Workflow, referenced_step
from pytest_ultra.flaws.candidate import Candidate, Change, Draw, is_as_usual, replace_steps, with_arguments
from pytest_ultra.flaws.misread_decisions import misread_arguments
from pytest_ultra.flaws.plan_context import PlanContext
from pytest_ultra.flaws.step_damage import MOST_TRIED, is_unflagged

_KIND = FlawKind.SEMANTIC_DRIFT
Value = tuple[str, Json, Visibility]
"""An argument, a wrong value, and what shows that it is wrong."""


def inject(draw: Draw, optimal: Workflow, size: int) -> Candidate | None:
    """Change `size` of the steps that can be changed, one after the other and as late as possible.

    What one of them changes stays changed in those after it.

    With the visibility `plan`, all of the last steps change and the drift does not run: the plan names a field or a
    thing that it has dropped. With `job`, the words contradict at least one of the changes; only the world may
    contradict the others.
    """
    count = len(optimal.steps)
    if draw.visibility is Visibility.PLAN:
        own = list(range(count - size + 1, count + 1))
        return _drift(draw, optimal, own, size, {number: _values(draw, optimal, number) for number in own})
    if draw.visibility is Visibility.WORLD and draw.chance.choice((True, False)):
        misread = misread_arguments(draw, optimal, size, _KIND, among=range(count - size + 1, count + 1))
        if misread is not None:
            return misread
    values = {number: _values(draw, optimal, number) for number in range(1, count + 1)}
    changeable = [number for number in values if values[number]]
    for end in range(len(changeable), 0, -1):
        for start in range(max(0, end - size), end):
            if (candidate := _drift(draw, optimal, changeable[start:end], size, values)) is not None:
                return candidate
    return None


def _drift(
    draw: Draw, optimal: Workflow, own: list[int], size: int, values: Mapping[int, Sequence[Value]]
) -> Candidate | None:
    """Change each of the steps `own`, and what follows from that in the steps between; None unless it makes `size`."""
    drifting = optimal
    changed: dict[int, Change] = {}
    replaced: list[tuple[Json, Json]] = []
    seen: list[Visibility] = []
    for number in range(own[0], len(optimal.steps) + 1):
        step = drifting.steps[number - 1]
        followed = _follow(step, replaced)
        if number in own and (followed == step or draw.visibility is Visibility.PLAN):
            drawn = _draw_value(draw, drifting, number, values[number])
            if drawn is not None:
                name, value, shown_by = drawn
                seen.append(shown_by)
                replaced.append((step.call.arguments[name], value))
                followed = _follow(with_arguments(step, **{name: value}), replaced[:-1])
        if followed != step:
            changed[number] = _change(draw.context, step, followed)
            drifting = Workflow((*drifting.steps[: number - 1], followed, *drifting.steps[number:]), optimal.answer)
    is_seen = draw.visibility is not Visibility.JOB or Visibility.JOB in seen
    return replace_steps(optimal, changed) if len(changed) == size and is_seen else None


def _follow(step: Step, replaced: list[tuple[Json, Json]]) -> Step:
    """Replace what earlier steps of the drift have replaced."""
    arguments = {}
    for name, value in step.call.arguments.items():
        if referenced_step(value) is None and isinstance(value, str):
            new = next((after for before, after in replaced if before == value and isinstance(before, str)), value)
            if new != value:
                arguments[name] = new
    return with_arguments(step, **arguments) if arguments else step


def _draw_value(draw: Draw, drifting: Workflow, number: int, values: Sequence[Value]) -> Value | None:
    """Draw an argument, its wrong value, and what shows that it is wrong."""
    wanted = [value for value in values if value[2] is draw.visibility]
    step = drifting.steps[number - 1]
    options = wanted or values
    names = sorted({name for name, _, _ in options})
    draw.chance.shuffle(names)
    for name, must_be_usual in [*((name, True) for name in names), *((name, False) for name in names)]:
        alike = [value for value in options if value[0] == name]
        for option in draw.chance.sample(alike, min(MOST_TRIED, len(alike))):
            wrong = with_arguments(step, **{name: option[1]})
            if must_be_usual and not is_as_usual(draw, step.call, wrong.call):
                continue
            change = _change(draw.context, step, wrong)
            if draw.visibility is Visibility.PLAN or is_unflagged(draw, drifting, {number: change}):
                return option
    return None


def _values(draw: Draw, workflow: Workflow, number: int) -> list[Value]:
    """Return the arguments of a step with their wrong values, and what shows that they are wrong."""
    literals = sorted(workflow.steps[number - 1].call.literals.items())
    if draw.visibility is Visibility.PLAN:
        return [(name, [value], Visibility.PLAN) for name, value in literals]
    return [
        (name, decoy.value, decoy.visibility)
        for name, _ in literals
        for decoy in draw.context.decoys(workflow, number, name)
        if draw.visibility is Visibility.JOB or decoy.visibility is Visibility.WORLD
    ]


def _change(context: PlanContext, right: Step, wrong: Step) -> Change:
    names = [name for name, value in wrong.call.arguments.items() if right.call.arguments.get(name) != value]
    way = _way(right.call.arguments[names[0]], context)
    return Change(_KIND, wrong, way, f"serves another goal: {_WORDS[way]} ({', '.join(names)})")


_WORDS = {"other_place": "another place or subject", "other_question": "another question"}


def _way(value: Json, context: PlanContext) -> str:
    is_thing = isinstance(value, str) and not value.isidentifier() and context.is_named(value)
    return "other_place" if is_thing else "other_question"
