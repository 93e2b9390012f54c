"""Flaws made of the job's decisions: the plan holds what somebody writes who did not look at the world."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_ultra.core.axes import FlawKind
from pytest_ultra.core.guidance import Damage
from pytest_ultra.core.workflow import Step, Workflow
from pytest_ultra.flaws.candidate import Candidate, Change, Draw, is_as_usual, renumber, replace_steps, with_arguments
from pytest_ultra.flaws.plan_context import PlanMisreading
from pytest_ultra.flaws.step_removal import remove


def misread_arguments(
    draw: Draw,
    optimal: Workflow,
    size: int,
    kind: FlawKind,
    *,
    among: Iterable[int] | None = None,
    is_branch: bool | None = None,
) -> Candidate | None:
    """Take decisions wrongly, such that the arguments of exactly `size` steps (`among` some) change."""
    allowed = set(range(1, len(optimal.steps) + 1) if among is None else among)
    options = [
        misreading
        for misreading in draw.context.misreadings(optimal)
        if misreading.changes
        and not misreading.dropped
        and not misreading.added
        and (is_branch is None or misreading.is_branch is is_branch)
        and {change.step for change in misreading.changes} <= allowed
    ]
    draw.chance.shuffle(options)
    drawn = [(misreading, _is_as_usual(draw, optimal, misreading, kind)) for misreading in options]
    usual_first = [option for option, is_usual in drawn if is_usual] + [
        option for option, is_usual in drawn if not is_usual
    ]
    changed: dict[int, Change] = {}
    for misreading in usual_first:
        steps = {change.step for change in misreading.changes}
        if len(changed) + len(steps) <= size and not steps & changed.keys():
            changed |= _changes(optimal, misreading, kind)
    return replace_steps(optimal, changed) if len(changed) == size else None


def _is_as_usual(draw: Draw, optimal: Workflow, misreading: PlanMisreading, kind: FlawKind) -> bool:
    changes = _changes(optimal, misreading, kind).items()
    return all(is_as_usual(draw, optimal.steps[number - 1].call, change.step.call) for number, change in changes)


def _changes(optimal: Workflow, misreading: PlanMisreading, kind: FlawKind) -> dict[int, Change]:
    steps: dict[int, Step] = {}
    for change in misreading.changes:
        before = steps.get(change.step, optimal.steps[change.step - 1])
        steps[change.step] = with_arguments(before, **{change.argument: change.value})
    how = f"is what one writes without looking: {misreading.question}"
    return {number: Change(kind, step, "misread", how) for number, step in steps.items()}


def misread_steps(draw: Draw, optimal: Workflow, size: int) -> Candidate | None:
    """Take decisions wrongly, such that exactly `size` steps are left out and none is done instead."""
    options = [
        misreading
        for misreading in draw.context.misreadings(optimal)
        if misreading.dropped and not misreading.added and not misreading.changes
    ]
    draw.chance.shuffle(options)
    dropped = set[int]()
    for misreading in options:
        if len(dropped.union(misreading.dropped)) <= size:
            dropped |= {*misreading.dropped}
    return remove(optimal, sorted(dropped), "misread") if len(dropped) == size else None


def added_steps(draw: Draw, optimal: Workflow, size: int) -> Candidate | None:
    """Take one decision wrongly, such that exactly `size` steps are added at the end and none is left out."""
    options = [
        misreading
        for misreading in draw.context.misreadings(optimal)
        if len(misreading.added) == size and not misreading.dropped and not misreading.changes
    ]
    if not options:
        return None
    misreading = draw.chance.choice(options)
    count = len(optimal.steps)
    same = {number: number for number in range(1, count + 1)}
    steps = (*optimal.steps, *(renumber(step, same) for step in misreading.added))
    damages = tuple(
        Damage(
            FlawKind.LOGICAL_INCONSISTENCY, count + extra, None, "misread", f"is uncalled for: {misreading.question}"
        )
        for extra in range(1, size + 1)
    )
    return Candidate(Workflow(steps, optimal.answer), damages, (*range(1, count + 1), *[None] * size))
