"""redundant_operations: adds steps that are done already, or whose results no step uses."""

from __future__ import annotations

from random import Random

from pytest_ultra.core.axes import FlawKind
from pytest_ultra.core.guidance import Damage
from pytest_ultra.core.workflow import Step, Workflow
from pytest_ultra.flaws.candidate import Candidate, Origin, renumber
from pytest_ultra.flaws.plan_context import PlanContext

Entry = tuple[str, int, Step]
"""A step of the longer plan: how it is redundant (empty: it is not), the number of its original, the step."""


def inject(context: PlanContext, optimal: Workflow, size: int, chance: Random) -> Candidate | None:
    """Add steps: repetitions, right after the original or later, and look-ups that the job does not need."""
    entries: list[Entry] = [("", number, step) for number, step in enumerate(optimal.steps, start=1)]
    repeatable = [entry for entry in entries if entry[2].call.tool in context.repeatable_tools]
    for _ in range(size):
        look_ups = [Step(call) for call in context.idle_look_ups]
        way = chance.choice(("repeat_at_once", "repeat_later", *(("useless_look_up",) if look_ups else ())))
        if way == "useless_look_up":
            entries.insert(chance.randint(1, len(entries)), (way, 0, chance.choice(look_ups)))
        elif repeatable:
            original = chance.choice(repeatable)
            place = entries.index(original) + 1
            latest = place if way == "repeat_at_once" else len(entries)
            entries.insert(chance.randint(place, latest), (way, *original[1:]))
        else:
            return None
    return _write(optimal, entries)


def _write(optimal: Workflow, entries: list[Entry]) -> Candidate:
    """Renumber the steps; references go to the originals."""
    place = {number: position for position, (way, number, _) in enumerate(entries, start=1) if not way}
    steps = tuple(renumber(step, place) for _, _, step in entries)
    damages = tuple(
        Damage(FlawKind.REDUNDANT_OPERATIONS, position, None, way, _say(place.get(number)))
        for position, (way, number, _) in enumerate(entries, start=1)
        if way
    )
    origin: Origin = tuple(None if way else number for way, number, _ in entries)
    return Candidate(Workflow(steps, place[optimal.answer] if optimal.answer else None), damages, origin)


def _say(original: int | None) -> str:
    return f"repeats step {original}" if original else "looks something up that nobody asked for"
