"""Repair of what the linter flags in a plan, by rules that know neither the job nor the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Step, Workflow, reference, referenced_step
from pytest_ultra.flaws.candidate import renumber
from pytest_ultra.flaws.linter import Finding, FindingKind, Tools, lint
from pytest_ultra.flaws.tool_signature import DataKind

MOST_REPAIRS = 40


def repair(workflow: Workflow, tools: Tools) -> Workflow:
    """Return the plan without the findings that a rule can remove, one after the other.

    A repair that leaves as many findings as before is not made.
    """
    for _ in range(MOST_REPAIRS):
        findings = lint(workflow, tools)
        repaired = (_repair(workflow, finding, tools) for finding in findings)
        better = (plan for plan in repaired if plan is not None and len(lint(plan, tools)) < len(findings))
        plan = next(better, None)
        if plan is None:
            return workflow
        workflow = plan
    return workflow


def _repair(workflow: Workflow, finding: Finding, tools: Tools) -> Workflow | None:
    rule = _RULES.get(finding.kind)
    return rule(workflow, finding, tools) if rule and finding.step is not None else None


def _put_in_order(workflow: Workflow, finding: Finding, tools: Tools) -> Workflow | None:  # noqa: ARG001 - a rule
    """Put each step behind those that it uses; None if they use each other in a circle."""
    waiting = dict(enumerate(workflow.steps, start=1))
    order: list[int] = []
    while waiting:
        ready = [number for number, step in waiting.items() if not _needs(step) & waiting.keys()]
        if not ready:
            return None
        order.append(ready[0])
        del waiting[ready[0]]
    place = {number: position for position, number in enumerate(order, start=1)}
    if any(used not in place for step in workflow.steps for used in _needs(step)):
        return None
    steps = tuple(renumber(workflow.steps[number - 1], place) for number in order)
    return Workflow(steps, place.get(workflow.answer or 0))


def _needs(step: Step) -> set[int]:
    return {*step.call.references, *((step.only_if_failed,) if step.only_if_failed else ())}


def _use_latest_output(workflow: Workflow, finding: Finding, tools: Tools) -> Workflow | None:
    """Use the output of the latest earlier step that makes what is needed."""
    number = finding.step or 0
    step = workflow.steps[number - 1]
    signature = tools.get(step.call.tool)
    for earlier in range(number - 1, 0, -1):
        call = workflow.steps[earlier - 1].call
        kind = tools[call.tool].makes(call) if call.tool in tools else None
        if signature and finding.subject and kind and (kind is DataKind.UNKNOWN or kind in signature.takes):
            return _with_argument(workflow, number, finding.subject, reference(earlier))
    return None


def _use_unused_output(workflow: Workflow, finding: Finding, tools: Tools) -> Workflow | None:  # noqa: ARG001 - a rule
    """Have the next step that uses the same input use this output instead."""
    number = finding.step or 0
    inputs = workflow.steps[number - 1].call.references
    for later in range(number + 1, len(workflow.steps) + 1):
        for name, value in workflow.steps[later - 1].call.arguments.items():
            if referenced_step(value) in inputs:
                return _with_argument(workflow, later, name, reference(number))
    return None


def _drop_condition(workflow: Workflow, finding: Finding, tools: Tools) -> Workflow:  # noqa: ARG001 - a rule
    number = finding.step or 0
    step = workflow.steps[number - 1]
    conditional = [number] if step.only_if_failed else [used for used in step.call.references if used < number]
    for place in conditional:
        workflow = _with_step(workflow, place, Step(workflow.steps[place - 1].call))
    return workflow


def _drop_step(workflow: Workflow, finding: Finding, tools: Tools) -> Workflow:  # noqa: ARG001 - a rule
    """Remove a repeated step; its users get the output of the earlier one, which is the same."""
    number = finding.step or 0
    call = workflow.steps[number - 1].call
    twin = next((n for n, step in enumerate(workflow.steps[: number - 1], start=1) if step.call == call), None)
    kept = [n for n in range(1, len(workflow.steps) + 1) if n != number]
    place = {n: position for position, n in enumerate(kept, start=1)}
    place[number] = place[twin or kept[max(0, number - 2)]]
    every = {n: place.get(n, n) for n in range(len(workflow.steps) + 100)}
    steps = tuple(renumber(workflow.steps[n - 1], every) for n in kept)
    return Workflow(steps, place.get(workflow.answer or 0))


def _fix_arguments(workflow: Workflow, finding: Finding, tools: Tools) -> Workflow | None:
    """Take values out of needless lists, and leave out arguments that the tool does not have."""
    number = finding.step or 0
    call = workflow.steps[number - 1].call
    if call.tool not in tools:
        return None
    properties = tools[call.tool].parameters["properties"]
    arguments = {name: _unwrap(value, properties[name]) for name, value in call.arguments.items() if name in properties}
    return _with_step(
        workflow, number, Step(Call(call.tool, arguments), None, workflow.steps[number - 1].only_if_failed)
    )


def _unwrap(value: Json, schema: Mapping[str, Json]) -> Json:
    is_needless = isinstance(value, list) and len(value) == 1 and schema.get("type") != "array"
    return value[0] if is_needless else value


def _fit_format(workflow: Workflow, finding: Finding, tools: Tools) -> Workflow | None:
    """Read a file in the format of its name."""
    number = finding.step or 0
    call = workflow.steps[number - 1].call
    for used in call.references:
        for name in workflow.steps[used - 1].call.arguments.values():
            suffix = str(name).rpartition(".")[2]
            for argument, value in call.arguments.items():
                if value == finding.subject and suffix in _formats(tools, call, argument):
                    return _with_argument(workflow, number, argument, suffix)
    return None


def _formats(tools: Tools, call: Call, argument: str) -> list[str]:
    properties = tools[call.tool].parameters["properties"] if call.tool in tools else {}
    return list(properties.get(argument, {}).get("enum", ()))


def _with_argument(workflow: Workflow, number: int, name: str, value: Json) -> Workflow:
    step = workflow.steps[number - 1]
    call = Call(step.call.tool, {**step.call.arguments, name: value})
    return _with_step(workflow, number, Step(call, step.fallback, step.only_if_failed))


def _with_step(workflow: Workflow, number: int, step: Step) -> Workflow:
    return Workflow((*workflow.steps[: number - 1], step, *workflow.steps[number:]), workflow.answer)


_RULES: dict[FindingKind, Callable[[Workflow, Finding, Tools], Workflow | None]] = {
    FindingKind.FORWARD_REFERENCE: _put_in_order,
    FindingKind.MISSING_REFERENCE: _use_latest_output,
    FindingKind.NO_OUTPUT: _use_latest_output,
    FindingKind.WRONG_KIND: _use_latest_output,
    FindingKind.UNUSED_OUTPUT: _use_unused_output,
    FindingKind.CONTRARY_CONDITION: _drop_condition,
    FindingKind.REPEATED: _drop_step,
    FindingKind.OVERWRITTEN: _drop_step,
    FindingKind.SCHEMA: _fix_arguments,
    FindingKind.CONTRARY_FORMAT: _fit_format,
}
