"""The planner: a task as a Markov decision process, solved exactly by value iteration.

States are the sets of milestones reached, actions the task's calls; a call succeeds with its tool's
reliability and otherwise changes nothing; the number of calls left is the horizon. The method is backward
induction over a finite horizon (M. Puterman, Markov Decision Processes, 1994, section 4.5).
"""

from __future__ import annotations

import math

import msgspec

from pytest_ultra.benchmark.facts import FactKind
from pytest_ultra.benchmark.task import Action, Task
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.core.workflow import Call, Step, Workflow, reference, referenced_step

CLOSE = 1e-9
"""Figures nearer to one another than this, in relation, are equal."""
STRIDE = 20
"""Budgets are solved in strides of this many calls."""

State = frozenset[int]


class Value(msgspec.Struct, frozen=True):
    """What a state is worth: the chance of reaching the goal, and the calls expected until then or the budget's end."""

    chance: float
    calls: float

    def is_better_than(self, other: Value) -> bool:
        """Compare chances, then calls; what is equal on paper is not told apart by the order of additions."""
        if not math.isclose(self.chance, other.chance, rel_tol=CLOSE):
            return self.chance > other.chance
        return self.calls < other.calls and not math.isclose(self.calls, other.calls, rel_tol=CLOSE)


class Solution(msgspec.Struct, frozen=True):
    """The optimal workflow, and the chance of reaching the goal within the budget by following it."""

    workflow: Workflow
    chance: float


def plan(task: Task, tool_success_rate: float, max_turns: int) -> Workflow:
    """Return the optimal workflow for a turn budget."""
    return solve(task, tool_success_rate, count_calls(task, max_turns)).workflow


def count_calls(task: Task, max_turns: int) -> int:
    """Return how many calls fit into the turns: an answer takes the last one, anything else counts without a word."""
    return max_turns - any(milestone.fact.kind is FactKind.ANSWER for milestone in task.milestones)


def solve(task: Task, tool_success_rate: float, max_calls: int) -> Solution:
    """Solve the task for this many calls.

    Where not even perfect luck reaches the goal within `max_calls`, the workflow is the one that would
    with as many calls as there are milestones, and its chance is 0.
    """
    process = _Process(task, tool_success_rate)
    chance = process.value(max_calls).chance
    course = process.best_course(max(max_calls, len(process.goal)))
    return Solution(_write_workflow(task, course), chance)


def perfect_plan(task: Task) -> Workflow:
    """Return the optimal workflow for tools that never fail; it differs from others only in the choice of tools."""
    return solve(task, tool_success_rate=1.0, max_calls=len(task.milestones)).workflow


class _Process:
    """The decision process of one task, with its values remembered."""

    def __init__(self, task: Task, tool_success_rate: float) -> None:
        self._actions = task.actions
        self._chances = [TOOLS[action.call.tool].reliability(tool_success_rate) for action in task.actions]
        self.goal = frozenset(action.reaches for action in task.actions)
        self._known: dict[tuple[State, int], tuple[Value, int | None]] = {}

    def value(self, calls_left: int) -> Value:
        """Return the value of the start; small budgets come first, so that large ones need no deep recursion."""
        for fewer in range(0, calls_left, STRIDE):
            self._best(frozenset(), fewer)
        return self._best(frozenset(), calls_left)[0]

    def action(self, state: State, calls_left: int) -> Action | None:
        index = self._best(state, calls_left)[1]
        return None if index is None else self._actions[index]

    def best_course(self, horizon: int) -> list[tuple[Action, Action | None]]:
        """Return the calls made when every call succeeds, each with the choice after it has failed once."""
        course: list[tuple[Action, Action | None]] = []
        state: State = frozenset()
        for calls_left in range(horizon, 0, -1):
            action = self.action(state, calls_left)
            if action is None:
                break
            course.append((action, self.action(state, calls_left - 1)))
            state |= {action.reaches}
        return course

    def _best(self, state: State, calls_left: int) -> tuple[Value, int | None]:
        key = (state, calls_left)
        if key not in self._known:
            self._known[key] = self._solve(state, calls_left)
        return self._known[key]

    def _solve(self, state: State, calls_left: int) -> tuple[Value, int | None]:
        if state == self.goal:
            return Value(1.0, 0.0), None
        missing = len(self.goal) - len(state)
        best: tuple[Value, int | None] = (Value(0.0, calls_left), None)
        if missing > calls_left:
            return best
        for index, action in enumerate(self._actions):
            if action.reaches not in state and state.issuperset(action.needs):
                value = self._value_of(index, state, calls_left)
                if best[1] is None or value.is_better_than(best[0]):
                    best = (value, index)
        return best

    def _value_of(self, index: int, state: State, calls_left: int) -> Value:
        chance = self._chances[index]
        after, _ = self._best(state | {self._actions[index].reaches}, calls_left - 1)
        again, _ = self._best(state, calls_left - 1) if chance < 1 else (after, None)
        reach = chance * after.chance + (1 - chance) * again.chance
        return Value(reach, 1 + chance * after.calls + (1 - chance) * again.calls)


def _write_workflow(task: Task, course: list[tuple[Action, Action | None]]) -> Workflow:
    number = {action.reaches: position for position, (action, _) in enumerate(course, start=1)}
    steps = tuple(_write_step(action, after_failure, number) for action, after_failure in course)
    answers = [milestone for milestone in task.milestones if milestone.fact.kind is FactKind.ANSWER]
    return Workflow(steps, number[answers[0].needs[-1]] if answers else None)


def _write_step(action: Action, after_failure: Action | None, number: dict[int, int]) -> Step:
    """Write a step; its fallback is the better alternative for the same milestone, if there is one."""
    is_better = after_failure is not None and after_failure != action and after_failure.reaches == action.reaches
    fallback = _write_call(after_failure.call, number) if is_better and after_failure else None
    return Step(_write_call(action.call, number), fallback)


def _write_call(call: Call, number: dict[int, int]) -> Call:
    """Turn references to milestones into references to steps."""
    return Call(call.tool, {name: _renumber(value, number) for name, value in call.arguments.items()})


def _renumber(argument: object, number: dict[int, int]) -> object:
    milestone = referenced_step(argument)
    return argument if milestone is None else reference(number[milestone - 1])
