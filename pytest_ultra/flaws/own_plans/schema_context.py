"""The surroundings of a plan of which no more is known than its tools' descriptions, and the job's words if given."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from random import Random

import msgspec

from pytest_ultra.core.axes import Visibility
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Workflow, referenced_step
from pytest_ultra.flaws.own_plans.filled_arguments import fill_arguments, make_call
from pytest_ultra.flaws.own_plans.schema_signature import SchemaSignature
from pytest_ultra.flaws.own_plans.symbolic_rehearsal import SymbolicTools
from pytest_ultra.flaws.own_plans.tool_listing import ToolDescription
from pytest_ultra.flaws.own_plans.wrong_values import wrong_values
from pytest_ultra.flaws.plan_context import Decoy, PlanMisreading, Rehearsal

Rehearse = Callable[[Workflow, int | None], Rehearsal]
"""Follows a workflow with tools that never fail, passing over the step with the given number as if it had failed."""

MOST_LOOK_UPS = 8
MOST_DECOYS = 3


class SchemaContext:
    """See `flaws.plan_context.PlanContext`.

    `words` is the job in words. Without `rehearse`, plans are compared by their structure: see `SymbolicTools`.
    """

    def __init__(
        self,
        sound: Workflow,
        tools: Mapping[str, ToolDescription],
        seed: str,
        *,
        words: str | None = None,
        rehearse: Rehearse | None = None,
    ) -> None:
        self.seed = seed
        self.tools: Mapping[str, SchemaSignature] = make_signatures(tools, sound)
        self.offered: Sequence[str] = tuple(tools)
        self.checks: Sequence[Call] = ()
        self._sound = sound
        self._words = words
        self._rehearse = rehearse
        self._symbolic = SymbolicTools(self.tools)
        self._sound_rehearsal = self._symbolic.rehearse(sound)

    @cached_property
    def idle_look_ups(self) -> Sequence[Call]:
        """Calls of the tools that only look, with arguments beside those of the plan."""
        chance = Random(f"{self.seed}/look_ups")
        known = [step.call for step in self._sound.steps]
        found: list[Call] = []
        looking = [name for name, signature in self.tools.items() if signature.is_read_only]
        for name in looking:
            made = make_call(self.tools[name], chance)
            found += [made] if made is not None else []
        for number, call in enumerate(known, start=1):
            if call.tool in looking and not call.references:
                found += [
                    Call(call.tool, {**call.arguments, name: decoy.value})
                    for name in call.arguments
                    for decoy in self.decoys(self._sound, number, name)[:MOST_DECOYS]
                ]
        distinct = {json.dumps([call.tool, call.arguments], sort_keys=True): call for call in found}
        return [call for call in distinct.values() if call not in known][:MOST_LOOK_UPS]

    def look_ups(self, workflow: Workflow) -> Sequence[Call]:  # noqa: ARG002 - what the job turns on is not known
        return ()

    def equivalents(self, workflow: Workflow, number: int) -> Sequence[Call]:  # noqa: ARG002 - not known
        return ()

    def decoys(self, workflow: Workflow, number: int, argument: str) -> Sequence[Decoy]:
        call = workflow.steps[number - 1].call
        signature, value = self.tools.get(call.tool), call.arguments[argument]
        if signature is None or referenced_step(value) is not None:
            return ()
        visibility = self.visibility(workflow, number, argument)
        schema = signature.parameters["properties"].get(argument, {})
        alike, others = self._same_argument(workflow, number, argument), self._literals(workflow)
        return [
            Decoy(wrong.value, visibility, wrong.way)
            for wrong in wrong_values(value, schema, alike, others)
            if signature.violation(Call(call.tool, {**call.arguments, argument: wrong.value})) is None
        ]

    def _same_argument(self, workflow: Workflow, number: int, argument: str) -> Iterator[Json]:
        for place, step in enumerate(workflow.steps, start=1):
            if place != number and argument in step.call.literals:
                yield step.call.literals[argument]

    def _literals(self, workflow: Workflow) -> Iterator[Json]:
        for step in workflow.steps:
            yield from step.call.literals.values()

    def visibility(self, workflow: Workflow, number: int, argument: str) -> Visibility:
        """Return what shows that another value is wrong; without the job's words, that is taken to be the job."""
        call = workflow.steps[number - 1].call
        signature = self.tools.get(call.tool)
        schema = signature.parameters["properties"].get(argument, {}) if signature else {}
        is_said = self._words is None or "enum" in schema or self.is_named(call.arguments[argument])
        return Visibility.JOB if is_said else Visibility.WORLD

    def misreadings(self, workflow: Workflow) -> Sequence[PlanMisreading]:  # noqa: ARG002 - decisions are not known
        return ()

    def arguments_for(self, workflow: Workflow, number: int, tool: str, chance: Random) -> dict[str, Json] | None:
        calls = [step.call for step in workflow.steps]
        if tool not in self._likely_mistaken(calls[number - 1].tool):
            return None
        return fill_arguments(self.tools[tool], calls[number - 1], calls[: number - 1], chance)

    def _likely_mistaken(self, right: str) -> Collection[str]:
        """Return the tools that look, or act, as the right one does; all others if none does."""
        others = [name for name in self.tools if name != right]
        is_looking = right in self.tools and self.tools[right].is_read_only
        return [name for name in others if self.tools[name].is_read_only is is_looking] or others

    def idle_steps(self, workflow: Workflow, number: int) -> Sequence[Call]:  # noqa: ARG002 - the data are not known
        return ()

    def in_usual_order(self, workflow: Workflow) -> Workflow:
        return workflow  # no order is known to be usual

    def commonness(self, call: Call) -> float:  # noqa: ARG002 - no plans of these tools are known
        return 1.0

    def tool_commonness(self, tool: str) -> float:  # noqa: ARG002 - as above
        return 1.0

    def is_named(self, value: Json) -> bool:
        if isinstance(value, dict):
            return all(self.is_named(part) for pair in value.items() for part in pair)
        if isinstance(value, list):
            return all(map(self.is_named, value))
        text = value if isinstance(value, str) else json.dumps(value)
        return re.search(rf"(?<![\w.-]){re.escape(text)}(?!\w|[-./]\w)", self._words or "") is not None

    def rehearse(self, workflow: Workflow, *, left_out: int | None = None) -> Rehearsal:
        if self._rehearse is not None:
            return self._rehearse(keep_answer_path(workflow, self._sound), left_out)
        return self.follow(workflow, left_out=left_out)

    def follow(self, workflow: Workflow, *, left_out: int | None = None) -> Rehearsal:
        """Follow a workflow by its structure alone."""
        return self._symbolic.rehearse(
            keep_answer_path(workflow, self._sound), self._sound_rehearsal, left_out=left_out
        )


def make_signatures(tools: Mapping[str, ToolDescription], sound: Workflow | None = None) -> dict[str, SchemaSignature]:
    """Return the signatures of tools; those whose outputs the `sound` plan leaves unused are taken to inform."""
    informing: set[str] = set()
    if sound is not None:
        used = {number for step in sound.steps for number in step.call.references} | {sound.answer}
        informing = {step.call.tool for number, step in enumerate(sound.steps, start=1) if number not in used}
    return {name: SchemaSignature(tool, informs_reader=name in informing) for name, tool in tools.items()}


def keep_answer_path(plan: Workflow, sound: Workflow) -> Workflow:
    """Return a damaged plan with the sound one's path into the answer, if the same tool gives it."""
    if plan.answer is None or sound.answer is None or plan.answer_path:
        return plan
    tools = [one.steps[(one.answer or 0) - 1].call.tool for one in (plan, sound)]
    return msgspec.structs.replace(plan, answer_path=sound.answer_path) if tools[0] == tools[1] else plan
