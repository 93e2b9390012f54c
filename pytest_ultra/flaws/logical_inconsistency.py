"""logical_inconsistency: a condition, a comparison or a data reference contradicts another step or the job.

Where more steps are to be damaged than can be turned round, the others have values that contradict another step.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_ultra.core.axes import FlawKind, Visibility
from pytest_ultra.core.workflow import Step, Workflow, reference
from pytest_ultra.flaws.candidate import Candidate, Change, Draw, replace_steps, with_arguments
from pytest_ultra.flaws.misread_decisions import added_steps, misread_arguments
from pytest_ultra.flaws.step_damage import damage_steps, draw_changes, is_unflagged

_KIND = FlawKind.LOGICAL_INCONSISTENCY


def inject(draw: Draw, optimal: Workflow, size: int) -> Candidate | None:
    if draw.visibility is Visibility.PLAN:
        return damage_steps(draw, optimal, size, changes)
    if draw.visibility is Visibility.WORLD and draw.chance.choice((True, False)):
        misread = misread_arguments(draw, optimal, size, _KIND, is_branch=True) or added_steps(draw, optimal, size)
        if misread is not None:
            return misread
    return _contradict(draw, optimal, size)


def changes(draw: Draw, workflow: Workflow, number: int) -> list[Change]:
    """Return the contradictions that a step could have.

    A condition, which few sound plans have, is the last resort.
    """
    if draw.visibility is Visibility.PLAN:
        contrary = [*_past_the_result(workflow, number), *_on_failure_only(draw, workflow, number)]
        return [*_turned_round(draw, workflow, number), *contrary]
    found = [*_turned_round(draw, workflow, number), *_unprocessed(draw, workflow, number)]
    found += _on_other_branch(draw, workflow, number)
    return found or list(_on_failure_only(draw, workflow, number))


def _contradict(draw: Draw, workflow: Workflow, size: int) -> Candidate | None:
    """Damage the steps that can contradict by their logic; then those that can contradict by a value."""
    numbers = list(range(1, len(workflow.steps) + 1))
    draw.chance.shuffle(numbers)
    known: dict[int, list[Change]] = {}
    by_logic, by_value = list[int](), list[int]()
    for number in numbers:
        found = [change for change in changes(draw, workflow, number) if is_unflagged(draw, workflow, {number: change})]
        shown = [change for change in found if change.visibility is draw.visibility]
        known[number] = found if shown else [*found, *_contrary_values(draw, workflow, number)]
        (by_logic if shown else by_value).append(number)
    by_logic.sort(key=lambda number: all(change.way == "bypass" for change in known[number]))  # leaves results unused
    changed = draw_changes(draw, workflow, size, lambda _, __, number: known[number], [*by_logic, *by_value])
    return replace_steps(workflow, changed) if len(changed) == size else None


def _on_failure_only(draw: Draw, workflow: Workflow, number: int) -> Iterator[Change]:
    """Do the step only if an earlier one failed, although the job wants both.

    With the visibility `plan`, it may build on the step that is to fail.
    """
    step = workflow.steps[number - 1]
    for earlier in range(1, number):
        if draw.visibility is Visibility.PLAN or earlier not in _needs(workflow, number):
            how = f"is tied to the failure of step {earlier}, though both are needed"
            yield Change(_KIND, Step(step.call, step.fallback, earlier), "contrary_condition", how)


def _needs(workflow: Workflow, number: int) -> set[int]:
    direct = set(workflow.steps[number - 1].call.references)
    return direct.union(*(_needs(workflow, used) for used in direct if used < number))


def _past_the_result(workflow: Workflow, number: int) -> Iterator[Change]:
    """Work on the input of an earlier step instead of its output."""
    for used in workflow.steps[number - 1].call.references:
        for before in workflow.steps[used - 1].call.references:
            yield _bypass(workflow, number, [used], before, Visibility.PLAN)


def _unprocessed(draw: Draw, workflow: Workflow, number: int) -> Iterator[Change]:
    """Work on data as they were several steps before, which another output uses as they are now."""
    needless = {misreading.needless for misreading in draw.context.misreadings(workflow)}
    for used in workflow.steps[number - 1].call.references:
        passed = [used]
        while (before := _input(workflow, passed[-1])) is not None:
            is_data = needless.issuperset(passed)
            shown_by = Visibility.WORLD if is_data else Visibility.JOB
            yield _bypass(workflow, number, passed, before, shown_by)
            passed = [*passed, before]


def _input(workflow: Workflow, number: int) -> int | None:
    used = workflow.steps[number - 1].call.references
    return used[0] if used and used[0] < number else None


def _bypass(workflow: Workflow, number: int, passed: list[int], before: int, visibility: Visibility) -> Change:
    """Work on the output of the step `before` instead of that of the first of `passed`."""
    call = workflow.steps[number - 1].call.with_references(
        lambda used: reference(before if used == passed[0] else used)
    )
    words = " and ".join(map(str, reversed(passed)))
    how = f"passes over step {words}, whose result it is there to use"
    return Change(_KIND, Step(call), "bypass", how, visibility)


_OPPOSITES = {
    "operator": {
        "gt": "lt",
        "lt": "gt",
        "gte": "lte",
        "lte": "gte",
        "eq": "ne",
        "ne": "eq",
        "in": "not_in",
        "not_in": "in",
        "+": "-",
        "-": "+",
        "*": "/",
        "/": "*",
    },
    "order": {"ascending": "descending", "descending": "ascending"},
    "function": {"min": "max", "max": "min"},
}


def _turned_round(draw: Draw, workflow: Workflow, number: int) -> Iterator[Change]:
    """Turn a comparison or a calculation into its opposite, which contradicts what the other steps are about."""
    step = workflow.steps[number - 1]
    for name, opposites in _OPPOSITES.items():
        opposite = opposites.get(str(step.call.arguments.get(name)))
        if opposite is not None:
            how = f"{name} is the opposite of what the other steps are about"
            shown_by = draw.context.visibility(workflow, number, name)
            yield Change(_KIND, with_arguments(step, **{name: opposite}), "opposite", how, shown_by)


def _on_other_branch(draw: Draw, workflow: Workflow, number: int) -> Iterator[Change]:
    """Do what is right if a condition of the job turns out the other way."""
    for misreading in draw.context.misreadings(workflow):
        if misreading.is_branch and not misreading.dropped and not misreading.added:
            for change in misreading.changes:
                if change.step == number and len(misreading.changes) == 1:
                    step = with_arguments(workflow.steps[number - 1], **{change.argument: change.value})
                    how = f"is for another answer to the question {misreading.question}"
                    yield Change(_KIND, step, "misread", how, Visibility.WORLD)


def _contrary_values(draw: Draw, workflow: Workflow, number: int) -> Iterator[Change]:
    """Name what another step does not name, or what the words do not."""
    step = workflow.steps[number - 1]
    others = [other.call.arguments for place, other in enumerate(workflow.steps, start=1) if place != number]
    for name, value in sorted(step.call.arguments.items()):
        is_named_elsewhere = any(value in arguments.values() for arguments in others)
        way = "contrary_step" if is_named_elsewhere else "contrary_value"
        for decoy in draw.context.decoys(workflow, number, name):
            how = f"{name} is not what {'another step' if is_named_elsewhere else 'the job'} is about"
            changed = with_arguments(step, **{name: decoy.value})
            yield Change(_KIND, changed, way, how, decoy.visibility)
