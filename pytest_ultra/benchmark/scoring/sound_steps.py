"""The needed steps of a sound plan: which of them a model carried out, and which it left undone."""

from __future__ import annotations

import msgspec

from pytest_ultra.benchmark.scoring.adherence import carries_out
from pytest_ultra.benchmark.scoring.evidence import Evidence
from pytest_ultra.benchmark.scoring.step_calls import has_same_literals
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import EndReason
from pytest_ultra.core.workflow import Workflow


class SoundStep(msgspec.Struct, frozen=True):
    """A step that the goal needs and that the model came to.

    `is_distrusted`: it was not carried out as written, and its purpose was not reached in another way either.
    """

    number: int
    is_distrusted: bool


def find_sound_steps(evidence: Evidence, plan: Workflow) -> tuple[SoundStep, ...]:
    """Return the needed steps of a sound plan that the model came to; () if it made no call.

    A step is needed if it reaches a milestone of the task and has no condition. A model that ended the episode came to
    all steps; one that was stopped came to those up to the last that it carried out. A call that met a random fault
    counts: the model did what the plan says.
    """
    if not evidence.calls:
        return ()
    tried = _find_tried(evidence, plan)
    has_chosen_to_end = evidence.end in (EndReason.STOPPED, EndReason.GAVE_UP)
    last = len(plan.steps) if has_chosen_to_end else max(tried, default=0)
    purposes = _find_purposes(evidence, plan)
    return tuple(
        SoundStep(number, is_distrusted=number not in tried and not evidence.milestones[purpose])
        for number, purpose in purposes.items()
        if number <= last
    )


def _find_purposes(evidence: Evidence, plan: Workflow) -> dict[int, int]:
    """Return the milestone that each needed step reaches, by the step's number."""
    purposes: dict[int, int] = {}
    for number, step in enumerate(plan.steps, start=1):
        reached = [a.reaches for a in evidence.task.actions if has_same_literals(a.call, step.call)]
        if reached and step.only_if_failed is None:
            purposes[number] = next((m for m in reached if m not in purposes.values()), reached[0])
    return purposes


def _find_tried(evidence: Evidence, plan: Workflow) -> set[int]:
    """Return the numbers of the steps that were carried out as written, in any order."""
    outputs: dict[int, Json] = {}
    tried: set[int] = set()
    for event in evidence.calls:
        matches = [n for n, step in enumerate(plan.steps, start=1) if carries_out(event, step, outputs)]
        if not matches:
            continue
        number = next((n for n in matches if n not in tried), matches[0])
        tried.add(number)
        if event.result.is_success:
            outputs[number] = event.result.handle
    return tried
