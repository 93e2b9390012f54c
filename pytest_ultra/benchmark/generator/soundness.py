"""Proofs that a drawn task is sound: every step is needed, every misreading costs, no other reading is as good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from pytest_ultra.benchmark.decisions import Misreading
from pytest_ultra.benchmark.generator.draft import RowStep
from pytest_ultra.benchmark.generator.trial_run import TrialRun
from pytest_ultra.benchmark.task import Task
from pytest_ultra.core.workflow import Call, referenced_step


def is_sound(task: Task, row_steps: Mapping[int, RowStep]) -> bool:
    """Return whether the task passes all proofs."""
    run = TrialRun(task)
    return is_minimal(task, run) and all_misreadings_miss(task, run) and is_unambiguous(task, row_steps, run)


def is_minimal(task: Task, run: TrialRun) -> bool:
    """Return whether the goal needs every step."""
    reached = {action.reaches for action in task.actions}
    return not any(run.reaches_goal(Misreading(dropped=(index,))) for index in sorted(reached))


def all_misreadings_miss(task: Task, run: TrialRun) -> bool:
    misreadings = [misreading for decision in task.decisions for misreading in decision.misreadings]
    return not any(run.reaches_goal(misreading) for misreading in misreadings)


def is_unambiguous(task: Task, row_steps: Mapping[int, RowStep], run: TrialRun) -> bool:
    """Return whether all orders that the words leave open reach the same goal."""
    orders = chain(_other_orders(task, row_steps), _orders_of_revisions(task, row_steps))
    return all(run.reaches_goal_with(calls) for calls in orders)


def _other_orders(task: Task, row_steps: Mapping[int, RowStep]) -> Iterator[Mapping[int, Call]]:
    """Yield the calls of two rules in a row in the other order, where neither rule builds on the other."""
    calls = {action.reaches: action.call for action in reversed(task.actions)}
    for index in sorted(row_steps):
        if index + 1 in row_steps and row_steps[index].can_swap_with(row_steps[index + 1]):
            first, second = calls[index], calls[index + 1]
            if referenced_step(second.arguments.get("data")) == index + 1:
                yield {index: _on(second, first), index + 1: _on(first, second)}


def _orders_of_revisions(task: Task, row_steps: Mapping[int, RowStep]) -> Iterator[Mapping[int, Call]]:
    """Yield the calls with rules about entries moved before the sort and the choice of the latest revisions."""
    calls = {action.reaches: action.call for action in reversed(task.actions)}
    for index, call in calls.items():
        if _is_choice_of_latest(call, calls.get(index - 1)):
            last = index
            while last + 1 in row_steps and row_steps[last + 1].is_of_entry:
                last += 1
            places = range(index - 1, last + 1)
            moved = [*places[2:], *places[:2]]
            if len(moved) > 2:
                yield {place: _on(calls[old], calls[place]) for place, old in zip(places, moved, strict=True)}


def _is_choice_of_latest(call: Call, before: Call | None) -> bool:
    is_sorted = before is not None and before.arguments.get("operation") == "sort"
    return is_sorted and call.arguments.get("rule") == "unique"


def _on(call: Call, place: Call) -> Call:
    """Return the call with the input of another."""
    return Call(call.tool, {**call.arguments, "data": place.arguments["data"]})
