"""Runs of a task's actions with changes, each from the first changed one on: many proofs take only parts of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import msgspec

from pytest_ultra.benchmark.decisions import Misreading
from pytest_ultra.benchmark.facts import FactKind
from pytest_ultra.benchmark.goal import harms, has_delivered, reached_milestones, unwrap
from pytest_ultra.benchmark.task import Milestone, Task
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, referenced_step


class TrialRun:
    """A task's run with perfect tools, one action for each milestone in order, and runs that differ from it."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._calls: dict[int, Call] = {}
        self._needs: dict[int, tuple[int, ...]] = {}
        for action in task.actions:
            self._calls.setdefault(action.reaches, action.call)
            self._needs.setdefault(action.reaches, action.needs)
        self._before: dict[int, World] = {}
        self._handles: dict[int, str] = {}
        world = task.world
        for index, call in self._calls.items():
            self._before[index] = world
            world, handle = _run(world, call, self._handles)
            self._handles[index] = handle
        self._artefacts = world.artefacts
        self._goal = _only_deliverables(task)

    def reaches_goal(self, misreading: Misreading) -> bool:
        """Return whether the goal is reached, without harm, if the misreading is carried out."""
        calls = dict(self._calls)
        for change in misreading.changes:
            call = calls[change.milestone]
            calls[change.milestone] = Call(call.tool, {**call.arguments, change.argument: change.value})
        return self._is_goal_of(calls, frozenset(misreading.dropped), misreading.added)

    def reaches_goal_with(self, changed: Mapping[int, Call]) -> bool:
        """Return whether the goal is reached if some milestones' calls are others."""
        return self._is_goal_of({**self._calls, **changed}, frozenset(), ())

    def _is_goal_of(self, calls: Mapping[int, Call], dropped: frozenset[int], added: tuple[Call, ...]) -> bool:
        trial = _Trial.begin(self._before, self._artefacts, calls, self._calls, dropped)
        for index, call in calls.items():
            if index in dropped:
                trial.drop(index, call, self._handles)
            elif index >= trial.first:
                is_same = call is self._calls[index] and not any(need in trial.handles for need in self._needs[index])
                trial.take(index, call, self._handles, is_same=is_same)
        for call in added:
            trial.world, _ = _run(trial.world, call, {**self._handles, **trial.handles})
        answer = self._answer(trial)
        holds = reached_milestones(self._goal, msgspec.structs.replace(trial.world, artefacts={}), answer)
        return has_delivered(self._goal, holds) and not harms(self._task, trial.world)

    def _answer(self, trial: _Trial) -> Json:
        answers = [milestone for milestone in self._task.milestones if milestone.fact.kind is FactKind.ANSWER]
        if not answers:
            return None
        index = answers[0].needs[-1]
        return unwrap(trial.world.artefacts.get(trial.handles.get(index, self._handles[index])))


class _Trial(msgspec.Struct):
    """A run under way. `handles` holds the outputs that differ from those of the run without changes."""

    world: World
    first: int
    handles: dict[int, str] = {}

    @classmethod
    def begin(
        cls,
        before: Mapping[int, World],
        artefacts: dict[str, Json],
        calls: Mapping[int, Call],
        base: Mapping[int, Call],
        dropped: frozenset[int],
    ) -> Self:
        """Start where the first change is; with no change, at the end."""
        changed = [index for index, call in calls.items() if index in dropped or call is not base[index]]
        first = min(changed, default=max(before))
        return cls(msgspec.structs.replace(before[first], artefacts=artefacts), first, {})

    def drop(self, index: int, call: Call, handles: Mapping[int, str]) -> None:
        """Let what builds on a milestone work on its input instead."""
        data = referenced_step(call.arguments.get("data"))
        self.handles[index] = "" if data is None else self.handles.get(data - 1, handles[data - 1])

    def take(self, index: int, call: Call, handles: Mapping[int, str], *, is_same: bool) -> None:
        """Make a call, unless its output is known because it is the same as in the run without changes."""
        if is_same and handles[index]:
            return
        self.world, handle = _run(self.world, call, {**handles, **self.handles})
        known = self.world.artefacts.get(handles[index])
        if handles[index] and (not handle or self.world.artefacts[handle] != known):
            self.handles[index] = handle


def _run(world: World, call: Call, handles: Mapping[int, str]) -> tuple[World, str]:
    resolved = call.with_references(lambda number: handles[number - 1] or "nothing")
    world, result = invoke(world, call.tool, resolved.arguments)
    return world, result.handle or ""


def _only_deliverables(task: Task) -> Task:
    wanted = tuple(Milestone(made.fact, (), is_deliverable=True) for made in task.milestones if made.is_deliverable)
    return msgspec.structs.replace(task, milestones=wanted)
