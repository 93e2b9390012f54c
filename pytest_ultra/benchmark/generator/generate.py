"""From a task key to a task: draws are made until one is sound and carries every flaw."""

from __future__ import annotations

from functools import lru_cache
from random import Random

from pytest_ultra.benchmark.generator.data import DOMAINS, as_csv, make_rows
from pytest_ultra.benchmark.generator.draft import Draft, RejectedError
from pytest_ultra.benchmark.generator.shapes import fill_draft
from pytest_ultra.benchmark.generator.task_text import describe
from pytest_ultra.benchmark.planner import perfect_plan
from pytest_ultra.benchmark.task import Task
from pytest_ultra.benchmark.task_context import TaskContext
from pytest_ultra.benchmark.tools import TOOLS
from pytest_ultra.core.axes import Difficulty, FlawKind, Severity, Visibility
from pytest_ultra.core.case import TaskKey
from pytest_ultra.flaws.injection import inject
from pytest_ultra.flaws.missing_step import has_needless_step

DISTRACTOR_TOOLS = (0, 4, 10, 18, len(TOOLS))
"""How many tools beyond the needed ones are offered, by the level of the difficulty; the last is: all."""
DISTRACTOR_FILES = (0, 1, 2, 4, 6)
MOST_DRAWS = 200


@lru_cache(maxsize=512)
def generate_task(key: TaskKey) -> Task:
    """Return the first draw that makes a sound task and carries all flaws at all severities."""
    for draw in range(MOST_DRAWS):
        task = draw_task(key, draw)
        if task is not None and carries_all_flaws(task):
            return task
    raise RuntimeError(f"none of {MOST_DRAWS} draws makes a task of {key}")


def draw_task(key: TaskKey, draw: int) -> Task | None:
    """Make one draw; None where it is no sound task. Flaws are not looked at."""
    rng = Random(f"{key.seed}/{key.task_type}/{key.difficulty}/{key.instance}/{draw}")
    draft = Draft(rng)
    try:
        fill_draft(draft, key.task_type)
    except RejectedError:
        return None
    _add_distractor_files(draft, key.difficulty)
    task = Task(
        key=key,
        draw=draw,
        world=draft.world,
        words=describe(draft, key.difficulty),
        milestones=tuple(draft.milestones),
        actions=tuple(draft.actions),
        tools=_offer_tools(draft, key.difficulty),
    )
    return task if is_minimal(task) else None


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


def is_minimal(task: Task) -> bool:
    """Return whether the goal needs every step of the task's optimal workflow."""
    return not has_needless_step(TaskContext(task), perfect_plan(task))


def _add_distractor_files(draft: Draft, difficulty: Difficulty) -> None:
    files: dict[str, str] = {}
    while len(files) < DISTRACTOR_FILES[difficulty.level]:
        domain = draft.rng.choice(DOMAINS)
        path = f"old/{domain.plural.replace(' ', '_')}_{draft.rng.randint(2010, 2025)}.csv"
        files[path] = as_csv(make_rows(domain, draft.rng, 5))
    draft.add_to_world(files=files)


def _offer_tools(draft: Draft, difficulty: Difficulty) -> tuple[str, ...]:
    """Choose distractors, siblings of the needed tools first, and shuffle all."""
    needed = sorted({action.call.tool for action in draft.actions})
    categories = {TOOLS[name].category for name in needed}
    others = [name for name in TOOLS if name not in needed]
    draft.rng.shuffle(others)
    others.sort(key=lambda name: TOOLS[name].category not in categories)
    offered = needed + others[: DISTRACTOR_TOOLS[difficulty.level]]
    draft.rng.shuffle(offered)
    return tuple(offered)
