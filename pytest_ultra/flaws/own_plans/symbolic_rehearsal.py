"""A rehearsal without tools: each call has an output of its own, which only the same call on the same state repeats.

So two plans with the same effects here have the same effects with any tools. Two that differ here may have the same
effects with some tools: only a rehearsal on the tools can show it.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping

import msgspec

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.output_path import write_path
from pytest_ultra.core.plan_follower import StepResult, advance, begin, next_call
from pytest_ultra.core.workflow import Call, Workflow, read_reference, reference
from pytest_ultra.flaws.tool_signature import ToolSignature


class SymbolicRehearsal(msgspec.Struct, frozen=True):
    """See `flaws.plan_context.Rehearsal`. `effects` is the calls with effects, in order, and the answer."""

    calls: int
    done: Mapping[int, StepResult]
    effects: tuple[tuple[int, ...], str | None]
    has_delivered: bool = True
    has_harmed: bool = False


class SymbolicTools:
    """Tools that are known by their signatures alone. Equal calls on equal states have equal outputs."""

    def __init__(self, tools: Mapping[str, ToolSignature]) -> None:
        self._tools = tools
        self._numbers: dict[Hashable, int] = {}

    def rehearse(
        self, workflow: Workflow, sound: SymbolicRehearsal | None = None, *, left_out: int | None = None
    ) -> SymbolicRehearsal:
        """Follow a plan. With the rehearsal of the `sound` plan, it has delivered if it has all effects of that one."""
        progress, calls = begin(workflow), 0
        effects: list[int] = []
        while next_call(workflow, progress) is not None:
            result = StepResult(is_success=False)
            if progress.step != left_out:
                calls += 1
                result = self._call(workflow.steps[progress.step - 1].call, progress.done, effects)
            progress = advance(workflow, progress, result)
        answer = _part(reference(workflow.answer, workflow.answer_path), progress.done) if workflow.answer else None
        made = SymbolicRehearsal(calls, progress.done, (tuple(effects), answer))
        if sound is None:
            return made
        return msgspec.structs.replace(
            made,
            has_delivered=_has_all(made, sound),
            has_harmed=len(effects) > len(sound.effects[0]),
        )

    def _call(self, written: Call, done: Mapping[int, StepResult], effects: list[int]) -> StepResult:
        """Make a call; an error if it breaks its schema or names an output that is not there."""
        signature = self._tools.get(written.tool)
        call = Call(written.tool, {name: _part(value, done) for name, value in written.arguments.items()})
        if signature is None or call.references or signature.violation(written) is not None:
            return StepResult(is_success=False)
        has_effect = signature.has_effect(call)
        state = () if has_effect else tuple(dict.fromkeys(effects))
        key = (call.tool, json.dumps(call.arguments, sort_keys=True), state)
        number = self._numbers.setdefault(key, len(self._numbers) + 1)
        if has_effect:
            effects.append(number)
        return StepResult(is_success=True, output=f"\0output {number}")


def _part(argument: Json, done: Mapping[int, StepResult]) -> Json:
    """Return the output, or the part of it, that the argument refers to; the argument itself if there is none."""
    found = read_reference(argument)
    result = done.get(found.step) if found is not None else None
    is_there = result is not None and result.is_success
    return f"{result.output}: {write_path(found.path)}" if found and result and is_there else argument


def _has_all(made: SymbolicRehearsal, sound: SymbolicRehearsal) -> bool:
    """Return whether the sound plan's effects are all there, in their order, and its answer."""
    first_times = iter(dict.fromkeys(made.effects[0]))
    return made.effects[1] == sound.effects[1] and all(
        number in first_times for number in dict.fromkeys(sound.effects[0])
    )
