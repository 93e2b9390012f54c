"""Blind obedience: doing a workflow's steps as they are written, one call after another."""

from __future__ import annotations

import msgspec

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Step, Workflow, referenced_step


class Seen(msgspec.Struct, frozen=True):
    """What a follower takes in of a tool's answer. `output` is what later steps are given for this one."""

    is_success: bool
    is_transient: bool = False
    output: Json = None
    value: Json = None


class Progress(msgspec.Struct, frozen=True):
    """How far a follower has come: the number of the step at hand, from 1, and what earlier ones gave."""

    step: int = 1
    done: dict[int, Seen] = {}
    is_on_fallback: bool = False


def next_call(workflow: Workflow, progress: Progress) -> Call | None:
    """Return the call to make now, with outputs in place of references; None when no step is left.

    An output that is not there stays as it is written, and the tool will say so.
    """
    if progress.step > len(workflow.steps):
        return None
    step = workflow.steps[progress.step - 1]
    call = step.fallback if progress.is_on_fallback and step.fallback else step.call
    return Call(call.tool, {name: _resolve(value, progress) for name, value in call.arguments.items()})


def begin(workflow: Workflow) -> Progress:
    return _skip(workflow, Progress())


def advance(workflow: Workflow, progress: Progress, seen: Seen, *, retries: bool = True) -> Progress:
    """Take in the answer to the call at hand.

    A transient fault is met as the step advises, again and again (not at all without `retries`); after
    any other error the follower goes on with the next step, since no advice covers it.
    """
    if seen.is_transient and retries:
        return msgspec.structs.replace(progress, is_on_fallback=True)
    return _skip(workflow, Progress(progress.step + 1, {**progress.done, progress.step: seen}))


def answer_text(workflow: Workflow, progress: Progress) -> str:
    """Return what the follower says at the end."""
    if workflow.answer is None:
        return "Done."
    seen = progress.done.get(workflow.answer, Seen(is_success=False))
    value = seen.value if seen.is_success else "unknown"
    return f"Done.\nANSWER: {msgspec.json.encode(value).decode()}"


def _skip(workflow: Workflow, progress: Progress) -> Progress:
    """Pass over the steps whose condition does not hold."""
    number = progress.step
    while number <= len(workflow.steps) and not _applies(workflow.steps[number - 1], progress):
        number += 1
    return msgspec.structs.replace(progress, step=number)


def _applies(step: Step, progress: Progress) -> bool:
    if step.only_if_failed is None:
        return True
    seen = progress.done.get(step.only_if_failed)
    return seen is not None and not seen.is_success


def _resolve(argument: Json, progress: Progress) -> Json:
    step = referenced_step(argument)
    seen = progress.done.get(step) if step is not None else None
    return seen.output if seen is not None and seen.output is not None else argument
