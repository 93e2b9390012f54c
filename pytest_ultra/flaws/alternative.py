"""Alternative plans: correct, and odd to look at, so that distrust of a plan can be told from a reason for it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from pytest_ultra.core.workflow import Call, Step, Workflow, render
from pytest_ultra.flaws.linter import lint
from pytest_ultra.flaws.plan_context import PlanContext
from pytest_ultra.flaws.redundant_operations import Extra, add_steps
from pytest_ultra.flaws.sequence_disorder import draw_order, reorder

MOST_CANDIDATES = 24
MOST_ODDITIES = 3

_Oddity = Callable[[PlanContext, Workflow, Random], Workflow | None]


def make_alternative(context: PlanContext, optimal: Workflow) -> Workflow | None:
    """Return a correct plan that differs from the optimal one, the same for the same arguments; None without luck.

    It reaches the goal without harm, and the linter has no finding.
    """
    chance = Random(f"{context.seed}/alternative")
    for _ in range(MOST_CANDIDATES):
        oddities = chance.sample(sorted(_ODDITIES), chance.randint(1, MOST_ODDITIES))
        plan = optimal
        for oddity in oddities:
            odd = _ODDITIES[oddity](context, plan, chance)
            plan = odd if odd is not None and _is_sound(context, odd) else plan
        if render(plan) != render(optimal):
            return plan
    return None


def _is_sound(context: PlanContext, plan: Workflow) -> bool:
    if lint(plan, context.tools):
        return False
    rehearsal = context.rehearse(plan)
    return rehearsal.has_delivered and not rehearsal.has_harmed


def _other_order(context: PlanContext, plan: Workflow, chance: Random) -> Workflow | None:  # noqa: ARG001 - an _Oddity
    order = draw_order(plan, chance.randint(1, 2), chance)
    has_conditions = any(step.only_if_failed for step in plan.steps)
    return None if order is None or has_conditions else reorder(plan, order).workflow


def _other_tool(context: PlanContext, plan: Workflow, chance: Random) -> Workflow | None:
    """Make another of two equivalent calls."""
    pairs = [
        (number, call)
        for number in range(1, len(plan.steps) + 1)
        for call in context.equivalents(plan, number)
        if call != plan.steps[number - 1].call
    ]
    if not pairs:
        return None
    number, call = chance.choice(pairs)
    right = plan.steps[number - 1]
    steps = (*plan.steps[: number - 1], Step(call, right.call, right.only_if_failed), *plan.steps[number:])
    return Workflow(steps, plan.answer)


def _extra_check(context: PlanContext, plan: Workflow, chance: Random) -> Workflow | None:
    """Look at what the job is about once more than needed, or at something beside it."""
    calls = [call for call in (*context.checks, *context.idle_look_ups) if call not in [s.call for s in plan.steps]]
    return _add(plan, chance.choice(calls), chance) if calls else None


def _repeated_look_up(context: PlanContext, plan: Workflow, chance: Random) -> Workflow | None:
    calls = [
        step.call
        for step in plan.steps
        if not step.call.references and not context.tools[step.call.tool].has_effect(step.call)
    ]
    return _add(plan, chance.choice(calls), chance) if calls else None


def _idle_check(context: PlanContext, plan: Workflow, chance: Random) -> Workflow | None:
    """Check data that are in order already, or sort rows whose order does not matter."""
    numbers = range(1, len(plan.steps) + 1)
    options = [(number, call) for number in numbers for call in context.idle_steps(plan, number)]
    if not options:
        return None
    number, call = chance.choice(options)
    return add_steps(plan, [Extra("idle_step", number, call, passes_on=True)]).workflow


def _second_try(context: PlanContext, plan: Workflow, chance: Random) -> Workflow | None:
    """Repeat a step that hands something over, should it have failed."""
    numbers = [
        number
        for number, step in enumerate(plan.steps, start=1)
        if step.only_if_failed is None and context.tools[step.call.tool].makes(step.call) is None
    ]
    if not numbers:
        return None
    number = chance.choice(numbers)
    longer = add_steps(plan, [Extra("repeat", number, plan.steps[number - 1].call)]).workflow
    retry = Step(longer.steps[number].call, None, number)
    return Workflow((*longer.steps[:number], retry, *longer.steps[number + 1 :]), longer.answer)


def _add(plan: Workflow, call: Call, chance: Random) -> Workflow:
    """Add a look-up after any step."""
    return add_steps(plan, [Extra("useless_look_up", chance.randint(1, len(plan.steps)), call)]).workflow


_ODDITIES: dict[str, _Oddity] = {
    "extra_check": _extra_check,
    "idle_check": _idle_check,
    "other_order": _other_order,
    "other_tool": _other_tool,
    "repeated_look_up": _repeated_look_up,
    "second_try": _second_try,
}
