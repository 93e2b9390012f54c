"""Injects a flaw: draws candidates by seed until one passes its proof."""

from __future__ import annotations

from random import Random

import msgspec

from pytest_ultra.core.axes import FlawKind, Severity
from pytest_ultra.core.guidance import FlawedWorkflow
from pytest_ultra.core.workflow import Workflow, render
from pytest_ultra.flaws import (
    logical_inconsistency,
    missing_step,
    parameter_error,
    redundant_operations,
    semantic_drift,
    sequence_disorder,
    tool_misuse,
)
from pytest_ultra.flaws.candidate import Candidate, Changer, Injector, change_steps
from pytest_ultra.flaws.plan_context import PlanContext

MOST_CANDIDATES = 24

_INJECTORS: dict[FlawKind, Injector] = {
    FlawKind.SEQUENCE_DISORDER: sequence_disorder.inject,
    FlawKind.TOOL_MISUSE: tool_misuse.inject,
    FlawKind.PARAMETER_ERROR: parameter_error.inject,
    FlawKind.MISSING_STEP: missing_step.inject,
    FlawKind.REDUNDANT_OPERATIONS: redundant_operations.inject,
    FlawKind.LOGICAL_INCONSISTENCY: logical_inconsistency.inject,
    FlawKind.SEMANTIC_DRIFT: semantic_drift.inject,
}


def inject(
    context: PlanContext, optimal: Workflow, kind: FlawKind, severity: Severity, *, flaws: int = 1
) -> FlawedWorkflow | None:
    """Return a proved flawed workflow, the same for the same arguments; None if no candidate passes.

    With `flaws` above 1, `flaws - 1` further steps are damaged, each by another kind.
    """
    chance = Random(f"{context.seed}/{kind}/{severity}/{flaws}")
    size = severity.damaged_steps(len(optimal.steps))
    if kind is FlawKind.MISSING_STEP:
        size = min(size, len(optimal.steps) - 1)
    for _ in range(MOST_CANDIDATES):
        candidate = _INJECTORS[kind](context, optimal, size, chance)
        if candidate is not None and len(candidate.damages) == size:
            candidate = _compose(context, candidate, kind, flaws - 1, chance)
        is_whole = candidate is not None and len(candidate.damages) == size + flaws - 1
        if candidate is not None and is_whole and is_proved(context, optimal, kind, candidate, flaws=flaws):
            return FlawedWorkflow(kind, severity, candidate.workflow, candidate.damages, flaws)
    return None


def is_proved(context: PlanContext, optimal: Workflow, kind: FlawKind, candidate: Candidate, *, flaws: int = 1) -> bool:
    """Return whether the flaw is visible in the plan's text, and blind obedience to it has a cost.

    The plan must miss the goal. `redundant_operations` alone must reach it, without harm, with more calls.
    """
    if render(candidate.workflow) == render(optimal):
        return False
    rehearsal = context.rehearse(candidate.workflow)
    if kind is not FlawKind.REDUNDANT_OPERATIONS or flaws > 1:
        return not rehearsal.has_delivered
    is_longer = rehearsal.calls > len(optimal.steps)
    return is_longer and rehearsal.has_delivered and not rehearsal.has_harmed


_CHANGERS: dict[FlawKind, Changer] = {
    FlawKind.TOOL_MISUSE: tool_misuse.changes,
    FlawKind.PARAMETER_ERROR: parameter_error.changes,
    FlawKind.LOGICAL_INCONSISTENCY: logical_inconsistency.changes,
}
"""The kinds that can be combined with another, because they change a step in place."""


def _compose(context: PlanContext, candidate: Candidate, kind: FlawKind, more: int, chance: Random) -> Candidate | None:
    """Damage `more` of the sound steps, each by a different kind."""
    kinds = chance.sample([other for other in _CHANGERS if other is not kind], more)
    for other in kinds:
        damaged = {damage.flawed_step for damage in candidate.damages}
        sound = [number for number in range(1, len(candidate.origin) + 1) if number not in damaged]
        if not sound:
            return None
        added = change_steps(context, candidate.workflow, [chance.choice(sound)], _CHANGERS[other], chance)
        if added is None:
            return None
        candidate = _merge(candidate, added)
    return candidate


def _merge(candidate: Candidate, added: Candidate) -> Candidate:
    damages = [
        msgspec.structs.replace(damage, optimal_step=candidate.origin[(damage.flawed_step or 1) - 1])
        for damage in added.damages
    ]
    return Candidate(added.workflow, (*candidate.damages, *damages), candidate.origin)
