"""An order of the steps that breaks dependencies: steps stand before something they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from pytest_ultra.core.axes import FlawKind
from pytest_ultra.core.guidance import Damage
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.flaws.candidate import Candidate, choose, renumber
from pytest_ultra.flaws.plan_context import PlanContext

Needs = Mapping[int, frozenset[int]]


def break_order(context: PlanContext, optimal: Workflow, size: int, chance: Random) -> Candidate | None:
    """Put the steps in an order in which exactly `size` stand before something they need."""
    needs = step_needs(context, optimal)
    way = chance.choice(sorted(_WAYS))
    order = _WAYS[way](needs, size, chance)
    if order is None:
        return None
    damaged = find_damaged(order, needs)
    is_exact = len(damaged) == size and damaged == find_damaged(order, _direct(needs))
    return _reorder(optimal, order, damaged, way) if is_exact else None


def step_needs(context: PlanContext, workflow: Workflow) -> dict[int, frozenset[int]]:
    """Return for each step the steps without which it fails, found by leaving out one step at a time."""
    numbers = range(1, len(workflow.steps) + 1)
    failing = {number: _failing_without(context, workflow, number) for number in numbers}
    return {number: frozenset(other for other in numbers if number in failing[other]) for number in numbers}


def find_damaged(order: Sequence[int], needs: Needs) -> set[int]:
    """Return the steps that stand before something they need."""
    return {number for place, number in enumerate(order) if needs[number] & set(order[place + 1 :])}


def _direct(needs: Needs) -> dict[int, frozenset[int]]:
    """Return the direct needs only, without what is needed because another need needs it."""
    return {number: needed.difference(*(needs[other] for other in needed)) for number, needed in needs.items()}


def _failing_without(context: PlanContext, workflow: Workflow, left_out: int) -> set[int]:
    done = context.rehearse(workflow, left_out=left_out).done
    return {number for number, seen in done.items() if not seen.is_success and number != left_out}


def _bring_forward(needs: Needs, size: int, chance: Random) -> list[int] | None:
    """Move steps, in reverse, to before the earliest thing that any of them needs.

    The chosen steps all have needs; in reverse order each stands before its own, and every other step
    keeps its place behind what it needs: so exactly these are damaged.
    """
    chosen = choose(chance, (number for number, needed in needs.items() if needed), size)
    if chosen is None:
        return None
    others = [number for number in needs if number not in chosen]
    first_need = min(min(needs[number]) for number in chosen)
    earliest = sum(1 for number in others if number < first_need)
    return others[:earliest] + chosen[::-1] + others[earliest:]


def _swap_neighbours(needs: Needs, size: int, chance: Random) -> list[int] | None:
    """Swap steps with the step right before them that they need."""
    order = sorted(needs)
    pairs = [number for number in order if number - 1 in needs[number]]
    chance.shuffle(pairs)
    swapped = set[int]()
    for number in pairs:
        if len(swapped) < size and not swapped & {number - 1, number + 1}:
            swapped.add(number)
    for number in swapped:
        order[number - 2 : number] = [number, number - 1]
    return order


def _put_off(needs: Needs, size: int, chance: Random) -> list[int] | None:
    """Move one step behind the `size` steps that follow it."""
    last_start = len(needs) - size
    if last_start < 1:
        return None
    late = chance.randint(1, last_start)
    rest = [number for number in sorted(needs) if number != late]
    return [*rest[: late - 1 + size], late, *rest[late - 1 + size :]]


_WAYS: dict[str, Callable[[Needs, int, Random], list[int] | None]] = {
    "bring_forward": _bring_forward,
    "swap_neighbours": _swap_neighbours,
    "put_off": _put_off,
}


def _reorder(optimal: Workflow, order: list[int], damaged: set[int], way: str) -> Candidate:
    place = {number: position for position, number in enumerate(order, start=1)}
    steps = tuple(renumber(optimal.steps[number - 1], place) for number in order)
    answer = place[optimal.answer] if optimal.answer else None
    damages = tuple(
        Damage(FlawKind.SEQUENCE_DISORDER, place[number], number, way, "stands before what it needs")
        for number in order
        if number in damaged
    )
    return Candidate(Workflow(steps, answer), damages, tuple(order))
