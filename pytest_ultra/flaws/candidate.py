"""A flawed workflow before its proof, and helper functions that injectors share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random

import msgspec

from pytest_ultra.core.axes import FlawKind, Visibility
from pytest_ultra.core.guidance import Damage
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Step, Workflow, reference
from pytest_ultra.flaws.plan_context import PlanContext

Origin = tuple[int | None, ...]


class Candidate(msgspec.Struct, frozen=True):
    """The proposal of an injector, which still has to pass the proof.

    `origin` holds for each step the number of the optimal step that it comes from, None for added steps.
    """

    workflow: Workflow
    damages: tuple[Damage, ...]
    origin: Origin


class Draw(msgspec.Struct, frozen=True):
    """What an injector works with: the plan's surroundings, the visibility that the flaw is to have, and chance.

    `attempt` counts from 0 and says how many candidates have failed: later ones may be less like sound plans.
    """

    context: PlanContext
    visibility: Visibility
    chance: Random
    attempt: int = 0


Injector = Callable[[Draw, Workflow, int], Candidate | None]
"""(draw, optimal workflow, number of steps to damage) to a candidate, or None if the draw made none."""


class Change(msgspec.Struct, frozen=True):
    """A replacement for one step: its flaw kind, its `way` within the kind, a description, and what shows it.

    `is_usual` says that it was drawn among others as often as sound plans have calls like it.
    """

    kind: FlawKind
    step: Step
    way: str
    how: str
    visibility: Visibility = Visibility.JOB
    is_usual: bool = False


def replace_steps(workflow: Workflow, changed: Mapping[int, Change]) -> Candidate:
    """Replace steps, by their numbers."""
    numbers = range(1, len(workflow.steps) + 1)
    steps = tuple(changed[number].step if number in changed else workflow.steps[number - 1] for number in numbers)
    damages = tuple(
        Damage(change.kind, number, number, change.way, change.how) for number, change in sorted(changed.items())
    )
    return Candidate(Workflow(steps, workflow.answer), damages, tuple(numbers))


def choose(chance: Random, options: Iterable[int], size: int) -> list[int] | None:
    """Choose `size` of the options, in ascending order; None if there are too few."""
    available = sorted(options)
    return sorted(chance.sample(available, size)) if size <= len(available) else None


def is_as_usual(draw: Draw, right: Call, wrong: Call) -> bool:
    """Draw whether a wrong call may take the place of a right one, such that flawed plans have the calls of sound ones.

    It always may where sound plans have calls like it more often, else as much less often as they do (N. Metropolis et
    al., Equation of State Calculations by Fast Computing Machines, 1953).
    """
    return draw.chance.random() * draw.context.commonness(right) < draw.context.commonness(wrong)


def draw_usual(context: PlanContext, calls: Sequence[Call], chance: Random) -> int:
    """Draw one of the calls, each as often as sound plans have calls like it; return its index."""
    weights = [context.commonness(call) for call in calls]
    alike = Counter(weights)  # calls of one pattern share its weight
    return draw_weighted([weight / alike[weight] for weight in weights], chance)


def draw_weighted(weights: Sequence[float], chance: Random) -> int:
    """Draw an index by its weight."""
    left = chance.random() * sum(weights)
    for index, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return index
    return len(weights) - 1


def with_arguments(step: Step, **arguments: Json) -> Step:
    """Return the step with some arguments changed. Advice for a failure, which would contradict them, is dropped."""
    return Step(Call(step.call.tool, {**step.call.arguments, **arguments}), None, step.only_if_failed)


def renumber(step: Step, number: Mapping[int, int]) -> Step:
    """Return the step with its references to other steps translated."""

    def translate(step_number: int) -> Json:
        return reference(number[step_number])

    fallback = step.fallback.with_references(translate) if step.fallback else None
    condition = number[step.only_if_failed] if step.only_if_failed else None
    return Step(step.call.with_references(translate), fallback, condition)
