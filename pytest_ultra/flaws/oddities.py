"""Oddities of a plan that change nothing of what it comes to: sound and flawed plans have them equally often.

So they do not give a flaw away, and an agent that distrusts them distrusts without a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

import msgspec

from pytest_ultra.core.axes import FlawKind
from pytest_ultra.core.guidance import Damage
from pytest_ultra.core.workflow import Call, Step, Workflow
from pytest_ultra.flaws.candidate import Candidate, Origin, draw_usual, renumber
from pytest_ultra.flaws.linter import is_clean
from pytest_ultra.flaws.plan_context import PlanContext
from pytest_ultra.flaws.proof import adds_strange_literals
from pytest_ultra.flaws.redundant_operations import Extra, add_steps
from pytest_ultra.flaws.sequence_disorder import draw_order, reorder

MOST_ODDITIES = 4
MOST_DRAWS = 8
MOST_ORDERS = 12
MOST_CONDITIONS = 1

Oddity = Callable[[PlanContext, Candidate, Random], Candidate | None]
"""(surroundings, plan, chance) to the plan with the oddity; None if the draw made none."""
Keeps = Callable[[Candidate], bool]
"""Whether a plan with an oddity is still what it is to be."""


def unchanged(plan: Workflow) -> Candidate:
    """Return a plan as a candidate without damage."""
    return Candidate(plan, (), tuple(range(1, len(plan.steps) + 1)))


def add_oddities(
    context: PlanContext, plan: Candidate, chance: Random, keeps: Keeps, *, beside: FlawKind | None = None
) -> Candidate:
    """Add some oddities, of which each leaves the plan's effects as they are and `keeps` true; without luck, none.

    None of them names what a check of literals against the words would find. Damaged steps stay as they are. Beside
    `redundant_operations`, none makes the plan longer but the second try of a delivery; beside `sequence_disorder`, one
    that makes it longer is enough.
    """
    if not is_clean(plan.workflow, context.tools):
        return plan
    effects = context.rehearse(plan.workflow).effects
    wanted = 1 if beside is FlawKind.SEQUENCE_DISORDER else chance.randint(2, MOST_ODDITIES)
    left = [*_BESIDE.get(beside, _ALL)]
    for _ in range(MOST_DRAWS):
        oddity = chance.choice(left)
        odd = oddity(context, plan, chance)
        if odd is None or adds_strange_literals(context, plan.workflow, odd.workflow):
            continue
        if keeps(odd) and _has_effects(context, odd, effects):
            plan, wanted = odd, wanted - 1
            left = [other for other in left if other is not oddity]
        if wanted == 0 or not left:
            break
    return plan


def add_idle_steps(context: PlanContext, plan: Candidate, chance: Random, keeps: Keeps, count: int) -> Candidate:
    """Add steps that work on the plan's data and change nothing, with `keeps` still true; fewer without luck."""
    effects = context.rehearse(plan.workflow).effects if count else None
    for _ in range(MOST_DRAWS * count):
        odd = _idle_step(context, plan, chance)
        if odd is not None and keeps(odd) and _has_effects(context, odd, effects):
            plan, count = odd, count - 1
        if odd is None or not count:
            break
    return plan


def _has_effects(context: PlanContext, plan: Candidate, effects: object) -> bool:
    return context.rehearse(plan.workflow).effects == effects


def _other_order(context: PlanContext, plan: Candidate, chance: Random) -> Candidate | None:
    """Do the steps in an order that is as good; damaged ones work on what they worked on."""
    has_conditions = any(step.only_if_failed for step in plan.workflow.steps)
    if has_conditions or any(damage.kind is FlawKind.SEQUENCE_DISORDER for damage in plan.damages):
        return None
    effects = context.rehearse(plan.workflow).effects
    for _ in range(MOST_ORDERS):
        order = draw_order(plan.workflow, chance.randint(1, 3), chance)
        if order is not None:
            other = reorder(plan.workflow, order)
            is_same = _keeps_damage(plan, other) and is_clean(other.workflow, context.tools)
            if is_same and _has_effects(context, other, effects):
                return _on_top(plan, other.workflow, other.origin)
    return None


def _keeps_damage(plan: Candidate, other: Candidate) -> bool:
    """Return whether the damaged steps of a plan are in its other order as they were, apart from numbers.

    Of two equal calls, of which one is damaged, the same still comes first.
    """
    place = {number: position for position, number in enumerate(other.origin, start=1) if number}
    damaged = [damage.flawed_step for damage in plan.damages if damage.flawed_step]
    steps = plan.workflow.steps
    return all(
        renumber(steps[number - 1], place) == other.workflow.steps[place[number] - 1]
        and all(
            (place[same] < place[number]) == (same < number)
            for same, step in enumerate(steps, start=1)
            if step.call == steps[number - 1].call
        )
        for number in damaged
    )


def _other_tool(context: PlanContext, plan: Candidate, chance: Random) -> Candidate | None:
    """Make another of two equivalent calls."""
    damaged = {damage.flawed_step for damage in plan.damages}
    steps = plan.workflow.steps
    pairs = [
        (number, call)
        for number in range(1, len(steps) + 1)
        if number not in damaged
        for call in context.equivalents(plan.workflow, number)
    ]
    if not pairs:
        return None
    number, call = chance.choice(pairs)
    right = steps[number - 1]
    other = (*steps[: number - 1], Step(call, None, right.only_if_failed), *steps[number:])
    return msgspec.structs.replace(plan, workflow=Workflow(other, plan.workflow.answer))


