"""redundant_operations: steps that add nothing, because they are done already."""

from __future__ import annotations

from random import Random

from pytest_ultra.benchmark.flaws.candidate import Candidate, renumber
from pytest_ultra.benchmark.task import Damage, Task
from pytest_ultra.benchmark.workflow import Workflow

DELIVERING = (
    "network_poster",
    "network_router",
    "integration_queue",
    "utility_notifier",
    "utility_logger",
    "utility_tracker",
)
"""Tools whose every call changes the world outside once more."""


def inject(task: Task, optimal: Workflow, size: int, chance: Random) -> Candidate | None:  # noqa: ARG001 - an Injector
    """Repeat steps, each right after itself or later on."""
    repeatable = [number for number, step in enumerate(optimal.steps, start=1) if step.call.tool not in DELIVERING]
    if not repeatable:
        return None
    order = [(number, False) for number in range(1, len(optimal.steps) + 1)]
    for _ in range(size):
        original = chance.choice(repeatable)
        order.insert(chance.randint(order.index((original, False)) + 1, len(order)), (original, True))
    return _write(optimal, order)


def _write(optimal: Workflow, order: list[tuple[int, bool]]) -> Candidate:
    """Number the steps anew; `order` holds (original number, is it a repetition)."""
    place = {number: order.index((number, False)) + 1 for number, _ in order}
    steps = tuple(renumber(optimal.steps[number - 1], place) for number, _ in order)
    damages = tuple(
        Damage(position, None, f"repeats step {place[number]}")
        for position, (number, is_repetition) in enumerate(order, start=1)
        if is_repetition
    )
    return Candidate(Workflow(steps, place[optimal.answer] if optimal.answer else None), damages)
