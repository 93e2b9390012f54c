"""The goal as a state of the world: which milestones are reached."""

from __future__ import annotations

from pytest_ultra.benchmark.answers import is_answer, read_answer, unwrap
from pytest_ultra.benchmark.facts import Fact, FactKind, fact_text
from pytest_ultra.benchmark.harm import harms
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.world import World
from pytest_ultra.core.json_types import Json

__all__ = [
    "count_copies",
    "deliverables_on",
    "harms",
    "has_delivered",
    "has_reached_goal",
    "is_reached_by",
    "made_milestones",
    "prerequisites",
    "reached_milestones",
    "read_answer",
    "unwrap",
]


def reached_milestones(task: Task, world: World, answer: Json = None) -> tuple[bool, ...]:
    """Return for each milestone whether it is reached. A reached deliverable implies all milestones that it needs."""
    made = made_milestones(task, world, answer)
    counted = set[int]()
    for index, milestone in enumerate(task.milestones):
        if made[index] and milestone.is_deliverable:
            counted |= prerequisites(task, index)
    return tuple(is_there or index in counted for index, is_there in enumerate(made))


def made_milestones(task: Task, world: World, answer: Json = None) -> tuple[bool, ...]:
    """Return for each milestone whether it can be seen in the world, or in the answer."""
    artefacts = _artefact_texts(task, world)
    return tuple(_holds(task, milestone.fact, world, answer, artefacts) for milestone in task.milestones)


def prerequisites(task: Task, index: int) -> set[int]:
    """Return the milestones that this one needs, directly or through others."""
    needs = task.milestones[index].needs
    return set(needs).union(*(prerequisites(task, need) for need in needs))


def deliverables_on(task: Task, index: int) -> list[int]:
    """Return the deliverables that need a milestone, itself included if it is one."""
    milestones = enumerate(task.milestones)
    return [other for other, m in milestones if m.is_deliverable and index in {other, *prerequisites(task, other)}]


def has_delivered(task: Task, holds: tuple[bool, ...]) -> bool:
    """Return whether every deliverable is there; `holds` comes from `reached_milestones`."""
    return all(is_there for is_there, milestone in zip(holds, task.milestones, strict=True) if milestone.is_deliverable)


def has_reached_goal(task: Task, world: World, answer: Json = None) -> bool:
    """Return whether every deliverable is there, without a look at the other milestones, which are many and large."""
    facts = task.deliverables
    has_artefact = any(fact.kind is FactKind.ARTEFACT for fact in facts)
    artefacts = _artefact_texts(task, world) if has_artefact else {}
    return all(_holds(task, fact, world, answer, artefacts) for fact in facts)


def is_reached_by(task: Task, index: int, before: World, after: World, handle: str | None) -> bool:
    """Return whether a call reached a milestone: it made the artefact, or its place now has the fact once more.

    `handle` is that of the artefact that the call made, None if it made none.
    """
    fact = task.milestones[index].fact
    if fact.kind is FactKind.ARTEFACT:
        return handle is not None and fact.is_met_by(after.artefacts[handle])
    return count_copies(task, index, after) > count_copies(task, index, before)


def count_copies(task: Task, index: int, world: World) -> int:
    """Return how often the fact of a milestone stands in the world."""
    fact = task.milestones[index].fact
    return sum(fact.is_met_by(value, task.words) for value in fact.values_in(world))


def _holds(task: Task, fact: Fact, world: World, answer: Json, artefacts: dict[bool, set[str]]) -> bool:
    if fact.kind is FactKind.ARTEFACT:
        return fact.text in artefacts[fact.is_ordered]
    if fact.kind is FactKind.ANSWER:
        return is_answer(fact, answer, task.words)
    return any(fact.is_met_by(value, task.words) for value in fact.values_in(world))


def _artefact_texts(task: Task, world: World) -> dict[bool, set[str]]:
    """Return the canonical texts of all artefacts, for each value of `is_ordered` that the task uses."""
    orders = {milestone.fact.is_ordered for milestone in task.milestones}
    return {
        is_ordered: {
            fact_text(FactKind.ARTEFACT, "", value, is_ordered=is_ordered) for value in world.artefacts.values()
        }
        for is_ordered in orders
    }
