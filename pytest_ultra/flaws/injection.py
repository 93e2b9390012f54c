"""Injects a flaw: draws candidates by seed until one passes its proof."""

from __future__ import annotations

from random import Random

import msgspec

from pytest_ultra.core.axes import FlawKind, Severity, Visibility
from pytest_ultra.core.guidance import FlawedWorkflow
from pytest_ultra.core.workflow import Workflow
from pytest_ultra.flaws import (
    logical_inconsistency,
    missing_step,
    parameter_error,
    redundant_operations,
    semantic_drift,
    sequence_disorder,
    tool_misuse,
)
from pytest_ultra.flaws.candidate import Candidate, Draw, Injector
from pytest_ultra.flaws.oddities import Keeps, add_idle_steps, add_oddities
from pytest_ultra.flaws.plan_context import PlanContext
from pytest_ultra.flaws.proof import has_visibility, is_proved
from pytest_ultra.flaws.step_damage import Changer, damage_steps

MOST_CANDIDATES = 32
"""Candidates of one visibility before the next more visible one is tried."""

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
    context: PlanContext,
    optimal: Workflow,
    kind: FlawKind,
    severity: Severity,
    *,
    visibility: Visibility | None = None,
    flaws: int = 1,
    with_oddities: bool = True,
    injector: Injector | None = None,
) -> FlawedWorkflow | None:
    """Return a proved flawed workflow, the same for the same arguments; None if no candidate passes.

    A task that is too small for the visibility (`job` if None) gets the next more visible one. With `flaws` above 1,
    `flaws - 1` further steps are damaged, each by another kind. Half of the plans of another visibility than `plan`
    have oddities, as half of the sound plans have: `alternative` beside `optimal`; and steps that change nothing stand
    in the place of missing ones. Without `with_oddities`, none of this is so. A kind of a user's own needs its
    `injector`.
    """
    wanted = visibility or Visibility.JOB
    least_visible = list(Visibility).index(wanted)
    for possible in reversed(list(Visibility)[: least_visible + 1]):
        chance = Random(f"{context.seed}/{kind}/{severity}/{possible}/{flaws}")
        draw = Draw(context, possible, chance)
        inject_kind = injector or _INJECTORS[kind]
        candidate = _find(draw, optimal, kind, severity, inject_kind, flaws=flaws, with_oddities=with_oddities)
        if candidate is not None:
            workflow, damages = candidate.workflow, candidate.damages
            return FlawedWorkflow(kind, severity, workflow, damages, flaws, possible, visibility)
    return None


def _find(
    draw: Draw,
    optimal: Workflow,
    kind: FlawKind,
    severity: Severity,
    inject_kind: Injector,
    *,
    flaws: int,
    with_oddities: bool,
) -> Candidate | None:
    """Return the first candidate that passes its proof."""

    def is_as_visible(plan: Candidate) -> bool:
        return has_visibility(draw.context, optimal, plan, draw.visibility)

    size = severity.damaged_steps(len(optimal.steps))
    with_oddities = with_oddities and draw.visibility is not Visibility.PLAN
    has_oddities = with_oddities and draw.chance.choice((True, False))
    if kind is FlawKind.MISSING_STEP:
        size = min(size, len(optimal.steps) - 1)
    for attempt in range(MOST_CANDIDATES):
        candidate = inject_kind(msgspec.structs.replace(draw, attempt=attempt), optimal, size)
        if candidate is None or len(candidate.damages) != size:
            continue
        composed = _compose(draw, candidate, kind, flaws - 1)
        if composed is not None and is_proved(draw.context, optimal, kind, composed, draw.visibility, flaws=flaws):
            if with_oddities:
                composed = _fill_gaps(draw, composed, is_as_visible)
            if has_oddities:
                composed = add_oddities(draw.context, composed, draw.chance, is_as_visible, beside=kind)
            return composed
    return None


def _fill_gaps(draw: Draw, candidate: Candidate, keeps: Keeps) -> Candidate:
    """Put steps that change nothing in the place of missing ones, so that the plan is as long as a sound one."""
    missing = sum(damage.flawed_step is None for damage in candidate.damages)
    return add_idle_steps(draw.context, candidate, draw.chance, keeps, missing)


_CHANGERS: dict[FlawKind, Changer] = {
    FlawKind.TOOL_MISUSE: tool_misuse.changes,
    FlawKind.PARAMETER_ERROR: parameter_error.changes,
    FlawKind.LOGICAL_INCONSISTENCY: logical_inconsistency.changes,
}
"""The kinds that can be combined with another, because they change a step in place."""


def _compose(draw: Draw, candidate: Candidate, kind: FlawKind, more: int) -> Candidate | None:
    """Damage `more` of the sound steps, each by a different kind."""
    kinds = draw.chance.sample([other for other in _CHANGERS if other is not kind], more)
    for other in kinds:
        damaged = {damage.flawed_step for damage in candidate.damages}
        sound = [number for number in range(1, len(candidate.origin) + 1) if number not in damaged]
        added = damage_steps(draw, candidate.workflow, 1, _CHANGERS[other], among=sound)
        if added is None:
            return None
        candidate = _merge(candidate, added)
    return candidate


def _merge(candidate: Candidate, added: Candidate) -> Candidate:
    origin: dict[int | None, int | None] = dict(enumerate(candidate.origin, start=1))
    damages = [msgspec.structs.replace(damage, optimal_step=origin[damage.flawed_step]) for damage in added.damages]
    return Candidate(added.workflow, (*candidate.damages, *damages), candidate.origin)
