"""sequence_disorder: steps stand before something they need."""

from __future__ import annotations

from random import Random

from pytest_ultra.benchmark.flaws.candidate import Candidate, choose, renumber
from pytest_ultra.benchmark.rehearsal import rehearse
from pytest_ultra.benchmark.task import Damage, Task
from pytest_ultra.benchmark.workflow import Workflow


def inject(task: Task, optimal: Workflow, size: int, chance: Random) -> Candidate | None:
    """Move `size` steps, in reverse, to before the earliest thing that any of them needs.

    The chosen steps all have needs; in reverse order each stands before its own, and every other step
    keeps its place behind what it needs: so exactly these are damaged.
    """
    needs = step_needs(task, optimal)
    chosen = choose(chance, (number for number, needed in needs.items() if needed), size)
    if chosen is None:
        return None
    others = [number for number in needs if number not in chosen]
    first_need = min(min(needs[number]) for number in chosen)
    earliest = sum(1 for number in others if number < first_need)
    order = others[:earliest] + chosen[::-1] + others[earliest:]
    return _reorder(optimal, order, set(chosen))


def step_needs(task: Task, workflow: Workflow) -> dict[int, frozenset[int]]:
    """Return for each step the steps without which it fails, found by leaving each out in turn."""
    numbers = range(1, len(workflow.steps) + 1)
    failing = {number: _failing_without(task, workflow, number) for number in numbers}
    return {number: frozenset(other for other in numbers if number in failing[other]) for number in numbers}


def _failing_without(task: Task, workflow: Workflow, left_out: int) -> set[int]:
    done = rehearse(task, workflow, left_out=left_out).progress.done
    return {number for number, seen in done.items() if not seen.is_success and number != left_out}


def _reorder(optimal: Workflow, order: list[int], moved: set[int]) -> Candidate:
    place = {number: position for position, number in enumerate(order, start=1)}
    steps = tuple(renumber(optimal.steps[number - 1], place) for number in order)
    answer = place[optimal.answer] if optimal.answer else None
    damages = tuple(Damage(place[number], number, "stands before what it needs") for number in sorted(moved))
    return Candidate(Workflow(steps, answer), tuple(sorted(damages, key=lambda damage: damage.flawed_step or 0)))
