"""Damage to single steps of a plan: as many as asked, and none that the linter finds unless that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product

from pytest_ultra.core.axes import Visibility
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.flaws.candidate import Candidate, Change, Draw, is_as_usual, replace_steps
from pytest_ultra.flaws.linter import is_clean

Changer = Callable[[Draw, Workflow, int], list[Change]]
"""(draw, workflow, number of a step) to the changes that could damage that step."""

MOST_TRIED = 4
"""Changes of one step that are tried before the step is passed over."""


def damage_steps(
    draw: Draw, workflow: Workflow, size: int, changer: Changer, *, among: Iterable[int] | None = None
) -> Candidate | None:
    """Damage `size` steps, drawn from those (`among` some) that can be damaged; None if there are too few.

    With the visibility `job`, the words contradict at least one of the changes; only the world may contradict the
    others.
    """
    numbers = list(range(1, len(workflow.steps) + 1) if among is None else among)
    draw.chance.shuffle(numbers)
    changed = draw_changes(draw, workflow, size, changer, numbers)
    return replace_steps(workflow, changed) if len(changed) == size else None


def draw_changes(
    draw: Draw, workflow: Workflow, size: int, changer: Changer, numbers: Iterable[int]
) -> dict[int, Change]:
    """Return the changes of up to `size` steps, those that come first in `numbers`; none without a fit first one."""
    known: dict[int, list[Change]] = {}
    changed: dict[int, Change] = {}
    places = list(numbers)
    for shown_by, must_be_usual in product(_passes(draw.visibility), (True, True, False)):
        for number in places:
            if len(changed) == (1 if shown_by is Visibility.JOB else size):
                break
            if number in changed:
                continue
            if number not in known:
                known[number] = changer(draw, workflow, number)
            options = [change for change in known[number] if shown_by in (None, change.visibility)]
            change = _draw_change(draw, workflow, changed, number, options, must_be_usual=must_be_usual)
            if change is not None:
                changed[number] = change
        if not changed and not must_be_usual:
            break
    return changed


def _passes(visibility: Visibility) -> tuple[Visibility | None, ...]:
    """Return what must show the changes, one pass over the steps after the other; None: anything."""
    passes: Mapping[Visibility, tuple[Visibility | None, ...]] = {
        Visibility.PLAN: (None,),
        Visibility.JOB: (Visibility.JOB, None),
        Visibility.WORLD: (Visibility.WORLD,),
    }
    return passes[visibility]


def _draw_change(
    draw: Draw,
    workflow: Workflow,
    changed: Mapping[int, Change],
    number: int,
    options: list[Change],
    *,
    must_be_usual: bool,
) -> Change | None:
    """Draw a change; with another visibility than `plan`, one that the linter does not find."""
    if not options:
        return None
    right = workflow.steps[number - 1].call
    for change in _in_order(draw, options):
        if must_be_usual and not change.is_usual and not is_as_usual(draw, right, change.step.call):
            continue
        if draw.visibility is Visibility.PLAN or is_unflagged(draw, workflow, {**changed, number: change}):
            return change
    return None


def _in_order(draw: Draw, options: list[Change]) -> Iterator[Change]:
    """Yield some changes, in the order of those that are drawn already.

    Of others, the way is drawn before the change, so that ways with few changes are as likely.
    """
    drawn = [change for change in options if change.is_usual]
    if drawn:
        yield from drawn[: 2 * MOST_TRIED]
        return
    way = draw.chance.choice(sorted({change.way for change in options}))
    first = draw.chance.choice([change for change in options if change.way == way])
    yield first
    others = [change for change in options if change is not first]
    yield from draw.chance.sample(others, min(MOST_TRIED, len(others)))


def is_unflagged(draw: Draw, workflow: Workflow, changed: Mapping[int, Change]) -> bool:
    """Return whether the linter has no finding in the plan with these changes."""
    return is_clean(replace_steps(workflow, changed).workflow, draw.context.tools)
