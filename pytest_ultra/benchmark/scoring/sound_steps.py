"""The needed steps of a sound plan: which of them a model carried out, and which it left undone."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pytest_ultra.benchmark.scoring.adherence import carries_out
from pytest_ultra.benchmark.scoring.evidence import Evidence
from pytest_ultra.benchmark.step_milestones import match_steps
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import Answered, EndReason
from pytest_ultra.core.workflow import Workflow


class SoundStep(msgspec.Struct, frozen=True):
    """A step that the goal needs and that the model came to.

    `is_distrusted`: it was not carried out as written, and its purpose was not reached in another way either.
    """

    number: int
    is_distrusted: bool


def find_sound_steps(evidence: Evidence, plan: Workflow) -> tuple[SoundStep, ...]:
    """Return the needed steps of a sound plan that the model came to; () if it made no call.

    A step is needed if it is the first to reach a milestone of the task and has no condition. A model that ended the
    episode came to all steps; one that was stopped came to those up to the last that it carried out. A call that met a
    random fault counts: the model did what the plan says.
    """
    if not evidence.calls:
        return ()
    tried = _find_tried(evidence, plan)
    has_chosen_to_end = evidence.end in (EndReason.STOPPED, EndReason.GAVE_UP)
    last = len(plan.steps) if has_chosen_to_end else max(tried, default=0)
    return tuple(
        SoundStep(number, is_distrusted=number not in tried and not evidence.milestones[purpose])
        for purpose, number in match_steps(evidence.task, plan).items()
        if number <= last and plan.steps[number - 1].only_if_failed is None
    )


def _find_tried(evidence: Evidence, plan: Workflow) -> set[int]:
    """Return the numbers of the steps that were carried out as written, in any order."""
    outputs: dict[int, Json] = {}
    first_handles: dict[str, str] = {}
    tried: set[int] = set()
    for made in evidence.calls:
        event = _with_first_handles(made, first_handles)
        matches = [n for n, step in enumerate(plan.steps, start=1) if carries_out(event, step, outputs)]
        if not matches:
            continue
        number = next((n for n in matches if n not in tried), matches[0])
        tried.add(number)
        if event.result.is_success and (handle := event.result.handle) is not None:
            first_handles[handle] = str(outputs.setdefault(number, handle))
    return tried


def _with_first_handles(event: Answered, first_handles: Mapping[str, str]) -> Answered:
    """Return a call with the output of a repeated step in the place of the repetition's."""
    if event.arguments is None:
        return event
    arguments = {
        name: first_handles.get(value, value) if isinstance(value, str) else value
        for name, value in event.arguments.items()
    }
    return msgspec.structs.replace(event, arguments=arguments)
