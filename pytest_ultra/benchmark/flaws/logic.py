"""logical_inconsistency: a condition or a data reference contradicts another step."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from pytest_ultra.benchmark.flaws.candidate import Candidate, choose, replace_steps
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.workflow import Call, Step, Workflow, reference, referenced_step

Contradiction = tuple[Step, str]


def inject(task: Task, optimal: Workflow, size: int, chance: Random) -> Candidate | None:  # noqa: ARG001 - an Injector
    chosen = choose(chance, range(2, len(optimal.steps) + 1), size)
    if chosen is None:
        return None
    changed: dict[int, Step] = {}
    how: dict[int, str] = {}
    for number in chosen:
        options = [option for contradict in _CONTRADICTIONS if (option := contradict(optimal, number, chance))]
        if not options:
            return None
        changed[number], how[number] = chance.choice(options)
    return replace_steps(optimal, changed, how)


def _on_failure_only(optimal: Workflow, number: int, chance: Random) -> Contradiction:
    """Do the step only if an earlier one failed, though what follows counts on both."""
    step = optimal.steps[number - 1]
    earlier = chance.choice(step.call.references or (number - 1,))
    condition = earlier if earlier < number else number - 1
    return Step(step.call, only_if_failed=condition), f"is tied to the failure of step {condition}, which it builds on"


def _past_the_result(optimal: Workflow, number: int, chance: Random) -> Contradiction | None:  # noqa: ARG001 - one signature
    """Work on what an earlier step worked on, as if that step had not been."""
    call = optimal.steps[number - 1].call
    used = next(iter(call.references), None)
    before = optimal.steps[used - 1].call.references if used else ()
    if used is None or not before:
        return None
    arguments = {
        name: reference(before[0]) if referenced_step(value) == used else value
        for name, value in call.arguments.items()
    }
    return Step(Call(call.tool, arguments)), f"passes over step {used}, whose result it is there to use"


_OPPOSITES = {"gt": "lte", "lt": "gte", "gte": "lt", "lte": "gt", "eq": "ne", "ne": "eq"}


def _turned_round(optimal: Workflow, number: int, chance: Random) -> Contradiction | None:  # noqa: ARG001 - one signature
    """Turn a filter's condition into its opposite, so that it keeps what the other steps are not about."""
    call = optimal.steps[number - 1].call
    opposite = _OPPOSITES.get(str(call.arguments.get("operator")))
    if opposite is None:
        return None
    return Step(Call(call.tool, {**call.arguments, "operator": opposite})), "keeps what it should drop"


_CONTRADICTIONS: tuple[Callable[[Workflow, int, Random], Contradiction | None], ...] = (
    _on_failure_only,
    _past_the_result,
    _turned_round,
)
