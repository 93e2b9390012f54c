"""Plans as JSON documents: `read_plan` and `write_plan` are inverses; `plan_schema` is their JSON Schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Annotated, Any

import msgspec

from pytest_ultra.core.bounds import MAX_DEPTH, is_too_deep
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import (
    Call,
    OutputReference,
    Step,
    Workflow,
    read_reference,
    reference,
    referenced_step,
)
from pytest_ultra.errors import ConfigurationError

MAX_STEPS = 100
_MAX_REFERENCE_CHARS = 1000
_REFERENCE_START = "<output of step"
TOOL_NAME = r"^[A-Za-z_][A-Za-z0-9_.:/-]{0,199}(?!\n)$"
NAME_RULE = "a name has letters, digits and _ . : / -, with a letter or _ first"
_ToolName = Annotated[str, msgspec.Meta(pattern=TOOL_NAME, description="the name of the tool")]
_Arguments = Annotated[
    dict[str, Any],
    msgspec.Meta(
        description="the arguments; '<output of step N>' stands for the output of an earlier step, '<output of step N: "
        "rows[0].id>' for a part of it"
    ),
]
_StepNumber = Annotated[int, msgspec.Meta(ge=1, le=MAX_STEPS)]


class _CallDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tool: _ToolName
    arguments: _Arguments = {}


class _StepDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tool: _ToolName
    arguments: _Arguments = {}
    fallback: Annotated[
        _CallDocument | None, msgspec.Meta(description="the call to make instead if the tool is down")
    ] = None
    only_if_failed: Annotated[
        _StepNumber | None, msgspec.Meta(description="the step is done only if the step with this number failed")
    ] = None


class _PlanDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    steps: Annotated[
        list[_StepDocument],
        msgspec.Meta(min_length=1, max_length=MAX_STEPS, description="the steps in their order, counted from 1"),
    ]
    answer: Annotated[
        _StepNumber | str | None,
        msgspec.Meta(
            description="the step whose output is the answer, if the job wants one; '<output of step N: total>' if it "
            "is a part of that output"
        ),
    ] = None
    schema: Annotated[str, msgspec.Meta(description="the address of this schema, for editors")] = msgspec.field(
        default="", name="$schema"
    )


EXAMPLE = '{"steps": [{"tool": "find", "arguments": {"email": "ann@x.example"}}, {"tool": "orders", "arguments": \
{"customer": "<output of step 1>"}}], "answer": 2}'


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema of plans."""
    schema = msgspec.json.schema(_PlanDocument)
    definitions = {_public_name(name): definition for name, definition in schema["$defs"].items()}
    text = json.dumps({**definitions.pop("Plan"), "$defs": definitions})
    renamed = json.loads(re.sub(r"#/\$defs/_(\w+)Document", r"#/$defs/\1", text))
    for definition in (renamed, *renamed["$defs"].values()):
        del definition["title"]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A plan for pytest-ultra"}
    return {**head, **renamed}


def _public_name(name: str) -> str:
    return name.removeprefix("_").removesuffix("Document")


def read_plan(document: Json, source: str = "the plan") -> Workflow:
    """Return the plan in a JSON document.

    Raises ConfigurationError, which names the place in the document and `source`, if it holds no plan.
    """
    plain = as_json(document, source)
    try:
        plan = msgspec.convert(plain, _PlanDocument)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{source}: {describe_problem(error)}; a plan looks like {EXAMPLE}") from None
    for number, step in enumerate(plan.steps):
        for name, call in (("", step), (".fallback", step.fallback)):
            if call is not None:
                _check_references(call.arguments, f"steps[{number}]{name}.arguments", source)
    answer = _read_answer(plan.answer, source)
    steps = tuple(_step(step) for step in plan.steps)
    return Workflow(steps, answer.step, answer.path) if answer else Workflow(steps)


def _read_answer(answer: int | str | None, source: str) -> OutputReference | None:
    if isinstance(answer, str):
        _check_reference(answer, "answer", source)
        return read_reference(answer)
    return None if answer is None else OutputReference(answer)


def _step(step: _StepDocument) -> Step:
    fallback = Call(step.fallback.tool, step.fallback.arguments) if step.fallback else None
    return Step(Call(step.tool, step.arguments), fallback, step.only_if_failed)


def write_plan(workflow: Workflow) -> dict[str, Json]:
    """Return the JSON document of a plan."""
    document: dict[str, Json] = {"steps": [_write_step(step) for step in workflow.steps]}
    if workflow.answer is not None:
        path = workflow.answer_path
        document["answer"] = reference(workflow.answer, path) if path else workflow.answer
    return document


def _write_step(step: Step) -> dict[str, Json]:
    document: dict[str, Json] = _write_call(step.call)
    if step.fallback is not None:
        document["fallback"] = _write_call(step.fallback)
    if step.only_if_failed is not None:
        document["only_if_failed"] = step.only_if_failed
    return document


def _write_call(call: Call) -> dict[str, Json]:
    return {"tool": call.tool, "arguments": deepcopy(call.arguments)}


def as_json(value: Json, source: str) -> Json:
    """Return a value as JSON has it, such as lists for tuples; raise ConfigurationError if JSON cannot have it."""
    try:
        plain = json.loads(json.dumps(value, allow_nan=False, ensure_ascii=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{source} is not JSON ({error}); give objects, lists, texts and numbers") from None
    if is_too_deep(plain):
        raise ConfigurationError(f"{source} is nested more than {MAX_DEPTH} levels deep; give a flatter document")
    return plain


def describe_problem(error: msgspec.ValidationError) -> str:
    """Return msgspec's message with the place in front: `steps[0].tool: Expected ...`."""
    problem, _, place = str(error).partition(" - at `$")
    path = place.rstrip("`").removeprefix(".")
    problem = NAME_RULE if "regex" in problem else problem
    return f"{path}: {problem}" if path else problem


def _check_references(arguments: dict[str, Json], place: str, source: str) -> None:
    for path, text, depth in _texts(arguments, place):
        if not text.startswith(_REFERENCE_START):
            continue
        _check_reference(text, path, source)
        if depth > 1:
            raise ConfigurationError(
                f"{source}: {path}: {text!r} stands inside a list or an object; a reference is a whole argument"
            )


def _check_reference(text: str, path: str, source: str) -> None:
    if len(text) > _MAX_REFERENCE_CHARS or referenced_step(text) is None:
        raise ConfigurationError(
            f"{source}: {path}: {text[:60]!r} is no reference; write '<output of step 1>', or '<output of step 1: "
            "rows[0].id>' for a part of it"
        )


def _texts(value: Json, path: str, depth: int = 0) -> Iterator[tuple[str, str, int]]:
    """Yield the texts in a value: path, text, and levels below the arguments."""
    if isinstance(value, str):
        yield path, value, depth
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, f"{path}.{name}", depth + 1)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{place}]", depth + 1)
