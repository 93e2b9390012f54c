"""Routes to a task's goal: the calls that reach its milestones in order, also without a tool or a target of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from pytest_ultra.benchmark.equivalent_calls import equivalent_calls
from pytest_ultra.benchmark.facts import FactKind
from pytest_ultra.benchmark.goal import is_reached_by
from pytest_ultra.benchmark.rehearsal import rehearse
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.tools.call_targets import DownTarget
from pytest_ultra.benchmark.tools.invoke import invoke
from pytest_ultra.benchmark.tools.mirrors import mirrored_calls
from pytest_ultra.core.json_types import Json
from pytest_ultra.core.workflow import Call, Step, Workflow, reference, referenced_step


class Route(msgspec.Struct, frozen=True):
    """A workflow that reaches the goal; `calls` holds for each of its steps the milestone and the call that reaches it.

    The references of `calls` count milestones, as those of the task's actions do.
    """

    workflow: Workflow
    calls: dict[int, Call]

    def step_of(self, milestone: int) -> int | None:
        """Return the number of the step that reaches a milestone, counted from 1."""
        milestones = list(self.calls)
        return milestones.index(milestone) + 1 if milestone in milestones else None


def find_route(task: Task, down: Sequence[DownTarget] = ()) -> Route | None:
    """Return a route without the tools and targets that are down, proved with perfect tools; None if there is none.

    It takes the milestones in their order, and for each the first of the ways to it. Of several routes, that is
    not the one that a planner finds best, but it depends on nothing but the task.
    """
    targets = tuple(down)
    known = next((each for each in _FOUND if each.task is task and each.down == targets), None)
    if known is None:
        known = _Found(task, targets, _search(task, targets))
        _FOUND.append(known)
    return known.route


class _Found(msgspec.Struct, frozen=True):
    """A search that was made: an episode makes the same ones again at each of its faults."""

    task: Task
    down: tuple[DownTarget, ...]
    route: Route | None


_FOUND: deque[_Found] = deque(maxlen=32)


def _search(task: Task, down: Sequence[DownTarget]) -> Route | None:
    walk = _Walk(task)
    for index, milestone in enumerate(task.milestones):
        if milestone.fact.kind is not FactKind.ANSWER and not walk.reach(index, down):
            return None
    route = walk.finish()
    end = rehearse(task, route.workflow)
    return route if end.has_delivered and not end.has_harmed else None


def ways_to(task: Task, milestone: int, data: Callable[[Call], Json]) -> Iterator[Call]:
    """Yield the calls that may reach a milestone: the task's actions, then those of mirrors, then of other tools.

    References count milestones. `data` returns the input of a call.
    """
    actions = [action.call for action in task.actions if action.reaches == milestone]
    yield from actions
    for call in actions:
        yield from mirrored_calls(task.world, call)
    for call in actions:
        for other in equivalent_calls(call, data(call)):
            if other.tool in task.tools and other not in actions:
                yield other


class _Walk:
    """The walk to the goal: the world so far, and for each milestone reached its call and its output's handle."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._world = task.world
        self._calls: dict[int, Call] = {}
        self._handles: dict[int, str | None] = {}

    def reach(self, milestone: int, down: Sequence[DownTarget]) -> bool:
        """Take the first way to a milestone that works; return whether there is one."""
        for call in ways_to(self._task, milestone, self._input):
            if any(target.includes(call) for target in down):
                continue
            arguments = {name: self._resolve(value) for name, value in call.arguments.items()}
            world, result = invoke(self._world, call.tool, arguments)
            if result.is_success and is_reached_by(self._task, milestone, self._world, world, result.handle):
                self._world = world
                self._calls[milestone], self._handles[milestone] = call, result.handle
                return True
        return False

    def finish(self) -> Route:
        number = {milestone: place for place, milestone in enumerate(self._calls, start=1)}
        steps = tuple(Step(renumbered(call, number)) for call in self._calls.values())
        answers = [m for m in self._task.milestones if m.fact.kind is FactKind.ANSWER]
        answer = number[answers[0].needs[-1]] if answers else None
        return Route(Workflow(steps, answer), self._calls)

    def _input(self, call: Call) -> Json:
        handle = self._resolve(call.arguments.get("data"))
        return self._world.artefacts.get(handle) if isinstance(handle, str) else None

    def _resolve(self, argument: Json) -> Json:
        number = referenced_step(argument)
        return argument if number is None else self._handles.get(number - 1, argument)


def renumbered(call: Call, number: Mapping[int, int]) -> Call:
    """Return the call with references to steps in place of milestones; `number` has milestones by their index."""
    return call.with_references(lambda milestone: reference(number[milestone - 1]))
