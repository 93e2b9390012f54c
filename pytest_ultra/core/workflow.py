"""A workflow: the plan's steps, how they are rendered for a model, and how they are read back.

An argument that is the output of another step is the string `<output of step 3>`, in memory as in the prompt; one that
is a part of it names the path, as in `<output of step 3: lines[0].id>`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache

import msgspec

from pytest_ultra.core.json_types import Json
from pytest_ultra.core.output_path import Path, read_path, write_path


class Call(msgspec.Struct, frozen=True, dict=True):  # a dict for what is computed once
    """A tool and its arguments, some of them references to the outputs of steps (at the top level only)."""

    tool: str
    arguments: dict[str, Json]

    @cached_property
    def references(self) -> tuple[int, ...]:
        found = map(read_reference, self.arguments.values())
        return tuple(each.step for each in found if each is not None)

    @cached_property
    def literals(self) -> dict[str, Json]:
        """The arguments that are no references."""
        return {name: value for name, value in self.arguments.items() if read_reference(value) is None}

    def says_the_same_as(self, other: Call) -> bool:
        """Return whether both have the same tool and the same literals, whatever they refer to."""
        return self.tool == other.tool and self.literals == other.literals

    def with_references(self, translate: Callable[[int], Json]) -> Call:
        """Return the call with each reference replaced by what `translate` makes of its number.

        If that is another whole output, the reference keeps its path.
        """

        def argument(value: Json) -> Json:
            found = read_reference(value)
            if found is None:
                return value
            new = translate(found.step)
            other = read_reference(new) if found.path else None
            return new if other is None or other.path else reference(other.step, found.path)

        return Call(self.tool, {name: argument(value) for name, value in self.arguments.items()})


class Step(msgspec.Struct, frozen=True):
    """One step of a workflow.

    `fallback` is the call to make if the tool of this step, or what it works on, is down and stays so. After a
    transient error, the same call is to be made again.
    `only_if_failed` is the number of an earlier step: this step is done only if that step failed.
    """

    call: Call
    fallback: Call | None = None
    only_if_failed: int | None = None


class Workflow(msgspec.Struct, frozen=True):
    """Steps in order, and the number of the step whose output is the answer, if the job wants one.

    `answer_path` leads to the part of that output that is the answer.
    """

    steps: tuple[Step, ...]
    answer: int | None = None
    answer_path: Path = ()


class OutputReference(msgspec.Struct, frozen=True):
    """What an argument stands for: the output of a step, counted from 1, or the part of it at the end of a path."""

    step: int
    path: Path = ()


def reference(step: int, path: Path = ()) -> str:
    """Return the argument that stands for the output of this step, counted from 1, or for a part of it."""
    return f"<output of step {step}: {write_path(path)}>" if path else f"<output of step {step}>"


def read_reference(argument: Json) -> OutputReference | None:
    """Return what the argument stands for, None for a literal."""
    return _parse_reference(argument) if isinstance(argument, str) and argument.startswith("<") else None


@lru_cache(maxsize=1024)  # the few references of a plan are read a hundred thousand times while flaws are drawn
def _parse_reference(text: str) -> OutputReference | None:
    match = _REFERENCE.fullmatch(text)
    path = read_path(match[2] or "") if match else None
    return None if match is None or path is None else OutputReference(int(match[1]), path)


def referenced_step(argument: Json) -> int | None:
    """Return the number of the step whose output, or a part of it, the argument stands for; None for a literal."""
    found = read_reference(argument)
    return None if found is None else found.step


def render(workflow: Workflow) -> str:
    """Write the workflow as numbered lines below the advice on faults; `read` is its inverse."""
    steps = list(enumerate(workflow.steps, start=1))
    lines = [ADVICE]
    lines += [_render_fallback(number, step, step.fallback) for number, step in steps if step.fallback]
    lines += [f"{number}. {_render_step(step)}" for number, step in steps]
    if workflow.answer is not None:
        lines.append(f"Finally, answer with {reference(workflow.answer, workflow.answer_path)}.")
    return "\n".join(lines)


def read(text: str) -> Workflow | None:
    """Find a rendered workflow in a longer text, also one with its advice in each line; None when there is none."""
    steps = tuple(_read_steps(text))
    answer = _read_answer(text)
    if not steps:
        return None
    return Workflow(steps) if answer is None else Workflow(steps, answer.step, answer.path)


def _read_answer(text: str) -> OutputReference | None:
    match = _ANSWER.search(text)
    return read_reference(match[1]) if match else None


ADVICE = "On a transient error, make the same call again."
"""The advice on faults that holds for all steps."""


def _render_fallback(number: int, step: Step, fallback: Call) -> str:
    return f"If {step.call.tool} is down in step {number}, call {_render_call(fallback)} instead."


def _render_step(step: Step) -> str:
    condition = f", only if step {step.only_if_failed} failed" if step.only_if_failed else ""
    return f"Call {_render_call(step.call)}{condition}"


def _render_call(call: Call) -> str:
    return f"{call.tool} with {json.dumps(call.arguments)}"


_REFERENCE = re.compile(r"<output of step (\d+)(?:: (.+))?>")
_STEP = re.compile(r"^(\d+)\. (?:Only if step (\d+) failed: c|C)all ([\w.:/-]+) with ", re.MULTILINE)
_CONDITION = re.compile(r", only if step (\d+) failed")
_FALLBACK = re.compile(r"^If [\w.:/-]+ is down in step (\d+), call ([\w.:/-]+) with ", re.MULTILINE)
_OLD_FALLBACK = re.compile(r"\. On a transient error, call (\w+) with ")
"""A fallback in the line of its step, as plans had it before their advice stood above the steps."""
_ANSWER = re.compile(r"^Finally, answer with (<output of step \d+(?:: .+)?>)\.$", re.MULTILINE)


def _read_steps(text: str) -> Iterator[Step]:
    fallbacks = {int(match[1]): _read_call(match[2], text, match.end())[0] for match in _FALLBACK.finditer(text)}
    for match in _STEP.finditer(text):
        call, end = _read_call(match[3], text, match.end())
        old = _OLD_FALLBACK.match(text, end)
        fallback = _read_call(old[1], text, old.end())[0] if old else fallbacks.get(int(match[1]))
        after = _CONDITION.match(text, end)
        condition = match[2] or (after[1] if after else None)
        yield Step(call, fallback, int(condition) if condition else None)


def _read_call(tool: str, text: str, start: int) -> tuple[Call, int]:
    arguments, end = json.JSONDecoder().raw_decode(text, start)
    return Call(tool, arguments), end
