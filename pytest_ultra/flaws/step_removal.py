"""Remove steps from a plan, and repair the references to them so that it reads well."""

from __future__ import annotations

from pytest_ultra.core.axes import FlawKind
from pytest_ultra.core.guidance import Damage
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Step, Workflow, reference, referenced_step
from pytest_ultra.flaws.candidate import Candidate


def remove(optimal: Workflow, removed: list[int], way: str = "here_and_there") -> Candidate:
    """Remove some steps, but not all."""
    numbers = range(1, len(optimal.steps) + 1)
    kept = [number for number in numbers if number not in removed]
    place = {number: position for position, number in enumerate(kept, start=1)}
    steps = tuple(_repair(optimal, optimal.steps[number - 1], place) for number in kept)
    damages = tuple(Damage(FlawKind.MISSING_STEP, None, number, way, "is missing") for number in removed)
    return Candidate(Workflow(steps, _repair_answer(optimal, place)), damages, tuple(kept))


def _repair(optimal: Workflow, step: Step, place: dict[int, int]) -> Step:

    def translate(number: int) -> Json:
        return _stand_in(optimal, number, place)

    fallback = step.fallback.with_references(translate) if step.fallback else None
    return Step(step.call.with_references(translate), fallback)


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