def _look_up(context: PlanContext, plan: Candidate, chance: Random) -> Candidate | None:
    """Look up or check what the job turns on, although the plan has the result."""
    return _add(plan, [call for call in context.look_ups(plan.workflow) if call not in _calls(plan)], chance)


def _extra_check(context: PlanContext, plan: Candidate, chance: Random) -> Candidate | None:
    """Look at what the job is about once more than needed, or at something beside it."""
    return _add(plan, [call for call in (*context.checks, *context.idle_look_ups) if call not in _calls(plan)], chance)


def _repeated_look_up(context: PlanContext, plan: Candidate, chance: Random) -> Candidate | None:
    calls = [
        call
        for call in _calls(plan)
        if not call.references and (tool := context.tools.get(call.tool)) and not tool.has_effect(call)
    ]
    return _add(plan, calls, chance)


def _idle_step(context: PlanContext, plan: Candidate, chance: Random) -> Candidate | None:
    """Check data that are in order already, or sort rows whose order does not matter."""
    numbers = range(1, len(plan.workflow.steps) + 1)
    options = [(number, call) for number in numbers for call in context.idle_steps(plan.workflow, number)]
    if not options:
        return None
    number, call = options[draw_usual(context, [call for _, call in options], chance)]
    added = add_steps(plan.workflow, [Extra("idle_step", number, call, passes_on=True)])
    return _on_top(plan, added.workflow, added.origin)


def _idle_steps(context: PlanContext, plan: Candidate, chance: Random) -> Candidate | None:
    """Check several data that are in order already, up to two for every three other steps."""
    count = chance.randint(1, max(1, len(plan.workflow.steps) * 2 // 3))
    odd: Candidate | None = None
    for _ in range(count):
        further = _idle_step(context, odd or plan, chance)
        odd = further or odd
    return odd


def _side_check(context: PlanContext, plan: Candidate, chance: Random) -> Candidate | None:
    """Look at data on the way, by a check of which no step uses the result."""
    numbers = range(1, len(plan.workflow.steps) + 1)
    calls = [call for number in numbers for call in context.idle_steps(plan.workflow, number)]
    checks = [call for call in calls if (tool := context.tools.get(call.tool)) and tool.informs(call)]
    return _add(plan, [checks[draw_usual(context, checks, chance)]] if checks else [], chance)


def _second_try(context: PlanContext, plan: Candidate, chance: Random) -> Candidate | None:
    """Repeat one delivery at the end, should it have failed."""
    steps = plan.workflow.steps
    numbers = [
        number
        for number, step in enumerate(steps, start=1)
        if (tool := context.tools.get(step.call.tool)) and tool.has_effect(step.call)
    ]
    if not numbers or sum(step.only_if_failed is not None for step in steps) >= MOST_CONDITIONS:
        return None
    number = chance.choice(numbers)
    tried = Workflow((*steps, Step(steps[number - 1].call, None, number)), plan.workflow.answer)
    return _on_top(plan, tried, (*range(1, len(steps) + 1), None))


def _calls(plan: Candidate) -> list[Call]:
    return [step.call for step in plan.workflow.steps]


def _add(plan: Candidate, calls: list[Call], chance: Random) -> Candidate | None:
    """Add one of the calls, after any step that stands behind what it refers to."""
    if not calls:
        return None
    call = chance.choice(calls)
    after = chance.randint(max((1, *call.references)), len(plan.workflow.steps))
    added = add_steps(plan.workflow, [Extra("useless_look_up", after, call)])
    return _on_top(plan, added.workflow, added.origin)


def _on_top(plan: Candidate, workflow: Workflow, origin: Origin) -> Candidate:
    """Return the candidate with another workflow; `origin` counts the steps of the one that it had."""
    place = {number: position for position, number in enumerate(origin, start=1) if number}
    damages = tuple(_moved(damage, place) for damage in plan.damages)
    return Candidate(workflow, damages, tuple(plan.origin[number - 1] if number else None for number in origin))


def _moved(damage: Damage, place: dict[int, int]) -> Damage:
    number = damage.flawed_step
    return damage if number is None else msgspec.structs.replace(damage, flawed_step=place[number])


_SAME_LENGTH: tuple[Oddity, ...] = (*[_other_order] * 6, *[_other_tool] * 3, *[_second_try] * 2)
_ALL: tuple[Oddity, ...] = (
    *_SAME_LENGTH,
    *[_look_up] * 2,
    *[_idle_steps] * 6,
    *[_side_check] * 5,
    _extra_check,
    _repeated_look_up,
)
"""Drawn from with these weights."""
_BESIDE: Mapping[FlawKind | None, Sequence[Oddity]] = {
    FlawKind.REDUNDANT_OPERATIONS: _SAME_LENGTH,
    FlawKind.SEQUENCE_DISORDER: (*[_idle_steps] * 6, _second_try, _look_up),
}
"""Those beside flaws that look like the others themselves."""
