"""From a task key to a task: draws are made until one is sound."""

from __future__ import annotations

from functools import lru_cache
from random import Random

import msgspec

from pytest_ultra.benchmark.facts import Fact, FactKind
from pytest_ultra.benchmark.generator.draft import Draft, RejectedError
from pytest_ultra.benchmark.generator.job import fill_draft
from pytest_ultra.benchmark.generator.levels import LEVELS
from pytest_ultra.benchmark.generator.soundness import is_sound
from pytest_ultra.benchmark.generator.source_mirrors import add_mirrors
from pytest_ultra.benchmark.generator.task_text import describe
from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.task_context import TaskContext
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.core.axes import FlawKind, Severity, TaskType, Visibility
from pytest_ultra.core.case import TaskKey
from pytest_ultra.flaws.injection import inject

MOST_DRAWS = 400


@lru_cache(maxsize=64)
def generate_task(key: TaskKey) -> Task:
    """Return the first draw that makes a sound task, which at exact levels also carries all flaws."""
    for draw in range(MOST_DRAWS):
        task = draw_task(key, draw)
        if task is not None and (not LEVELS[key.difficulty].is_exact or carries_all_flaws(task)):
            return task
    raise RuntimeError(f"none of {MOST_DRAWS} draws makes a task of {key}")


def draw_task(key: TaskKey, draw: int) -> Task | None:
    """Make one draw; None where it is no sound task. Flaws are not looked at."""
    draft = make_draft(key, draw)
    if draft is None:
        return None
    task = Task(
        key=key,
        draw=draw,
        world=draft.world,
        words=describe(draft, key.difficulty),
        milestones=tuple(draft.milestones),
        actions=tuple(draft.actions),
        tools=_offer_tools(draft),
        decisions=tuple(draft.decisions),
        business=draft.setting.business.host,
        period=draft.setting.period.code,
    )
    return _with_texts(task) if is_sound(task, draft.row_steps) else None


def _with_texts(task: Task) -> Task:
    """Return the task with the texts of its artefacts, which no proof looks at."""
    milestones = tuple(
        msgspec.structs.replace(milestone, fact=Fact.of(fact.kind, fact.key, fact.value, is_ordered=fact.is_ordered))
        if (fact := milestone.fact).kind is FactKind.ARTEFACT
        else milestone
        for milestone in task.milestones
    )
    return msgspec.structs.replace(task, milestones=milestones)


def make_draft(key: TaskKey, draw: int) -> Draft | None:
    """Draw the parts of a task; None where they do not fit together."""
    rng = Random(f"{key.seed}/{key.task_type}/{key.difficulty}/{key.instance}/{draw}")
    draft = Draft(rng, LEVELS[key.difficulty])
    try:
        fill_draft(draft, TaskType(key.task_type))
        add_mirrors(draft, key.difficulty)
    except RejectedError:
        return None
    return draft


def carries_all_flaws(task: Task) -> bool:
    """Return whether every flaw kind can be injected at every severity into the task's optimal workflow.

    A flaw that the plan itself shows is what each of them falls back to, so this is the one to check.
    """
    context, optimal = TaskContext(task), perfect_plan(task)
    return all(
        inject(context, optimal, kind, severity, visibility=Visibility.PLAN)
        for severity in reversed(Severity)
        for kind in FlawKind
    )


def _offer_tools(draft: Draft) -> tuple[str, ...]:
    """Choose distractors, siblings of the needed tools first, and shuffle all."""
    needed = sorted({action.call.tool for action in draft.actions} | draft.extra_tools)
    categories = {TOOLS[name].category for name in needed}
    others = [name for name in TOOLS if name not in needed]
    draft.rng.shuffle(others)
    others.sort(key=lambda name: TOOLS[name].category not in categories)
    spare = draft.level.spare_tools
    offered = needed + (others if spare is None else others[:spare])
    draft.rng.shuffle(offered)
    return tuple(offered)
