"""Flaw kinds of a user's own: functions of a plan as JSON, whose damage is found by comparing the plans."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from random import Random

from pytest_ultra.core.axes import FlawKind
from pytest_ultra.core.guidance import Damage
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Step, Workflow
from pytest_ultra.errors import ConfigurationError
from pytest_ultra.flaws.candidate import Candidate, Draw, Injector, Origin, renumber
from pytest_ultra.flaws.own_plans.plan_document import as_json, read_plan, write_plan

OwnFlaw = Callable[[dict[str, Json], Random, int], dict[str, Json] | None]
"""A flaw kind: it gets a sound plan as JSON, chance, and how many steps to damage; it returns the damaged plan, or None
if this draw has none."""


def make_injector(kind: FlawKind, function: OwnFlaw) -> Injector:
    """Return the injector of a kind. It raises ConfigurationError where the function returns no plan."""

    def inject(draw: Draw, optimal: Workflow, size: int) -> Candidate | None:
        made = function(as_json(write_plan(optimal), "the sound plan"), draw.chance, size)  # it may change its copy
        if made is None:
            return None
        flawed = read_plan(made, f"the plan that the flaw {kind} returns")
        if not all(used < number for number, step in enumerate(flawed.steps, 1) for used in step.call.references):
            raise ConfigurationError(f"the flaw {kind} returns a plan with a reference to a later step")
        origin = find_origin(optimal, flawed)
        return Candidate(flawed, tuple(_damages(kind, optimal, flawed, origin)), origin)

    return inject


def find_origin(optimal: Workflow, flawed: Workflow) -> Origin:
    """Return for each step of a damaged plan the number of the sound one that it comes from, None for an added one."""
    origin: list[int | None] = [None] * len(flawed.steps)
    blocks = SequenceMatcher(None, _keys(optimal), _keys(flawed), autojunk=False).get_opcodes()
    for tag, start, end, new_start, new_end in blocks:
        if tag in ("equal", "replace"):
            for offset in range(min(end - start, new_end - new_start)):
                origin[new_start + offset] = start + offset + 1
    return tuple(origin)


def _keys(plan: Workflow) -> list[str]:
    return [json.dumps([step.call.tool, step.call.literals], sort_keys=True) for step in plan.steps]


def _damages(kind: FlawKind, optimal: Workflow, flawed: Workflow, origin: Origin) -> Iterator[Damage]:
    place = {number: position for position, number in enumerate(origin, start=1) if number}
    way = kind.value.removeprefix("own_")
    for position, (number, step) in enumerate(zip(origin, flawed.steps, strict=True), start=1):
        if number is None:
            yield Damage(kind, position, None, way, "is added")
        elif _moved(optimal.steps[number - 1], place) != step:
            yield Damage(kind, position, number, way, "is another one")
    for number in range(1, len(optimal.steps) + 1):
        if number not in place:
            yield Damage(kind, None, number, way, "is missing")


def _moved(step: Step, place: dict[int, int]) -> Step | None:
    """Return a sound step with the numbers of the damaged plan; None if it refers to a step that is missing there."""
    used = (*step.call.references, *((step.only_if_failed,) if step.only_if_failed else ()))
    return renumber(step, place) if all(number in place for number in used) else None
