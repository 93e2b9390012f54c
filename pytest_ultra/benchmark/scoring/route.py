"""The route that an episode was on: the accepted way to the goal that fits its calls best."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pytest_ultra.benchmark.task import Action, Task

Cost = tuple[int, int]
"""How well a way fits: the tools on it that were not called, and its calls. Less is better."""


def find_cheapest_route(task: Task, called: Collection[str]) -> tuple[Action, ...]:
    """Return the actions of the cheapest accepted route of the kind that was taken, in the order of milestones.

    `called` are the names of the tools that were called. For each milestone, the action is chosen that needs the
    fewest other tools, itself and all before it; then the one with the fewest calls; then the first of the task.
    """
    options: dict[int, list[Action]] = {}
    for action in task.actions:
        options.setdefault(action.reaches, []).append(action)
    best: dict[int, tuple[Cost, Action]] = {}
    for milestone in _in_order(options):
        ranked = [(_cost(action, best, called), action) for action in options[milestone]]
        best[milestone] = min(ranked, key=lambda item: item[0])
    found: dict[int, Action] = {}
    for milestone, deliverable in enumerate(task.milestones):
        if deliverable.is_deliverable:
            _collect(milestone, task, best, found)
    return tuple(found[milestone] for milestone in sorted(found))


def _in_order(options: dict[int, list[Action]]) -> Iterator[int]:
    """Yield the milestones so that each comes after those that its actions need; these form no cycle."""
    done: set[int] = set()

    def visit(milestone: int) -> Iterator[int]:
        if milestone in done:
            return
        done.add(milestone)
        for action in options.get(milestone, ()):
            for need in action.needs:
                yield from visit(need)
        if milestone in options:
            yield milestone

    for milestone in sorted(options):
        yield from visit(milestone)


def _cost(action: Action, best: dict[int, tuple[Cost, Action]], called: Collection[str]) -> Cost:
    before = [best[need][0] for need in action.needs if need in best]
    return (action.call.tool not in called) + sum(missed for missed, _ in before), 1 + sum(n for _, n in before)


def _collect(milestone: int, task: Task, best: dict[int, tuple[Cost, Action]], found: dict[int, Action]) -> None:
    """Add the actions that reach a milestone; one without an action, such as an answer, has only needs."""
    if milestone in found:
        return
    action = best[milestone][1] if milestone in best else None
    if action is not None:
        found[milestone] = action
    for need in action.needs if action is not None else task.milestones[milestone].needs:
        _collect(need, task, best, found)
