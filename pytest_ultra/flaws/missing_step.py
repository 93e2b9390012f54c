"""missing_step: removes needed steps, and repairs the references to them so that the plan reads well."""

from __future__ import annotations

from random import Random

from pytest_ultra.core.axes import FlawKind
from pytest_ultra.core.guidance import Damage
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Step, Workflow, reference, referenced_step
from pytest_ultra.flaws.candidate import Candidate
from pytest_ultra.flaws.plan_context import PlanContext


def inject(context: PlanContext, optimal: Workflow, size: int, chance: Random) -> Candidate | None:  # noqa: ARG001 - an Injector
    """Remove steps: scattered ones, several in a row, or the last ones."""
    count = len(optimal.steps)
    if size >= count:
        return None
    first = chance.randint(1, count - size)  # the last ones are a separate way
    removed = {
        "here_and_there": sorted(chance.sample(range(1, count + 1), size)),
        "in_a_row": list(range(first, first + size)),
        "at_the_end": list(range(count - size + 1, count + 1)),
    }
    way = chance.choice(sorted(removed))
    return remove(optimal, removed[way], way)


def has_needless_step(context: PlanContext, optimal: Workflow) -> bool:
    """Return whether the goal can be reached without one of the steps."""
    numbers = range(1, len(optimal.steps) + 1)
    return any(context.rehearse(remove(optimal, [number]).workflow).has_delivered for number in numbers)


def remove(optimal: Workflow, removed: list[int], way: str = "here_and_there") -> Candidate:
    """Remove some steps, but not all."""
    numbers = range(1, len(optimal.steps) + 1)
    kept = [number for number in numbers if number not in removed]
    place = {number: position for position, number in enumerate(kept, start=1)}
    steps = tuple(_repair(optimal, optimal.steps[number - 1], place) for number in kept)
    damages = tuple(Damage(FlawKind.MISSING_STEP, None, number, way, "is missing") for number in removed)
    return Candidate(Workflow(steps, _repair_answer(optimal, place)), damages, tuple(kept))


def _repair(optimal: Workflow, step: Step, place: dict[int, int]) -> Step:
    fallback = _repair_call(optimal, step.fallback, place) if step.fallback else None
    return Step(_repair_call(optimal, step.call, place), fallback)


def _repair_call(optimal: Workflow, call: Call, place: dict[int, int]) -> Call:
    return Call(call.tool, {name: _repair_argument(optimal, value, place) for name, value in call.arguments.items()})


def _repair_argument(optimal: Workflow, argument: Json, place: dict[int, int]) -> Json:
    step = referenced_step(argument)
    return argument if step is None else _stand_in(optimal, step, place)


def _stand_in(optimal: Workflow, step: int, place: dict[int, int]) -> Json:
    """Refer to the step, or if it was removed to its input: an earlier output, or the name in its arguments."""
    if step in place:
        return reference(place[step])
    call = optimal.steps[step - 1].call
    if call.references:
        return _stand_in(optimal, call.references[0], place)
    return next((value for value in call.arguments.values() if isinstance(value, str)), "the input")


def _repair_answer(optimal: Workflow, place: dict[int, int]) -> int | None:
    if optimal.answer is None:
        return None
    stand_in = referenced_step(_stand_in(optimal, optimal.answer, place))
    return stand_in if stand_in is not None else max(place.values())
