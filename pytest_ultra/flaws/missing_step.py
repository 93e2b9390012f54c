"""missing_step: removes needed steps, and repairs the references to them so that the plan reads well."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_ultra.core.axes import Visibility
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.flaws.candidate import Candidate, Draw, draw_usual
from pytest_ultra.flaws.linter import is_clean
from pytest_ultra.flaws.misread_decisions import misread_steps
from pytest_ultra.flaws.step_removal import remove


def inject(draw: Draw, optimal: Workflow, size: int) -> Candidate | None:
    """Remove steps: scattered ones, several in a row, the last ones, or a delivery with all that it alone needs."""
    count = len(optimal.steps)
    if size >= count:
        return None
    if draw.visibility is Visibility.WORLD:
        return misread_steps(draw, optimal, size)
    if draw.visibility is Visibility.JOB and (scattered := _scatter(draw, optimal, size)) is not None:
        return scattered
    first = draw.chance.randint(1, count - size)  # the last ones are a separate way
    removed = {
        "here_and_there": sorted(draw.chance.sample(range(1, count + 1), size)),
        "in_a_row": list(range(first, first + size)),
        "at_the_end": list(range(count - size + 1, count + 1)),
    }
    branches = [branch for number in range(1, count + 1) if len(branch := _branch(optimal, number)) == size]
    if branches:
        removed["branch"] = draw.chance.choice(branches)
    way = draw.chance.choice(sorted(removed))
    return remove(optimal, removed[way], way)


def _scatter(draw: Draw, optimal: Workflow, size: int) -> Candidate | None:
    """Remove steps, one or a branch at a time, such that the linter has no finding; None if that leaves too many."""
    removed = set[int]()
    for number in _common_first(draw, optimal):
        for part in ({number}, {*_branch(optimal, number)}):
            both = removed | part
            if len(removed) < len(both) <= size and _reads_well(draw, optimal, both):
                removed = both
                break
    return remove(optimal, sorted(removed)) if len(removed) == size else None


def _common_first(draw: Draw, optimal: Workflow) -> Iterator[int]:
    """Draw the steps one after the other, those first of which sound plans have many: they are missed the least."""
    left = list(range(1, len(optimal.steps) + 1))
    while left:
        index = draw_usual(draw.context, [optimal.steps[number - 1].call for number in left], draw.chance)
        yield left.pop(index)


def _reads_well(draw: Draw, optimal: Workflow, removed: set[int]) -> bool:
    return is_clean(remove(optimal, sorted(removed)).workflow, draw.context.tools)


def _branch(optimal: Workflow, last: int) -> list[int]:
    """Return a step and the earlier ones whose outputs go nowhere else."""
    branch = {last}
    for number in range(last - 1, 0, -1):
        users = {place for place, step in enumerate(optimal.steps, start=1) if number in step.call.references}
        if users and users <= branch and number != optimal.answer:
            branch.add(number)
    return sorted(branch)
