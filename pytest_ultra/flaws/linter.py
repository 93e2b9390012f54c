"""The linter of plans: what a careful reader of a plan and of the tools' schemas alone can find wrong with it.

It knows neither the job nor the world. What it flags has the visibility `plan`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from enum import StrEnum

import msgspec

from pytest_ultra.core.workflow import Call, Step, Workflow, read_reference, referenced_step
from pytest_ultra.flaws.tool_signature import DataKind, ToolSignature

Tools = Mapping[str, ToolSignature]


class FindingKind(StrEnum):
    """What is wrong with a step, or with the whole plan."""

    UNKNOWN_TOOL = "unknown_tool"
    SCHEMA = "schema"
    MISSING_REFERENCE = "missing_reference"
    FORWARD_REFERENCE = "forward_reference"
    NO_OUTPUT = "no_output"
    WRONG_KIND = "wrong_kind"
    UNKNOWN_FIELD = "unknown_field"
    CONTRARY_FORMAT = "contrary_format"
    REPEATED = "repeated"
    OVERWRITTEN = "overwritten"
    CONTRARY_CONDITION = "contrary_condition"
    UNUSED_OUTPUT = "unused_output"
    NO_RESULT = "no_result"


class Finding(msgspec.Struct, frozen=True):
    """One finding. `step` counts from 1 and is None for the whole plan; `subject` is the argument it is about."""

    kind: FindingKind
    step: int | None
    message: str
    subject: str | None = None


def lint(workflow: Workflow, tools: Tools) -> tuple[Finding, ...]:
    """Return all findings, in the order of the steps. `tools` are those that the plan may name."""
    return tuple(_findings(_Plan(workflow, tools)))


def is_clean(workflow: Workflow, tools: Tools) -> bool:
    """Return whether `lint` has no finding; it stops at the first one."""
    return next(_findings(_Plan(workflow, tools)), None) is None


def _findings(plan: _Plan) -> Iterator[Finding]:
    for number in plan.numbers:
        for rule in _RULES:
            yield from rule(plan, number)
    yield from _whole(plan)


class _Plan:
    """A plan with what its steps make, as far as the schemas say."""

    def __init__(self, workflow: Workflow, tools: Tools) -> None:
        self.workflow = workflow
        self.tools = tools
        self.numbers = range(1, len(workflow.steps) + 1)
        self._calls = [step.call for step in workflow.steps]
        self._signatures = [tools.get(call.tool) for call in self._calls]
        self.references = {number: self.call(number).references for number in self.numbers}
        self.used: set[int | None] = {used for references in self.references.values() for used in references}
        self.used.add(workflow.answer)
        self.columns: dict[int, Collection[str] | None] = {}
        for number in self.numbers:
            call, signature = self.call(number), self.signature(number)
            self.columns[number] = signature.columns(call, self.input_columns(number)) if signature else None

    def step(self, number: int) -> Step:
        return self.workflow.steps[number - 1]

    def call(self, number: int) -> Call:
        return self._calls[number - 1]

    def signature(self, number: int) -> ToolSignature | None:
        return self._signatures[number - 1]

    def makes(self, number: int) -> DataKind | None:
        """Return what a step makes; an unknown tool may make anything."""
        signature = self.signature(number)
        return signature.makes(self.call(number)) if signature else DataKind.UNKNOWN

    def input_columns(self, number: int) -> Collection[str] | None:
        used = self.references[number]
        return self.columns.get(used[0]) if len(used) == 1 else None

    def needs(self, number: int) -> set[int]:
        """Return the steps that a step builds on, directly or not."""
        found = set[int]()
        waiting = [used for used in self.references[number] if used < number]
        while waiting:
            used = waiting.pop()
            if used not in found and used in self.numbers:
                found.add(used)
                waiting += [earlier for earlier in self.references[used] if earlier < used]
        return found


_Rule = Callable[[_Plan, int], Iterator[Finding]]


def _schema(plan: _Plan, number: int) -> Iterator[Finding]:
    call, signature = plan.call(number), plan.signature(number)
    if signature is None:
        yield Finding(FindingKind.UNKNOWN_TOOL, number, f"there is no tool {call.tool!r}")
        return
    violation = signature.violation(call)
    if violation is not None:
        yield Finding(FindingKind.SCHEMA, number, violation)
    for name, value in call.arguments.items():
        is_handle, is_reference = name in signature.handles, referenced_step(value) is not None
        if name in signature.open_arguments:
            continue
        if is_handle and not is_reference:
            yield Finding(FindingKind.MISSING_REFERENCE, number, f"{name} names no output of a step", name)
        elif is_reference and not is_handle and name in signature.parameters["properties"]:
            yield Finding(FindingKind.SCHEMA, number, f"{name} is the output of a step", name)


def _references(plan: _Plan, number: int) -> Iterator[Finding]:
    signature = plan.signature(number)
    for name, value in plan.call(number).arguments.items():
        found = read_reference(value)
        if found is None:
            continue
        used = found.step
        if used not in plan.numbers:
            yield Finding(FindingKind.MISSING_REFERENCE, number, f"there is no step {used}", name)
        elif used >= number:
            yield Finding(FindingKind.FORWARD_REFERENCE, number, f"step {used} comes later", name)
        elif (kind := plan.makes(used)) is None:
            yield Finding(FindingKind.NO_OUTPUT, number, f"step {used} makes no output", name)
        elif signature and kind is not DataKind.UNKNOWN and kind not in signature.takes:
            yield Finding(FindingKind.WRONG_KIND, number, f"step {used} makes a {kind}", name)
        elif signature and (source := plan.signature(used)) and (why := signature.unfit(name, source, found.path)):
            yield Finding(FindingKind.WRONG_KIND, number, f"{name}: what step {used} returns {why}", name)


def _fields(plan: _Plan, number: int) -> Iterator[Finding]:
    signature, known = plan.signature(number), plan.input_columns(number)
    if signature is None or known is None:
        return
    for field in signature.fields(plan.call(number)):
        if field not in known:
            yield Finding(FindingKind.UNKNOWN_FIELD, number, f"the input has no field {field!r}", field)


def _formats(plan: _Plan, number: int) -> Iterator[Finding]:
    """Compare the format in which a step reads or writes with the suffix of the file's name."""
    for used in plan.references[number]:
        reader, writer = plan.signature(number), plan.tools.get(plan.call(used).tool) if used in plan.numbers else None
        if reader and writer:
            yield from _contrary_format(number, reader.reads_as(plan.call(number)), plan.call(used))
            yield from _contrary_format(number, writer.writes_as(plan.call(used)), plan.call(number))


