"""A workflow: the plan's steps, how it is written down for a model, and how it is read back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec


class Ref(msgspec.Struct, frozen=True, tag_field="$", tag="output"):
    """The output of the step with this number, counted from 1."""

    step: int


Argument = Any  # a JSON value, or a `Ref`; a `Ref` stands only at an argument's top level


class Call(msgspec.Struct, frozen=True):
    """A tool and its arguments, some of them references to the outputs of steps."""

    tool: str
    arguments: dict[str, Argument]

    def __post_init__(self) -> None:
        """Make the references whole again that a decoder, knowing only JSON values, left as dictionaries."""
        if any(type(value) is dict and "$" in value for value in self.arguments.values()):
            whole = {name: _decode_argument(value) for name, value in self.arguments.items()}
            msgspec.structs.force_setattr(self, "arguments", whole)

    def references(self) -> tuple[int, ...]:
        return tuple(value.step for value in self.arguments.values() if isinstance(value, Ref))


class Step(msgspec.Struct, frozen=True):
    """One step of a workflow.

    `fallback` is what to call when this step fails with a transient error; None means: the same again.
    `only_if_failed` names an earlier step: this one is to be done only if that one failed.
    """

    call: Call
    fallback: Call | None = None
    only_if_failed: int | None = None


class Workflow(msgspec.Struct, frozen=True):
    """Steps in order, and the step whose output is the job's answer, if the job asks for one."""

    steps: tuple[Step, ...]
    answer: Ref | None = None


def render(workflow: Workflow) -> str:
    """Write the workflow as numbered lines; `read` is its inverse."""
    lines = [f"{number}. {_render_step(step)}" for number, step in enumerate(workflow.steps, start=1)]
    if workflow.answer is not None:
        lines.append(f"Finally, answer with {_placeholder(workflow.answer)}.")
    return "\n".join(lines)


def read(text: str) -> Workflow | None:
    """Find a rendered workflow in a longer text; None when there is none."""
    steps = tuple(_read_steps(text))
    answer = _ANSWER.search(text)
    return Workflow(steps, Ref(int(answer[1])) if answer else None) if steps else None


def _decode_argument(value: Any) -> Argument:
    is_reference = isinstance(value, dict) and value.keys() == {"$", "step"}
    return Ref(value["step"]) if is_reference else value


def _render_step(step: Step) -> str:
    condition = f"Only if step {step.only_if_failed} failed: c" if step.only_if_failed else "C"
    if step.fallback is None:
        advice = "On a transient error, call it again."
    else:
        advice = f"On a transient error, call {_render_call(step.fallback)} instead."
    return f"{condition}all {_render_call(step.call)}. {advice}"


def _render_call(call: Call) -> str:
    plain = {name: _placeholder(v) if isinstance(v, Ref) else v for name, v in call.arguments.items()}
    return f"{call.tool} with {json.dumps(plain)}"


def _placeholder(ref: Ref) -> str:
    return f"<output of step {ref.step}>"


_STEP = re.compile(r"^\d+\. (?:Only if step (\d+) failed: c|C)all (\w+) with ", re.MULTILINE)
_FALLBACK = re.compile(r"\. On a transient error, call (\w+) with ")
_REFERENCE = re.compile(r"<output of step (\d+)>")
_ANSWER = re.compile(r"^Finally, answer with <output of step (\d+)>\.$", re.MULTILINE)


def _read_steps(text: str) -> Iterator[Step]:
    for match in _STEP.finditer(text):
        call, end = _read_call(match[2], text, match.end())
        other = _FALLBACK.match(text, end)
        fallback = _read_call(other[1], text, other.end())[0] if other else None
        yield Step(call, fallback, int(match[1]) if match[1] else None)


def _read_call(tool: str, text: str, start: int) -> tuple[Call, int]:
    plain, end = json.JSONDecoder().raw_decode(text, start)
    return Call(tool, {name: _read_argument(value) for name, value in plain.items()}), end


def _read_argument(value: Any) -> Argument:
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return Ref(int(match[1])) if match else value
