"""Second tries: a step at the end of a plan that repeats a delivery, should it have failed.

They are harmless, cost nothing while the tools work, and are in flawed plans as often as in sound ones. So a condition
in a plan does not give a flaw away.
"""

from __future__ import annotations

from random import Random

import msgspec

from pytest_ultra.core.workflow import Step, Workflow
from pytest_ultra.flaws.candidate import Candidate
from pytest_ultra.flaws.plan_context import PlanContext

PERCENT_OF_FLAWED = 30
"""How many flawed plans in a hundred have one: half of the share of alternative plans, since no optimal plan has."""


def add_second_try(context: PlanContext, plan: Workflow, chance: Random) -> Workflow | None:
    """Add a second try of one delivery; None if the plan has none, or more conditions already."""
    numbers = [
        number
        for number, step in enumerate(plan.steps, start=1)
        if (signature := context.tools.get(step.call.tool)) and signature.has_effect(step.call)
    ]
    if not numbers or any(step.only_if_failed for step in plan.steps):
        return None
    number = chance.choice(numbers)
    return Workflow((*plan.steps, Step(plan.steps[number - 1].call, None, number)), plan.answer)


def add_to_some(context: PlanContext, candidate: Candidate, chance: Random) -> Candidate:
    """Add a second try to some candidates; the damaged steps keep their numbers."""
    if chance.randint(1, 100) > PERCENT_OF_FLAWED:
        return candidate
    plan = add_second_try(context, candidate.workflow, chance)
    if plan is None:
        return candidate
    return msgspec.structs.replace(candidate, workflow=plan, origin=(*candidate.origin, None))