def _contrary_format(number: int, written: str | None, named: Call) -> Iterator[Finding]:
    names = [value for value in named.arguments.values() if isinstance(value, str)]
    for _, dot, suffix in (name.rpartition(".") for name in names):
        if written is not None and dot and suffix in _FORMATS and suffix != written:
            message = f"the format is {written}, but the name ends in .{suffix}"
            yield Finding(FindingKind.CONTRARY_FORMAT, number, message, written)


_FORMATS = ("csv", "json")


def _repetitions(plan: _Plan, number: int) -> Iterator[Finding]:
    """Find a step done twice. A repeated look-up may be meant, and so may a second try of a failed step."""
    step, signature = plan.step(number), plan.signature(number)
    is_look_up = not plan.references[number] and not (signature and signature.has_effect(step.call))
    if is_look_up:
        return
    place = _place(plan, number)
    for earlier in range(1, number):
        if step.only_if_failed == earlier and plan.call(earlier) == step.call:
            continue
        if plan.call(earlier) == step.call:
            yield Finding(FindingKind.REPEATED, number, f"repeats step {earlier}")
        elif place is not None and _place(plan, earlier) == place and plan.call(earlier).tool == step.call.tool:
            yield Finding(FindingKind.OVERWRITTEN, number, f"overwrites what step {earlier} stored")


def _place(plan: _Plan, number: int) -> str | None:
    signature = plan.signature(number)
    return signature.place(plan.call(number)) if signature else None


def _conditions(plan: _Plan, number: int) -> Iterator[Finding]:
    step = plan.step(number)
    failed = step.only_if_failed
    if failed is not None:
        if not 0 < failed < number:
            yield Finding(FindingKind.CONTRARY_CONDITION, number, f"step {failed} is not an earlier step")
        elif failed in plan.needs(number):
            yield Finding(FindingKind.CONTRARY_CONDITION, number, f"it builds on step {failed}, which has failed then")
        return
    for used in plan.references[number]:
        if used in plan.numbers and used < number and plan.step(used).only_if_failed is not None:
            yield Finding(FindingKind.CONTRARY_CONDITION, number, f"step {used}, which it builds on, may not be done")


def _unused(plan: _Plan, number: int) -> Iterator[Finding]:
    """Find results that nobody uses. A look-up's result, or a check's, may be for the reader alone."""
    signature = plan.signature(number)
    is_meant = not plan.references[number] or (signature is not None and signature.informs(plan.call(number)))
    if not is_meant and plan.makes(number) is not None and number not in plan.used:
        yield Finding(FindingKind.UNUSED_OUTPUT, number, "no step uses its output")


def _whole(plan: _Plan) -> Iterator[Finding]:
    answer = plan.workflow.answer
    if answer is not None:
        if answer not in plan.numbers:
            yield Finding(FindingKind.MISSING_REFERENCE, None, f"the answer is from step {answer}, which is missing")
        elif plan.makes(answer) is None:
            yield Finding(FindingKind.NO_OUTPUT, None, f"the answer is from step {answer}, which makes no output")
        return
    signatures = [(plan.signature(number), plan.call(number)) for number in plan.numbers]
    if not any(signature is None or signature.has_effect(call) for signature, call in signatures):
        yield Finding(FindingKind.NO_RESULT, None, "the plan neither hands anything over nor answers")


_RULES: tuple[_Rule, ...] = (_schema, _references, _fields, _formats, _repetitions, _conditions, _unused)
