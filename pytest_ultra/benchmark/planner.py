"""The planner: solves a task exactly, as a Markov decision process with a finite horizon.

States are the sets of reached milestones; actions are the task's calls. A call succeeds with its tool's
reliability and otherwise changes nothing. The horizon is the number of calls left. The method is backward
induction (M. Puterman, Markov Decision Processes, 1994, section 4.5).
"""

from __future__ import annotations

import math

import msgspec

from pytest_ultra.benchmark.facts import FactKind
from pytest_ultra.benchmark.routes import renumbered
from pytest_ultra.benchmark.task import Action, Task
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.core.workflow import Step, Workflow

TOLERANCE = 1e-9
"""Values with a smaller relative difference are equal."""
STRIDE = 20
"""Budgets are solved in steps of this many calls, which bounds the depth of the recursion."""

State = frozenset[int]


class Value(msgspec.Struct, frozen=True):
    """The value of a state: the probability of reaching the goal, and the expected calls until then or the limit."""

    probability: float
    calls: float

    def is_better_than(self, other: Value) -> bool:
        """Compare probabilities, then calls; the tolerance ignores differences from the order of additions."""
        if not math.isclose(self.probability, other.probability, rel_tol=TOLERANCE):
            return self.probability > other.probability
        return self.calls < other.calls and not math.isclose(self.calls, other.calls, rel_tol=TOLERANCE)


class Solution(msgspec.Struct, frozen=True):
    """The optimal workflow, and the probability that following it reaches the goal within the budget."""

    workflow: Workflow
    probability: float


def plan(task: Task, tool_success_rate: float, max_turns: int) -> Workflow:
    """Return the optimal workflow for a turn budget."""
    return solve(task, tool_success_rate, count_calls(task, max_turns)).workflow


def count_calls(task: Task, max_turns: int) -> int:
    """Return how many calls fit into the turns; only a job with an answer needs its last turn for the final reply."""
    return max_turns - any(milestone.fact.kind is FactKind.ANSWER for milestone in task.milestones)


def solve(task: Task, tool_success_rate: float, max_calls: int) -> Solution:
    """Solve the task for this many calls.

    If `max_calls` is too few even without faults, return the workflow for as many calls as there are milestones,
    with probability 0.
    """
    if _has_one_order(task):
        return _solve_directly(task, tool_success_rate, max_calls)
    process = _DecisionProcess(task, tool_success_rate)
    probability = process.value(max_calls).probability
    path = process.best_path(max(max_calls, len(process.goal)))
    return Solution(_write_workflow(task, path), probability)


def perfect_plan(task: Task) -> Workflow:
    """Return the optimal workflow for tools that never fail; it differs from others only in the choice of tools."""
    return solve(task, tool_success_rate=1.0, max_calls=len(task.milestones)).workflow


def _has_one_order(task: Task) -> bool:
    """Return whether alternatives differ in nothing but their tool's reliability, and milestones follow their needs."""
    needs: dict[int, tuple[int, ...]] = {}
    is_same = all(needs.setdefault(action.reaches, action.needs) == action.needs for action in task.actions)
    return is_same and all(need < reached for reached, indices in needs.items() for need in indices)


def _solve_directly(task: Task, tool_success_rate: float, max_calls: int) -> Solution:
    """Solve a task in which no choice depends on the state.

    Each milestone takes one success of its most reliable action. The order of the milestones changes neither the
    chance of reaching all of them within the budget nor the expected calls, so the first possible one is as good as
    any, as it is in the general method.
    """
    best: dict[int, tuple[float, Action]] = {}
    for action in task.actions:
        reliability = TOOLS[action.call.tool].reliability(tool_success_rate)
        known = best.get(action.reaches)
        if known is None or (reliability > known[0] and not math.isclose(reliability, known[0], rel_tol=TOLERANCE)):
            best[action.reaches] = (reliability, action)
    path = [best[index][1] for index in sorted(best)]
    probability = _chance_of_all([reliability for reliability, _ in best.values()], max_calls)
    return Solution(_write_workflow(task, path), probability)


def _chance_of_all(reliabilities: list[float], calls: int) -> float:
    """Return the probability that this many calls give one success of each kind, one kind after the other."""
    done = [1.0, *(0.0 for _ in reliabilities)]
    for _ in range(max(calls, 0)):
        for number in range(len(reliabilities), 0, -1):
            gained = done[number - 1] * reliabilities[number - 1]
            stays = 1.0 if number == len(reliabilities) else 1 - reliabilities[number]
            done[number] = done[number] * stays + gained
        done[0] *= 1 - reliabilities[0]
    return done[-1]


class _DecisionProcess:
    """The decision process of one task, with memoised values."""

    def __init__(self, task: Task, tool_success_rate: float) -> None:
        self._actions = task.actions
        self._reliabilities = [TOOLS[action.call.tool].reliability(tool_success_rate) for action in task.actions]
        self.goal = frozenset(action.reaches for action in task.actions)
        self._solved: dict[tuple[State, int], tuple[Value, int | None]] = {}

    def value(self, calls_left: int) -> Value:
        """Return the value of the initial state; solve small budgets first, to avoid deep recursion for large ones."""
        for fewer in range(0, calls_left, STRIDE):
            self._best(frozenset(), fewer)
        return self._best(frozenset(), calls_left)[0]

    def action(self, state: State, calls_left: int) -> Action | None:
        index = self._best(state, calls_left)[1]
        return None if index is None else self._actions[index]

    def best_path(self, horizon: int) -> list[Action]:
        """Return the actions taken when every call succeeds."""
        path: list[Action] = []
        state: State = frozenset()
        for calls_left in range(horizon, 0, -1):
            action = self.action(state, calls_left)
            if action is None:
                break
            path.append(action)
            state |= {action.reaches}
        return path

    def _best(self, state: State, calls_left: int) -> tuple[Value, int | None]:
        key = (state, calls_left)
        if key not in self._solved:
            self._solved[key] = self._solve(state, calls_left)
        return self._solved[key]

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
        probability = self._reliabilities[index]
        after, _ = self._best(state | {self._actions[index].reaches}, calls_left - 1)
        retried, _ = self._best(state, calls_left - 1) if probability < 1 else (after, None)
        reach = probability * after.probability + (1 - probability) * retried.probability
        return Value(reach, 1 + probability * after.calls + (1 - probability) * retried.calls)


def _write_workflow(task: Task, path: list[Action]) -> Workflow:
    number = {action.reaches: position for position, action in enumerate(path, start=1)}
    steps = tuple(Step(renumbered(action.call, number)) for action in path)
    answers = [milestone for milestone in task.milestones if milestone.fact.kind is FactKind.ANSWER]
    return Workflow(steps, number[answers[0].needs[-1]] if answers else None)
