"""The proofs of a flaw: it has a cost, and it is as visible as it is said to be."""

from __future__ import annotations

from pytest_ultra.core.axes import FlawKind, Visibility
from pytest_ultra.core.workflow import Step, Workflow, referenced_step, render
from pytest_ultra.flaws.candidate import Candidate
from pytest_ultra.flaws.linter import lint
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
    is_flagged = bool(lint(candidate.workflow, context.tools))
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
    nor the sound plan name.
    """
    known = [value for step in optimal.steps for value in step.call.arguments.values()]
    for origin, step in zip(candidate.origin, candidate.workflow.steps, strict=True):
        right = optimal.steps[origin - 1].call.arguments if origin else {}
        for name, value in step.call.arguments.items():
            is_literal = referenced_step(value) is None and right.get(name) != value
            if not is_literal or context.is_named(value) or _is_one_of_few(context, step, name):
                continue
            is_strange = name not in right and value not in known
            if is_strange or (name in right and context.is_named(right[name])):
                return True
    return False


def _is_one_of_few(context: PlanContext, step: Step, name: str) -> bool:
    """Return whether the schema lists the argument's values, which words paraphrase rather than name."""
    signature = context.tools.get(step.call.tool)
    return signature is not None and "enum" in signature.parameters["properties"].get(name, {})
