"""sequence_disorder: an order of the steps that runs and yields something else, or one that breaks a dependency."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from random import Random

from pytest_ultra.core.axes import FlawKind, Visibility
from pytest_ultra.core.guidance import Damage
from pytest_ultra.core.workflow import Step, Workflow, reference
from pytest_ultra.flaws.broken_order import break_order
from pytest_ultra.flaws.candidate import Candidate, Draw, renumber
from pytest_ultra.flaws.linter import is_clean
from pytest_ultra.flaws.plan_context import PlanContext

MOST_MOVES = 12
"""Moves of a step that are tried for one order."""
MOST_LINKED = 6
"""Candidates in which steps work on what comes out of the one before; only later ones may leave results unused."""
MOST_UNUSUAL = 10
"""Candidates that the usual order of steps must not undo, with at most one reference that passes over steps more."""
OTHER_ORDER = "other_order"
"""The way of a disorder that runs: each step has an input, and does something else with it."""


def inject(draw: Draw, optimal: Workflow, size: int) -> Candidate | None:
    """Reorder the steps such that `size` of them stand at another place.

    With the visibility `world`, only steps move of which the data or a document show where they belong.
    """
    if draw.visibility is Visibility.PLAN:
        return break_order(draw.context, optimal, size, draw.chance)
    movable = list(range(1, len(optimal.steps) + 1))
    if draw.visibility is Visibility.WORLD:
        needless = {misreading.needless for misreading in draw.context.misreadings(optimal)}
        movable = [number for number in movable if number in needless]
    if draw.attempt < MOST_LINKED:
        movable = [number for number in movable if _has_data(draw.context, optimal, number)] or movable
    candidate = _draw_unflagged(draw, optimal, size, movable)
    if candidate is not None and draw.attempt < MOST_UNUSUAL and _is_undone(draw.context, candidate):
        return None
    return candidate


def _has_data(context: PlanContext, optimal: Workflow, number: int) -> bool:
    """Return whether a step takes or makes an output: one that does neither stands at the beginning of sound plans."""
    call = optimal.steps[number - 1].call
    signature = context.tools.get(call.tool)
    return bool(call.references) or (signature is not None and signature.makes(call) is not None)


def _is_undone(context: PlanContext, candidate: Candidate) -> bool:
    """Return whether somebody undoes the disorder who puts steps into the usual order without a look at the job."""
    return context.rehearse(context.in_usual_order(candidate.workflow)).has_delivered


def _draw_unflagged(draw: Draw, optimal: Workflow, size: int, movable: Sequence[int]) -> Candidate | None:
    """Move one step after the other until enough of them are displaced, and the linter has no finding."""
    keeps_inputs = draw.attempt >= MOST_LINKED and draw.chance.choice((True, False))
    most_gaps = len(optimal.steps) if draw.attempt >= MOST_UNUSUAL else _count_gaps(optimal) + keeps_inputs
    order = list(range(1, len(optimal.steps) + 1))
    for _ in range(MOST_MOVES if movable else 0):
        number = draw.chance.choice(movable)
        others = [other for other in order if other != number]
        place = draw.chance.randint(0, len(others))
        moved = [*others[:place], number, *others[place:]]
        if moved != order and len(out_of_place(moved)) <= size:
            plan = reorder(optimal, moved, keeps_inputs=keeps_inputs).workflow
            if _count_gaps(plan) <= most_gaps and is_clean(plan, draw.context.tools):
                order = moved
            if len(displaced(order)) >= size and order != sorted(order):
                return reorder(optimal, order, size, keeps_inputs=keeps_inputs)
    return None


def _count_gaps(plan: Workflow) -> int:
    """Return how many references pass over a step, which chains do not."""
    numbered = enumerate(plan.steps, start=1)
    return sum(number - used > 1 for number, step in numbered for used in step.call.references)


def draw_order(optimal: Workflow, size: int, chance: Random) -> list[int] | None:
    """Draw an order in which `size` steps are out of place."""
    count = len(optimal.steps)
    order = list(range(1, count + 1))
    for _ in range(size):
        number = chance.choice(order)
        order.remove(number)
        order.insert(chance.randint(0, count - 1), number)
    return order if len(out_of_place(order)) == size else None


def displaced(order: Sequence[int]) -> list[int]:
    """Return the steps that stand at another place than before."""
    return [number for place, number in enumerate(order, start=1) if place != number]


def out_of_place(order: Sequence[int]) -> list[int]:
    """Return the fewest steps that must move to restore the order: those outside a longest increasing run."""
    tails: list[int] = []
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for number in order:
        place = bisect_left(tails, number)
        before[number] = ends[place - 1] if place else None
        tails[place : place + 1] = [number]
        ends[place : place + 1] = [number]
    kept = set[int]()
    last: int | None = ends[-1] if ends else None
    while last is not None:
        kept.add(last)
        last = before[last]
    return [number for number in order if number not in kept]


def reorder(optimal: Workflow, order: Sequence[int], size: int = 0, *, keeps_inputs: bool = False) -> Candidate:
    """Reorder the steps. Where a step now stands before its input, the chain is linked anew in the new order.

    With `keeps_inputs`, a step that comes too late works on what it would have worked on, and nobody waits for it.

    Damaged are the steps that must move to restore the order; if they are fewer than `size`, other displaced ones too.
    """
    linked = _link(optimal, order, keeps_inputs=keeps_inputs)
    place = {number: position for position, number in enumerate(order, start=1)}
    steps = tuple(renumber(linked[number], place) for number in order)
    damages = tuple(
        Damage(FlawKind.SEQUENCE_DISORDER, place[number], number, OTHER_ORDER, "is out of place")
        for number in sorted(_damaged(order, size), key=lambda number: place[number])
    )
    answer = _last_of_chain(optimal, linked, order)
    return Candidate(Workflow(steps, place[answer] if answer else None), damages, tuple(order))


def _damaged(order: Sequence[int], size: int) -> list[int]:
    moved = out_of_place(order)
    others = [number for number in displaced(order) if number not in moved]
    return [*moved, *others[: max(0, size - len(moved))]]


def _link(optimal: Workflow, order: Sequence[int], *, keeps_inputs: bool) -> dict[int, Step]:
    """Return the steps, by their old numbers, with the references of reordered chains exchanged.

    Where a step stands before its input, it gets that step's input instead; unless each keeps its input, that step
    gets its output, and later steps get what comes out of both.
    """
    steps = dict(enumerate(optimal.steps, start=1))
    place = {number: position for position, number in enumerate(order)}
    for _ in range(len(order) ** 2):
        pair = next(_reversed_pairs(steps, place), None)
        if pair is None or not steps[pair[1]].call.references:
            break
        early, late = pair
        source = steps[late].call.references[0]
        if keeps_inputs:
            steps[early] = _replace(steps[early], late, source)
            continue
        for number, step in steps.items():
            if number not in pair:
                steps[number] = _replace(step, early, late)
        steps[early] = _replace(steps[early], late, source)
        steps[late] = _replace(steps[late], source, early)
    return steps


def _reversed_pairs(steps: dict[int, Step], place: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Yield the steps that stand before their input, each with that input."""
    for number, step in steps.items():
        for used in step.call.references:
            if place[used] > place[number]:
                yield number, used


def _replace(step: Step, old: int, new: int) -> Step:
    call = step.call.with_references(lambda number: reference(new if number == old else number))
    return Step(call, None if call != step.call else step.fallback, step.only_if_failed)


def _last_of_chain(optimal: Workflow, linked: dict[int, Step], order: Sequence[int]) -> int | None:
    """Return the step whose output is the answer now: the last of the chain that the answer came from."""
    if optimal.answer is None:
        return None
    used = {used for step in linked.values() for used in step.call.references}
    unused = [number for number in order if number not in used]
    return optimal.answer if optimal.answer in unused or not unused else unused[-1]
