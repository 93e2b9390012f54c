"""Look-ups: calls that only look at something, and that neither the plan nor the goal needs."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ultra.benchmark.scoring.evidence import Evidence
from pytest_ultra.benchmark.scoring.step_calls import says_the_same
from pytest_ultra.benchmark.task import Action
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.transcript import Answered
from pytest_ultra.core.workflow import Call, Workflow


def count_look_ups(evidence: Evidence, plan: Workflow | None) -> int:
    """Return how many successful calls changed nothing and made nothing that a later call used.

    Those that do what a step of the plan or an action of the task does are not counted: the first time for each, since
    a repetition only looks again.
    """
    needed = [step.call for step in plan.steps] if plan else []
    needed += [action.call for action in evidence.task.actions]
    look_ups = 0
    for index, event in enumerate(evidence.calls):
        is_needed = False
        if event.result.is_success and (matching := [call for call in needed if says_the_same(event, call)]):
            is_needed = True
            needed = [call for call in needed if call not in matching]
        if evidence.only_looked[index] and not is_needed and not _is_used(event, evidence.calls[index + 1 :]):
            look_ups += 1
    return look_ups


def find_needed_look_ups(evidence: Evidence, route: Sequence[Action]) -> tuple[Call, ...]:
    """Return the look-ups that the task's decisions need and that were made, each once.

    One that is also a step of the route is not among them, nor is one that met a fault.
    """
    wanted: list[Call] = []
    for call in (call for decision in evidence.task.decisions for call in decision.look_ups):
        if not any(call.says_the_same_as(other) for other in (*wanted, *(action.call for action in route))):
            wanted.append(call)
    made = [event for event in evidence.calls if event.result.is_success and event.result.fault_kind is None]
    return tuple(call for call in wanted if any(says_the_same(event, call) for event in made))


def _is_used(event: Answered, later: tuple[Answered, ...]) -> bool:
    handle = event.result.handle
    return handle is not None and any(_holds(call.arguments, handle) for call in later)


def _holds(value: Json, text: str) -> bool:
    if isinstance(value, dict):
        return any(_holds(inner, text) for inner in value.values())
    return any(_holds(inner, text) for inner in value) if isinstance(value, list) else bool(value == text)
