"""Alternative plans: correct, and odd to look at, to measure whether an agent distrusts a plan without a reason."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from pytest_ultra.core.workflow import Call, Step, Workflow, render
from pytest_ultra.flaws.linter import lint
from pytest_ultra.flaws.plan_context import PlanContext
from pytest_ultra.flaws.redundant_operations import Extra, add_steps
from pytest_ultra.flaws.second_try import add_second_try
from pytest_ultra.flaws.sequence_disorder import draw_order, reorder

MOST_CANDIDATES = 24
MOST_ODDITIES = 2
MOST_ORDERS = 6

_Oddity = Callable[[PlanContext, Workflow, Random], Workflow | None]


def make_alternative(context: PlanContext, optimal: Workflow) -> Workflow | None:
    """Return a correct plan that differs from the optimal one, the same for the same arguments; None without luck.

    It reaches the goal without harm, and the linter has no finding.
    """
    chance = Random(f"{context.seed}/alternative")
    for _ in range(MOST_CANDIDATES):
        plan = optimal
        for _ in range(chance.randint(1, MOST_ODDITIES)):
            odd = chance.choice(_ODDITIES)(context, plan, chance)
            plan = odd if odd is not None and _is_sound(context, odd) else plan
        if render(plan) != render(optimal):
            return plan
    return None


def _is_sound(context: PlanContext, plan: Workflow) -> bool:
    if lint(plan, context.tools):
        return False
    rehearsal = context.rehearse(plan)
    return rehearsal.has_delivered and not rehearsal.has_harmed


def _other_order(context: PlanContext, plan: Workflow, chance: Random) -> Workflow | None:
    """Do the steps in an order that is as good."""
    has_conditions = any(step.only_if_failed for step in plan.steps)
    orders = (draw_order(plan, chance.randint(1, 2), chance) for _ in range(MOST_ORDERS))
    plans = (reorder(plan, order).workflow for order in orders if order is not None)
    return None if has_conditions else next((other for other in plans if _is_sound(context, other)), None)


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


def _add(plan: Workflow, call: Call, chance: Random) -> Workflow:
    """Add a look-up after any step."""
    return add_steps(plan, [Extra("useless_look_up", chance.randint(1, len(plan.steps)), call)]).workflow


_ODDITIES: tuple[_Oddity, ...] = (
    *[_other_order] * 4,
    *[_other_tool] * 4,
    *[add_second_try] * 3,
    _idle_check,
    _extra_check,
    _repeated_look_up,
)
"""Drawn from with these weights: most alternative plans are no longer than the optimal one."""
