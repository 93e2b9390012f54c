"""The proofs of a flaw: it has a cost, and it is as visible as it is said to be."""

from __future__ import annotations

from pytest_ultra.core.axes import FlawKind, Visibility
from pytest_ultra.core.workflow import Call, Workflow, referenced_step, render
from pytest_ultra.flaws.candidate import Candidate
from pytest_ultra.flaws.linter import is_clean
from pytest_ultra.flaws.plan_context import PlanContext


def is_proved(
    context: PlanContext,
    optimal: Workflow,
    kind: FlawKind,
    candidate: Candidate,
    visibility: Visibility,
    *,
    flaws: int = 1,
) -> bool:
    """Return whether the plan's text is another one, is as visibly wrong as `visibility` says, and has a cost."""
    if render(candidate.workflow) == render(optimal):
        return False
    return has_visibility(context, optimal, candidate, visibility) and has_cost(
        context, optimal, kind, candidate.workflow, flaws=flaws
    )


def has_visibility(context: PlanContext, optimal: Workflow, candidate: Candidate, visibility: Visibility) -> bool:
    """Return whether the linter flags the plan (`plan`) or has no finding; for `world`, nor has a check of literals."""
    is_flagged = not is_clean(candidate.workflow, context.tools)
    if visibility is Visibility.PLAN or is_flagged:
        return is_flagged and visibility is Visibility.PLAN
    return visibility is Visibility.JOB or not contradicts_words(context, optimal, candidate)


def has_cost(context: PlanContext, optimal: Workflow, kind: FlawKind, flawed: Workflow, *, flaws: int = 1) -> bool:
    """Return whether blind obedience misses the goal.

    `redundant_operations` alone may reach it too: with more calls, or with harm.
    """
    rehearsal = context.rehearse(flawed)
    if not rehearsal.has_delivered:
        return kind is not FlawKind.REDUNDANT_OPERATIONS or flaws > 1
    is_redundant = kind is FlawKind.REDUNDANT_OPERATIONS and flaws == 1
    return is_redundant and rehearsal.calls > len(optimal.steps)


def contradicts_words(context: PlanContext, optimal: Workflow, candidate: Candidate) -> bool:
    """Return whether a check of every literal against the words of the job finds something wrong.

    That is a literal that the words do not name, where they name the right one; or an added literal that neither they
    nor the sound plan name, where they name all that the sound plan has in such an argument.
    """
    known = [value for step in optimal.steps for value in step.call.arguments.values()]
    left_open = _left_open(context, optimal)
    for origin, step in zip(candidate.origin, candidate.workflow.steps, strict=True):
        right = optimal.steps[origin - 1].call if origin else None
        arguments = right.arguments if right else {}
        for name, value in step.call.arguments.items():
            is_literal = referenced_step(value) is None and arguments.get(name) != value
            if not is_literal or context.is_named(value) or _is_one_of_few(context, step.call, name):
                continue
            if name in arguments:
                is_contradicted = context.is_named(arguments[name])
            else:
                is_open = (step.call.tool, name) in left_open or (right is not None and _is_unnamed(context, right))
                is_contradicted = value not in known and not is_open
            if is_contradicted:
                return True
    return False


def adds_strange_literals(context: PlanContext, before: Workflow, after: Workflow) -> bool:
    """Return whether steps that a plan did not have before name what a check of literals would find."""
    known = [value for step in before.steps for value in step.call.arguments.values()]
    left_open = _left_open(context, before)
    added = [step.call for step in after.steps if not any(step.call.says_the_same_as(s.call) for s in before.steps)]
    return any(
        value not in known and (call.tool, name) not in left_open
        for call in added
        for name, value in call.literals.items()
        if not context.is_named(value) and not _is_one_of_few(context, call, name)
    )


def _is_unnamed(context: PlanContext, call: Call) -> bool:
    """Return whether the words name nothing of what a call names."""
    return not any(context.is_named(value) for value in call.literals.values())


def _left_open(context: PlanContext, optimal: Workflow) -> set[tuple[str, str]]:
    """Return the tools' arguments of which the words do not name every value of the sound plan."""
    return {
        (step.call.tool, name)
        for step in optimal.steps
        for name, value in step.call.literals.items()
        if not context.is_named(value) and not _is_one_of_few(context, step.call, name)
    }


def _is_one_of_few(context: PlanContext, call: Call, name: str) -> bool:
    """Return whether the schema lists the argument's values, which words paraphrase rather than name."""
    signature = context.tools.get(call.tool)
    return signature is not None and "enum" in signature.parameters["properties"].get(name, {})
