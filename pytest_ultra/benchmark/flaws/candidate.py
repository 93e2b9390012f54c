"""A flawed workflow before its proof, and what injectors share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from random import Random

import msgspec

from pytest_ultra.benchmark.task import Damage, Task
from pytest_ultra.benchmark.workflow import Call, Step, Workflow, reference, referenced_step
from pytest_ultra.benchmark.world import Json


class Candidate(msgspec.Struct, frozen=True):
    """What an injector proposes; whether it is emitted is for the proof to say."""

    workflow: Workflow
    damages: tuple[Damage, ...]


Injector = Callable[[Task, Workflow, int, Random], Candidate | None]
"""(task, optimal workflow, number of steps to damage, chance) to a candidate, or None where it found no way."""


def choose(chance: Random, options: Iterable[int], size: int) -> list[int] | None:
    """Choose `size` of the options, in ascending order; None where there are too few."""
    available = sorted(options)
    return sorted(chance.sample(available, size)) if size <= len(available) else None


def renumber(step: Step, number: Mapping[int, int]) -> Step:
    """Return the step with its references to other steps translated."""
    fallback = _renumber_call(step.fallback, number) if step.fallback else None
    condition = number[step.only_if_failed] if step.only_if_failed else None
    return Step(_renumber_call(step.call, number), fallback, condition)


def _renumber_call(call: Call, number: Mapping[int, int]) -> Call:
    return Call(call.tool, {name: _renumber_argument(value, number) for name, value in call.arguments.items()})


def _renumber_argument(argument: Json, number: Mapping[int, int]) -> Json:
    step = referenced_step(argument)
    return argument if step is None else reference(number[step])


def replace_steps(workflow: Workflow, changed: Mapping[int, Step], how: Mapping[int, str]) -> Candidate:
    """Put other steps in the place of some; `how` says of each, by its number, what was done to it."""
    steps = tuple(changed.get(number, step) for number, step in enumerate(workflow.steps, start=1))
    damages = tuple(Damage(number, number, how[number]) for number in sorted(changed))
    return Candidate(Workflow(steps, workflow.answer), damages)
