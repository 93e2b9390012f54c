"""Blind obedience: carries out a workflow's steps as they are written, one call at a time."""

from __future__ import annotations

import msgspec

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.output_path import Path, follow_path
from pytest_ultra.core.workflow import Call, Step, Workflow, read_reference


class StepResult(msgspec.Struct, frozen=True):
    """What a follower uses of a tool's result. `output` replaces references to this step, or the part that they name.

    After a transient error the same call may work; `is_down` means that it never will.
    """

    is_success: bool
    is_transient: bool = False
    is_down: bool = False
    output: Json = None
    value: Json = None


class Progress(msgspec.Struct, frozen=True):
    """The progress of a follower: the number of the current step, from 1, and the results of earlier steps."""

    step: int = 1
    done: dict[int, StepResult] = {}
    is_on_fallback: bool = False


def next_call(workflow: Workflow, progress: Progress) -> Call | None:
    """Return the next call, with outputs in place of references; None if no step is left.

    A reference without an output stays as it is written, and the tool rejects it.
    """
    if progress.step > len(workflow.steps):
        return None
    step = workflow.steps[progress.step - 1]
    call = step.fallback if progress.is_on_fallback and step.fallback else step.call
    return Call(call.tool, {name: _resolve(value, progress) for name, value in call.arguments.items()})


def begin(workflow: Workflow) -> Progress:
    return _skip(workflow, Progress())


def advance(workflow: Workflow, progress: Progress, result: StepResult, *, retries: bool = True) -> Progress:
    """Process the result of the current call.

    After a transient fault the follower makes the same call again, repeatedly (never without `retries`), and the
    step's fallback if the call is down. After any other error it continues with the next step, because no advice
    covers it.
    """
    if result.is_transient and retries:
        return progress
    if result.is_down and workflow.steps[progress.step - 1].fallback and not progress.is_on_fallback:
        return msgspec.structs.replace(progress, is_on_fallback=True)
    return _skip(workflow, Progress(progress.step + 1, {**progress.done, progress.step: result}))


def answer_text(workflow: Workflow, progress: Progress) -> str:
    """Return the final words of the follower."""
    if workflow.answer is None:
        return "Done."
    result = progress.done.get(workflow.answer, StepResult(is_success=False))
    value = _find_part(result.value, workflow.answer_path, "unknown") if result.is_success else "unknown"
    return f"Done.\nANSWER: {msgspec.json.encode(value).decode()}"


def _skip(workflow: Workflow, progress: Progress) -> Progress:
    """Skip the steps whose condition does not hold."""
    number = progress.step
    while number <= len(workflow.steps) and not _applies(workflow.steps[number - 1], progress):
        number += 1
    return msgspec.structs.replace(progress, step=number)


def _applies(step: Step, progress: Progress) -> bool:
    if step.only_if_failed is None:
        return True
    result = progress.done.get(step.only_if_failed)
    return result is not None and not result.is_success


def _resolve(argument: Json, progress: Progress) -> Json:
    found = read_reference(argument)
    result = progress.done.get(found.step) if found is not None else None
    if found is None or result is None or result.output is None:
        return argument
    return _find_part(result.output, found.path, argument)


def _find_part(value: Json, path: Path, otherwise: Json) -> Json:
    try:
        return follow_path(value, path)
    except LookupError:
        return otherwise
