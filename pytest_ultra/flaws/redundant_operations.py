"""redundant_operations: adds steps that are done already, or whose results make no difference.

With the visibility `plan` they repeat others, some of which do harm when done twice; with `job` they look up what the
job is not about, or process what needs no processing; with `world` only the data show that they change nothing.
"""

from __future__ import annotations

import msgspec

from pytest_ultra.core.axes import FlawKind, Visibility
from pytest_ultra.core.guidance import Damage
from pytest_ultra.core.workflow import Call, Step, Workflow
from pytest_ultra.flaws.candidate import Candidate, Draw, draw_usual, renumber
from pytest_ultra.flaws.plan_context import PlanContext

_HOW = {
    "repeat": "repeats step {}",
    "useless_look_up": "looks up what the job does not need",
    "repeated_look_up": "looks up again what step {} has looked up",
    "idle_check": "checks the output of step {}, of which nobody uses the result",
    "idle_step": "changes nothing of the output of step {} that the job needs",
}


_WEIGHTS = {"idle_step": 2}
"""How often a way is drawn for each time that another is."""


class Extra(msgspec.Struct, frozen=True):
    """A step to add after the optimal step `after`; `passes_on` means that later steps use its output."""

    way: str
    after: int
    call: Call
    passes_on: bool = False


LOOK_UPS_PERCENT = 15
"""How many of a hundred plans have added look-ups, which few sound plans have, where steps can be added that change
nothing."""


def inject(draw: Draw, optimal: Workflow, size: int) -> Candidate | None:
    extras: list[Extra] = []
    has_look_ups = draw.chance.randint(1, 100) <= LOOK_UPS_PERCENT
    for _ in range(size):
        extra = _draw_extra(draw, optimal, has_look_ups=has_look_ups)
        while extra is not None and extra.passes_on and any(extra.after == other.after for other in extras):
            extra = _draw_extra(draw, optimal, has_look_ups=True) if draw.chance.randint(0, 3) else None
        if extra is None:
            return None
        extras.append(extra)
    return add_steps(optimal, extras) if _are_distinct(extras) else None


def _are_distinct(extras: list[Extra]) -> bool:
    """Return whether no two steps are the same, and none stands between another and its users."""
    passed = [extra.after for extra in extras if extra.passes_on]
    return len(set(passed)) == len(passed)


def _draw_extra(draw: Draw, optimal: Workflow, *, has_look_ups: bool) -> Extra | None:
    numbers = range(1, len(optimal.steps) + 1)
    number = draw.chance.choice(numbers)
    if draw.visibility is Visibility.PLAN:
        return Extra("repeat", number, optimal.steps[number - 1].call)
    options: list[Extra] = []
    for place in numbers:
        calls = draw.context.idle_steps(optimal, place)
        options += [Extra("idle_step", place, call, passes_on=True) for call in calls]
        options += [Extra("idle_check", place, call) for call in calls if _informs(draw.context, call)]
    if draw.visibility is Visibility.JOB and (has_look_ups or not options):
        used = [step.call for step in optimal.steps]
        options += [Extra("useless_look_up", number, call) for call in draw.context.idle_look_ups if call not in used]
        for place, call in enumerate(used, start=1):
            signature = draw.context.tools.get(call.tool)
            if signature and not call.references and not signature.has_effect(call):
                options.append(Extra("repeated_look_up", place, call))
    if not options:
        return None
    ways = sorted({option.way for option in options})
    way = draw.chance.choice([way for way in ways for _ in range(_WEIGHTS.get(way, 1))])
    options = [option for option in options if option.way == way]
    return options[draw_usual(draw.context, [option.call for option in options], draw.chance)]


def _informs(context: PlanContext, call: Call) -> bool:
    signature = context.tools.get(call.tool)
    return signature is not None and signature.informs(call)


def add_steps(optimal: Workflow, extras: list[Extra]) -> Candidate:
    """Add the steps and renumber; the users of a step get the output of the added one if it passes on."""
    entries: list[tuple[int, Extra | None]] = []
    for number in range(1, len(optimal.steps) + 1):
        entries.append((number, None))
        entries += [(0, extra) for extra in extras if extra.after == number]
    own = {number: place for place, (number, _) in enumerate(entries, start=1) if number}
    passed = {extra.after: place for place, (_, extra) in enumerate(entries, start=1) if extra and extra.passes_on}
    given = own | passed
    steps = []
    damages = []
    for place, (number, extra) in enumerate(entries, start=1):
        if extra is None:
            steps.append(renumber(optimal.steps[number - 1], given))
        else:
            numbers = given | {extra.after: own[extra.after]} if extra.passes_on else given
            steps.append(renumber(Step(extra.call), numbers))
            how = _HOW[extra.way].format(own[extra.after])
            damages.append(Damage(FlawKind.REDUNDANT_OPERATIONS, place, None, extra.way, how))
    answer = given[optimal.answer] if optimal.answer else None
    return Candidate(Workflow(tuple(steps), answer), tuple(damages), tuple(number or None for number, _ in entries))
